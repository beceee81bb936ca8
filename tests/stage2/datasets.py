"""Drawn vectors with tags, as stage 1 would leave them and as the tests of the parts take them."""
from collections.abc import Iterable, Iterator

import numpy as np

from cache.files.json_file import write_json_object
from cache.stores.metadata import Metadata
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Fitted, Training

LOW_AND_HIGH = {"low": list(range(20)), "high": list(range(20, 40))}  # what the vectors of dataset() show


def hashes(numbers: Iterable[int]) -> list[str]:
    return [f"h{number}" for number in numbers]


def dataset(
    tags: dict[str, list[int]] = LOW_AND_HIGH, count: int = 40, width: int = 6,
) -> tuple[str, str]:
    """A metadata JSON of `count` vectors and a tag list; the first feature of the later half is larger by
    far."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(count, width)).astype(np.float32)
    vectors[count // 2:, 0] += 100
    record = {"model": "M", "pretrained": "p"}
    records = [
        (hash_id, {**record, "embeddings_vector": vector})
        for hash_id, vector in zip(hashes(range(count)), vectors, strict=True)
    ]
    write_json_object("metadata.json", records)
    write_json_object("tags.json", [(tag, hashes(numbers)) for tag, numbers in tags.items()])
    return "metadata.json", "tags.json"


def metadata_of(vectors: np.ndarray) -> Metadata:
    """Of images h0, h1 ..."""
    return Metadata("M:p", {f"h{row}": row for row in range(len(vectors))}, vectors)


def tagged(tags: dict[str, Iterable[int]], vectors: np.ndarray) -> TaggedRows:
    return TaggedRows({tag: hashes(numbers) for tag, numbers in tags.items()}, metadata_of(vectors))


def unlike(tags: dict[str, Iterable[int]], count: int = 10) -> TaggedRows:
    """No two of so many pictures are alike."""
    return tagged(tags, np.eye(count, dtype=np.float32))


def models(rows: TaggedRows, vectors: np.ndarray, held_out: float = 0) -> Iterator[Fitted]:
    """Both of every tag."""
    splits = {tag: rows.split(tag, rows.hold_out(held_out)) for tag in rows.tags()}
    return Training(metadata_of(vectors), splits, rows, {}).models(lambda count=1: None)


def clouds(count: int = 300, width: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Standardised vectors, and three tags that overlap: bool (count, 3)."""
    random = np.random.default_rng(1)
    tags = random.random((count, 3)) < np.array([0.5, 0.2, 0.05])
    vectors = random.normal(size=(count, width)) + tags @ random.normal(size=(3, width))
    return ((vectors - vectors.mean(0)) / vectors.std(0)).astype(np.float32), tags
