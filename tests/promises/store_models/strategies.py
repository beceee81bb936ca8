"""What hypothesis draws for the tables: hostile names, few hashes, batches of all there is."""
import os

import numpy as np
from hypothesis import strategies as st

from cache.limits import REASONS
from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped, SourceFile
from cache.text import printable

HOSTILE = [
    "a",
    "b.png",
    "'; DROP TABLE file_cache; --",
    "it's \"two\nlines\"\t%s?.png",
    printable("caf\udce9.png"),
    "Ä猫🐈",
    "%_*[a]",
    "x" * 5000,
]
# Prefixes of one another, and the neighbours of "/" in the alphabet.
ROOTS = ["/x/photos", "/x/photos2", "/x/photos/a", "/x/photos.zip", "/x/photos0", "/x/Photos"]
HASHES = [f"{number:0128x}" for number in range(4)]
OLD_HASHES = [*HASHES[:2], "f" * 128]

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0/")
texts = st.sampled_from(HOSTILE[:3]) | st.sampled_from(HOSTILE) | st.text(letters, min_size=1, max_size=9)
hashes = st.sampled_from(HASHES)
old_hashes = st.none() | st.sampled_from(OLD_HASHES)
sizes = st.integers(1, 2)
probabilities = st.sampled_from([0.0, 0.1, 0.3, 0.1 + 0.2, 1 / 3, 0.7, 6 / 7, 1.0]) | st.floats(0, 1)


@st.composite
def source_files(draw: st.DrawFn) -> SourceFile:
    absolute_path = f"{draw(st.sampled_from(ROOTS))}/{draw(texts)}"
    given = draw(st.sampled_from([absolute_path, absolute_path[1:], "." + absolute_path]))
    archive = draw(st.none() | st.just(os.path.dirname(given)))
    folder, size, time = draw(st.none() | texts), draw(sizes), draw(sizes)
    return SourceFile(given, absolute_path, folder, archive, size, time, str(time), open)


pictures = st.builds(
    Picture, source_files(), hashes, old_hashes, st.sampled_from(["png", "gif"]), sizes, sizes)
archives = st.builds(Archive, source_files(), st.integers(0, 3))
known_paths = st.sampled_from(["x/photos/a", "x/photos/b.png"])
skipped_paths = known_paths | source_files().map(lambda file: file.file_path)
skips = st.builds(Skipped, skipped_paths, st.sampled_from(sorted(REASONS)), st.just("") | texts)
batches = st.builds(
    Batch, st.lists(pictures | pictures | archives | skips, min_size=2, max_size=8))
numbers = st.lists(st.floats(-8, 8, width=32), min_size=3, max_size=4)
vectors = numbers.map(lambda values: np.array(values, np.float32))


def _anywhere(root: str, name: str) -> Picture:
    path = f"{root}/{name}"
    return Picture(SourceFile(path[1:], path, "cats", None, 1, 1, "1", open), HASHES[0], None, "png", 1, 1)


EVERYWHERE = [_anywhere(root, name) for root in ROOTS for name in HOSTILE[:2]]
