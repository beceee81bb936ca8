"""What clusters are made of, and how pairs become them.

- chain: two pictures are together if a chain of alike pairs joins them.
- leader: every picture of a cluster is like its leader, the one that is like most others.
- complete: every two pictures of a cluster are alike.
"""
import heapq
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
    stamp: str = ""  # as SourceFile's, which tells whether it is still that file; empty where nobody knows


@dataclass(frozen=True)
class Member:
    """A picture, with all the files that are copies of it."""

    hash_id: str
    width: int
    height: int
    sharpness: float  # mean square of its Laplacian at the size that the method looks at; 0 is flat
    places: tuple[Place, ...]  # by path


def file_count(members: Sequence[Member], numbers: Iterable[int]) -> int:
    """Of these pictures, copies included."""
    return sum(len(members[number].places) for number in numbers)


@dataclass(frozen=True)
class Cluster:
    """numbers: of its pictures, ascending; weakest: the least similarity that holds it together, 1 if it is
    one picture with its copies; diameter: 1 - the least similarity of any two of its pictures."""

    numbers: tuple[int, ...]
    weakest: float
    diameter: float


class Forest:
    """Numbers that are joined into trees (Tarjan 1975)."""

    def __init__(self, count: int):
        self._above = list(range(count))

    def root(self, number: int) -> int:
        above = self._above
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number

    def join(self, first: int, second: int) -> bool:
        """Whether they were apart."""
        roots = self.root(first), self.root(second)
        self._above[max(roots)] = min(roots)
        return roots[0] != roots[1]


def grouped(count: int, pairs: Sequence[Pair], linkage: str) -> list[list[int]]:
    """All numbers below count, those that belong together in a list of their own: each ascending, in the
    order of their first."""
    group_of = {CHAIN: _chained, LEADER: _led, COMPLETE: _complete}[linkage](count, pairs)
    groups: dict[int, list[int]] = {}
    for number, group in enumerate(group_of):
        groups.setdefault(group, []).append(number)
    return list(groups.values())


def weakest_link(numbers: Iterable[int], pairs: Iterable[Pair]) -> float:
    """The least similarity without which the group would fall apart: that of the best tree of pairs that
    joins it (Kruskal 1956). pairs: at least all between these numbers."""
    place_of = {number: place for place, number in enumerate(numbers)}
    forest, weakest = Forest(len(place_of)), 1.0
    inner = (pair for pair in pairs if pair.first in place_of and pair.second in place_of)
    for first, second, similarity in sorted(inner, key=_best_first):
        if forest.join(place_of[first], place_of[second]):
            weakest = similarity
    return weakest


def _best_first(pair: Pair) -> tuple[float, int, int]:
    return -pair.similarity, pair.first, pair.second


def _chained(count: int, pairs: Sequence[Pair]) -> list[int]:
    forest = Forest(count)
    for pair in pairs:
        forest.join(pair.first, pair.second)
    return [forest.root(number) for number in range(count)]


def _led(count: int, pairs: Sequence[Pair]) -> list[int]:
    """Who is like most others leads first; each picture follows the first leader that it is like."""
    alike: list[list[int]] = [[] for _ in range(count)]
    for first, second, _ in pairs:
        alike[first].append(second)
        alike[second].append(first)
    leader_of = [-1] * count
    for number in sorted(range(count), key=lambda number: (-len(alike[number]), number)):
        if leader_of[number] < 0:
            for follower in (number, *alike[number]):
                leader_of[follower] = number if leader_of[follower] < 0 else leader_of[follower]
    return leader_of


def _complete(count: int, pairs: Sequence[Pair]) -> list[int]:
    """The two groups whose least similar pictures are most alike are joined, again and again, as long as all
    of their pictures are alike."""
    least: list[dict[int, float]] = [{} for _ in range(count)]  # by group: the least similarity with others
    for first, second, similarity in pairs:
        least[first][second] = least[second][first] = similarity
    queue = [(-pair.similarity, pair.first, pair.second) for pair in pairs]
    heapq.heapify(queue)
    group_of = Forest(count)
    while queue:
        similarity, kept, gone = heapq.heappop(queue)
        if least[kept].get(gone) != -similarity:
            continue  # one of them has been joined to another meanwhile
        group_of.join(kept, gone)
        _merge(least, kept, gone, queue)
    return [group_of.root(number) for number in range(count)]


def _merge(
    least: list[dict[int, float]], kept: int, gone: int, queue: list[tuple[float, int, int]],
) -> None:
    both = least[kept].keys() & least[gone].keys()
    common = {other: min(least[kept][other], least[gone][other]) for other in both}
    for group in (kept, gone):
        for other in least[group]:
            del least[other][group]
    least[kept], least[gone] = common, {}
    for other, similarity in common.items():
        least[other][kept] = similarity
        heapq.heappush(queue, (-similarity, min(kept, other), max(kept, other)))
