"""Groups of pictures that are nearly the same, so that no copy of what is learnt counts as a success.

Two pictures belong together if the cosine of their vectors, measured from the mean of all vectors, is at
least 0.99, directly or through others. Without the mean taken away all pictures would look alike: the vectors
of one encoder share most of their length.
"""
from collections.abc import Callable, Iterator

import numpy as np

ALIKE = 0.99
NUMBERS_AT_ONCE = 16_000_000  # of a block of cosines: 64 MiB


def directions(vectors: np.ndarray, mean: np.ndarray | None = None) -> np.ndarray:
    """The vectors as seen from their mean, or from that of others, of length 1: float32 (n, d)."""
    centred = vectors - (vectors.mean(0) if mean is None else mean)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)


def groups(
    alike: np.ndarray, largest: int, grouped: Callable[[int], object] = lambda count: None,
) -> np.ndarray:
    """A group number for each row of directions(), counted from 0 in the order of their first rows; none has
    more than `largest` rows. grouped(count) is called whenever so many rows more have their group."""
    group_of = np.full(len(alike), -1)
    near_another = np.flatnonzero(_near_another(alike, grouped)) if largest > 1 else np.empty(0, np.int64)
    taken, near = np.zeros(len(near_another), bool), alike[near_another]
    for start in range(len(near_another)):
        if not taken[start]:
            members = _connected(near, start, taken, largest)
            taken[members] = True
            group_of[near_another[members]] = near_another[start]
            grouped(len(members))
    alone = group_of < 0
    group_of[alone] = np.flatnonzero(alone)
    return np.unique(group_of, return_inverse=True)[1]


def _near_another(alike: np.ndarray, grouped: Callable[[int], object]) -> np.ndarray:
    """Which rows have a neighbour at all: most have none, and need no second look. bool (n,)"""
    near_another = np.zeros(len(alike), bool)
    for rows, cosines in _blocks(alike):
        cosines[np.arange(len(cosines)), rows] = -1
        near_another[rows] = cosines.max(1, initial=-1) >= ALIKE
        grouped(len(rows) - np.count_nonzero(near_another[rows]))
    return near_another


def _blocks(alike: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    at_once = max(1, NUMBERS_AT_ONCE // max(1, len(alike)))
    for start in range(0, len(alike), at_once):
        rows = np.arange(start, min(start + at_once, len(alike)))
        yield rows, alike[rows] @ alike.T


def _connected(alike: np.ndarray, start: int, taken: np.ndarray, largest: int) -> np.ndarray:
    """At most `largest` rows connected with `start` through rows not yet taken, the nearest first."""
    members, newest = np.array([start]), np.array([start])
    while len(newest) and len(members) < largest:
        nearest = (alike[newest] @ alike.T).max(0)
        nearest[taken] = nearest[members] = -1
        newest = np.flatnonzero(nearest >= ALIKE)
        newest = newest[np.argsort(-nearest[newest], kind="stable")][:largest - len(members)]
        members = np.concatenate([members, newest])
    return members
