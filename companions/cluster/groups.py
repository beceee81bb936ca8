"""What clusters are made of, and how pairs become them."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from companions.cluster.methods.method import Pair

CHAIN, LEADER, COMPLETE = LINKAGES = ("chain", "leader", "complete")


class Place(NamedTuple):
    """A file with the pixels of a picture."""

    file_path: str  # the input as given plus the path inside it
    absolute_path: str
    in_archive: bool
    size_bytes: int


@dataclass(frozen=True)
class Member:
    """A picture, with all the files that are copies of it."""

    hash_id: str
    width: int
    height: int
    sharpness: float  # variance of its Laplacian at a fixed size
    places: tuple[Place, ...]  # by path


@dataclass(frozen=True)
class Cluster:
    """numbers: of its pictures, ascending; weakest: the least similarity that holds it together, 1 if it is
    one picture with its copies; diameter: 1 - the least similarity of any two of its pictures."""

    numbers: tuple[int, ...]
    weakest: float
    diameter: float


def grouped(count: int, pairs: Iterable[Pair], linkage: str) -> list[list[int]]:
    """Numbers of pictures, all that belong together, each list ascending, in the order of their first; also
    those of one picture."""
    raise NotImplementedError


def weakest_link(numbers: Sequence[int], pairs: Iterable[Pair]) -> float:
    raise NotImplementedError
