"""What each threshold would find, counted from the pairs of one run at a low threshold."""
import math
import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from companions.cluster.groups import Forest, Member
from companions.cluster.methods.method import Pair

MOST_PICTURES = 2000  # more are stood for by a random sample
SEED = 0
STEPS = 1000  # from 0 to 1
MOST_PAIRS = 250  # that are shown: about 2 MB
BANDS = 100  # of similarity, which share the pairs shown


@dataclass(frozen=True)
class Suggestion:
    source: str  # what was looked at, as given
    method: str
    threshold: float  # the method's own
    low: float  # from which on pairs were looked for
    members: Sequence[Member]  # all, or the sample
    pairs: Sequence[Pair]
    pictures: int  # of the input

    @property
    def is_sample(self) -> bool:
        return len(self.members) < self.pictures


@dataclass(frozen=True)
class Step:
    """What a threshold finds by chains. Files are counted with copies, as in clusters.json."""

    threshold: float
    pairs: int  # of pictures
    clusters: int
    files: int  # in clusters
    largest: int  # files of the largest cluster


def sample(count: int, most: int = MOST_PICTURES) -> list[int]:
    """Numbers of pictures below count, ascending: all of them, or `most` drawn by chance, the same each
    time."""
    return list(range(count)) if count <= most else sorted(random.Random(SEED).sample(range(count), most))


def curve(suggestion: Suggestion) -> list[Step]:
    """A step for each thousandth from low to 1, ascending."""
    pairs = suggestion.pairs
    similarities = np.array([pair.similarity for pair in pairs])
    best_first, ascending = np.argsort(-similarities, kind="stable"), np.sort(similarities)
    joined = _Joined([len(member.places) for member in suggestion.members])
    steps, done = [], 0
    for step in range(STEPS, math.ceil(round(suggestion.low * STEPS, 3)) - 1, -1):
        threshold = step / STEPS
        alike = len(pairs) - int(np.searchsorted(ascending, threshold))
        for place in best_first[done:alike] if joined.apart > 1 else ():
            joined.join(pairs[place])
        done = alike
        steps.append(Step(threshold, alike, joined.clusters, joined.files, joined.largest))
    return steps[::-1]


class _Joined:
    """Clusters that grow by one pair after the other."""

    def __init__(self, files: Sequence[int]):
        """files: of each picture; a picture with copies is a cluster by itself."""
        self._forest, self._files, self._pictures = Forest(len(files)), list(files), [1] * len(files)
        self.apart = len(files)  # groups, those of one picture included
        of_copies = [count for count in files if count > 1]
        self.clusters, self.files, self.largest = len(of_copies), sum(of_copies), max(of_copies, default=0)

    def join(self, pair: Pair) -> None:
        roots = self._forest.root(pair.first), self._forest.root(pair.second)
        if not self._forest.join(pair.first, pair.second):
            return
        self.apart -= 1
        new = [root for root in roots if self._files[root] == 1]  # alone until now
        self.clusters += len(new) - 1
        self.files += len(new)
        together = self._forest.root(pair.first)
        self._files[together] = sum(self._files[root] for root in roots)
        self.largest = max(self.largest, self._files[together])


def pairs_to_show(pairs: Sequence[Pair], most: int = MOST_PAIRS) -> list[Pair]:
    """The least alike first; of too many some from every band of similarity, evenly, so that there are some
    on both sides of any threshold."""
    if len(pairs) <= most:
        return sorted(pairs, key=lambda pair: (pair.similarity, pair.first, pair.second))
    first, second, similarity = map(np.array, zip(*pairs, strict=True))
    order = np.lexsort((second, first, similarity))
    bands = np.floor(similarity[order] * BANDS)
    starts = np.flatnonzero(np.diff(bands, prepend=-1))
    sizes = np.diff(starts, append=len(pairs)).tolist()
    quota = _quota(sizes, most)
    return [
        pairs[order[start + place]]
        for start, size in zip(starts.tolist(), sizes, strict=True) for place in _evenly(size, quota)]


def _quota(sizes: Sequence[int], most: int) -> int:
    """How many of each band at most, so that there are not more than `most` in all."""
    def in_all(quota: int) -> int:
        return sum(min(size, quota) for size in sizes)

    return bisect_left(range(1, most + 1), most + 1, key=in_all) or 1


def _evenly(size: int, quota: int) -> Iterator[int]:
    """Places below size, at most `quota`."""
    taken = min(size, quota)
    return ((2 * number + 1) * size // (2 * taken) for number in range(taken))
