"""What the report says of the dataset as a whole: how many images each tag has, and which tags go
together."""
from collections.abc import Mapping
from dataclasses import dataclass

from stage2.learning.tagged_rows import OTHER_TRAINING, OTHER_VALIDATION

MOST_IN_MATRIX = 30  # tags
MOST_PAIRS = 20


@dataclass(frozen=True)
class Pair:
    first: str
    second: str
    images: int
    share: float  # of the images that have either


@dataclass(frozen=True)
class Dataset:
    sizes: list[tuple[str, int]]  # of the tags, the largest first
    others: dict[str, int]  # of the folders whose images carry no tag
    imbalance: float | None  # largest to smallest, of the tags with any image
    together: list[str]  # tags that share images, by name; empty where a matrix of them is too large
    pairs: dict[tuple[str, str], Pair]  # the strongest first; for a matrix all of them, both ways round


def dataset_section(images_of: Mapping[str, int], shared: Mapping[tuple[str, str], int]) -> Dataset:
    """images_of: all tags of the dataset and the folders of no tag; shared: how many images two tags have in
    common."""
    others = {name: count for name, count in images_of.items() if name in (OTHER_TRAINING, OTHER_VALIDATION)}
    tags = {tag: count for tag, count in images_of.items() if tag not in others}
    sizes = sorted(tags.items(), key=lambda tag_and_count: (-tag_and_count[1], tag_and_count[0]))
    counts = [count for _, count in sizes if count]
    pairs = sorted(
        (_pair(images_of, first, second, count) for (first, second), count in shared.items()),
        key=lambda pair: (-pair.share, -pair.images, pair.first, pair.second))
    together = sorted({tag for pair in shared for tag in pair})
    if len(sizes) > MOST_IN_MATRIX:
        together, pairs = [], pairs[:MOST_PAIRS]
    by_tags = {(pair.first, pair.second): pair for pair in pairs}
    if together:
        by_tags.update({(pair.second, pair.first): pair for pair in pairs})
    return Dataset(sizes, others, counts[0] / counts[-1] if counts else None, together, by_tags)


def _pair(images_of: Mapping[str, int], first: str, second: str, images: int) -> Pair:
    either = images_of.get(first, 0) + images_of.get(second, 0) - images
    return Pair(first, second, images, images / max(1, either))
