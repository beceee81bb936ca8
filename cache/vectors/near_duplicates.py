"""Groups of pictures that are nearly the same, so that no copy of what is learnt counts as a success.

Two pictures belong together if the cosine of their vectors, measured from the mean of all vectors, is at
least 0.99, directly or through others. Without the mean taken away all pictures would look alike: the vectors
of one encoder share most of their length.
"""
from collections.abc import Callable, Iterator

import numpy as np

ALIKE = 0.99
NUMBERS_AT_ONCE = 16_000_000  # of a block of cosines: 64 MiB
MOST_REMEMBERED = 8_000_000  # neighbours of all rows together: 64 MB


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
    group_of = np.arange(len(alike))
    if largest > 1:
        neighbours = _Neighbours(alike, grouped)
        taken = np.zeros(len(alike), bool)
        for start in np.flatnonzero(neighbours.counts).tolist():
            if not taken[start]:
                members = _connected(neighbours, start, taken, largest)
                group_of[members] = start
                grouped(len(members))
    return np.unique(group_of, return_inverse=True)[1]


def _connected(neighbours: "_Neighbours", start: int, taken: np.ndarray, largest: int) -> np.ndarray:
    """At most `largest` rows connected with `start` through rows not yet taken, the nearest first; these are
    taken then."""
    members = newest = np.array([start])
    taken[start] = True
    while len(newest) and len(members) < largest:
        nearest = neighbours.nearest(newest)
        newest = np.flatnonzero(nearest >= ALIKE)
        newest = newest[~taken[newest]]
        newest = newest[np.argsort(-nearest[newest], kind="stable")][:largest - len(members)]
        taken[newest] = True
        members = np.concatenate([members, newest])
    return members


class _Neighbours:
    """Which rows are near each. Every row is compared with all others once; a second time only rows that have
    more neighbours than there is room to remember, and these soon fill a group."""

    def __init__(self, alike: np.ndarray, grouped: Callable[[int], object]):
        self._alike = alike
        self._most = MOST_REMEMBERED // max(1, len(alike))  # of one row
        self.counts = np.zeros(len(alike), np.int64)
        columns, cosines = [np.empty(0, np.int32)], [np.empty(0, alike.dtype)]
        for rows, block in _blocks(alike):
            block[np.arange(len(block)), rows] = -1
            near = block >= ALIKE
            self.counts[rows] = near.sum(1)
            few = np.flatnonzero(self._has_few(rows))
            place, column = np.divmod(np.flatnonzero(near[few]), len(alike))
            columns.append(column.astype(np.int32))
            cosines.append(block[few[place], column])
            grouped(len(rows) - int(np.count_nonzero(self.counts[rows])))
        self._columns, self._cosines = np.concatenate(columns), np.concatenate(cosines)
        self._ends = np.cumsum(np.where(self._has_few(slice(None)), self.counts, 0))

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Of every row its highest cosine to one of these: (n,). What is below ALIKE may be 0."""
        few = self._has_few(rows)
        nearest = np.zeros(len(self._alike), self._alike.dtype)
        if not few.all():
            nearest = (self._alike[rows[~few]] @ self._alike.T).max(0)
        for row in rows[few].tolist():
            remembered = slice(self._ends[row] - self.counts[row], self._ends[row])
            near = self._columns[remembered]
            nearest[near] = np.maximum(nearest[near], self._cosines[remembered])
        return nearest

    def _has_few(self, rows: np.ndarray | slice) -> np.ndarray:
        return self.counts[rows] <= self._most


def _blocks(alike: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    at_once = max(1, NUMBERS_AT_ONCE // max(1, len(alike)))
    for start in range(0, len(alike), at_once):
        rows = np.arange(start, min(start + at_once, len(alike)))
        yield rows, alike[rows] @ alike.T
