"""Drawn vectors with tags, as stage 1 would leave them and as the tests of the parts take them."""
import numpy as np

from cache.files.json_file import write_json_object
from cache.stores.metadata import Metadata
from stage2.learning.tagged_rows import TaggedRows


def dataset(tags: dict[str, list[int]], count: int = 40, width: int = 6) -> tuple[str, str]:
    """A metadata JSON of `count` vectors and a tag list; the first feature of the later half is larger by far."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(count, width)).astype(np.float32)
    vectors[count // 2:, 0] += 100
    record = {"model": "M", "pretrained": "p"}
    write_json_object("metadata.json", [(f"h{number}", {**record, "embeddings_vector": vectors[number]}) for number in range(count)])
    write_json_object("tags.json", [(tag, [f"h{number}" for number in numbers]) for tag, numbers in tags.items()])
    return "metadata.json", "tags.json"


def rows_of(tags: dict[str, list[str]], count: int = 10) -> TaggedRows:
    """No two pictures are alike."""
    return TaggedRows(tags, Metadata("M:p", {f"h{number}": number for number in range(count)}, np.eye(count, dtype=np.float32)))


def clouds(count: int = 300, width: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Standardised vectors, and three tags that overlap: bool (count, 3)."""
    random = np.random.default_rng(1)
    tags = random.random((count, 3)) < np.array([0.5, 0.2, 0.05])
    vectors = random.normal(size=(count, width)) + tags @ random.normal(size=(3, width))
    return ((vectors - vectors.mean(0)) / vectors.std(0)).astype(np.float32), tags


def tagged(tags: dict[str, list[int]], vectors: np.ndarray) -> TaggedRows:
    rows = {f"h{number}": number for number in range(len(vectors))}
    return TaggedRows({tag: [f"h{number}" for number in numbers] for tag, numbers in tags.items()}, Metadata("M:p", rows, vectors))
