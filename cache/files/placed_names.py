"""Under which names pictures are placed in a folder of ours: their own, as far as every system takes it."""
import os
import re
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count

# What no file name may hold on one system or another; a leading dot would hide the file.
UNSAFE_CHARACTERS = re.compile(r'[\x00-\x1f/\\:*?"<>|]|^\.')
LONGEST_STEM = 100


def placed_names(file_name: str, path: str) -> Iterator[str]:
    """The file's own name first; if another picture has it, one with a digest of the path."""
    stem, suffix = os.path.splitext(UNSAFE_CHARACTERS.sub("_", file_name))
    stem, suffix = stem.encode()[:LONGEST_STEM].decode(errors="ignore"), suffix[:20]
    yield stem + suffix
    digest = blake2b(path.encode(), digest_size=4).hexdigest()
    yield f"{stem}-{digest}{suffix}"
    yield from (f"{stem}-{digest}-{number}{suffix}" for number in count(2))
