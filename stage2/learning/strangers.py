"""Who could come that nobody has taught? Tags are dealt into groups, and each group is left out once, as if
nobody had ever shown a picture of its tags: what is then said of these pictures is what is said of
strangers."""
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from stage2.learning.task import Trial

# Each of up to ten tags is left out alone, so that the other kinds are there, as they will be where a promise
# is to hold. Recall where .9 is promised on emoji: SVMs .46, regressions .37; with five groups .43 and .33,
# at the same precision.
GROUPS = 10
AKIN = 0.2  # of a tag's pictures: more than these in a group, and it belongs there
LARGEST_GROUP = 1 / 3  # of all pictures: the rest must be worth learning from


class Strangers:
    """rows_of: the rows of the metadata matrix that carry each tag; count: how many rows there are."""

    def __init__(self, rows_of: Mapping[str, np.ndarray], count: int, groups: int = GROUPS):
        self._group_of = _dealt(rows_of, groups)
        self._carried = np.zeros((groups, count), np.uint16)  # how many tags of each group a row carries
        for tag, group in self._group_of.items():
            self._carried[group, rows_of[tag]] += 1
        self._tags_of_all = self._carried.sum(0)
        # Every pair of a row and a tag that it carries, ordered by row.
        rows = np.concatenate([np.empty(0, np.int64), *rows_of.values()])
        order = np.argsort(rows, kind="stable")
        self._tag_numbers = np.repeat(np.arange(len(rows_of)), [len(of) for of in rows_of.values()])[order]
        self._first = np.searchsorted(rows[order], np.arange(count + 1))

    def trials(self, tag: str, rows: np.ndarray, is_tag: np.ndarray, used: np.ndarray) -> Iterator[Trial]:
        """One for each group with a picture that carries neither the tag nor any tag of another group. It
        learns from all that carry no tag of the group, but for the tag itself.

        rows: of the matrix; is_tag, used: bool (rows,), the rest is neither learnt from nor asked about."""
        carried_in_all = self._tags_of_all[rows]
        for group, carried_by in enumerate(self._carried):
            carried = carried_by[rows]
            if self._group_of[tag] == group:
                carried -= is_tag
            learnt = used & (carried == 0)
            asked = used & ~is_tag & (carried > 0) & (carried == carried_in_all)
            if asked.any() and (learnt & is_tag).any() and (learnt & ~is_tag).any():
                yield Trial(learnt, asked)

    def kinds(self, rows: np.ndarray, trials: Iterable[Trial]) -> int:
        """How many tags there are on those of the rows that the trials ask about."""
        asked = np.zeros(len(rows), bool)
        for trial in trials:
            asked |= trial.asked
        return self._tags_on(rows[asked])

    def _tags_on(self, rows: np.ndarray) -> int:
        starts, ends = self._first[rows], self._first[rows + 1]
        counts = ends - starts
        places = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        return len(np.unique(self._tag_numbers[places]))


def _dealt(rows_of: Mapping[str, np.ndarray], groups: int) -> dict[str, int]:
    """{tag: its group}: the largest first, each into the emptiest group, or into one with which it shares
    many pictures: of tags that go together but lie apart, no picture could be a stranger."""
    group_of: dict[str, int] = {}
    pictures: list[set[int]] = [set() for _ in range(groups)]
    most = LARGEST_GROUP * len(set().union(*(rows.tolist() for rows in rows_of.values())))
    for tag in sorted(rows_of, key=lambda name: (-len(rows_of[name]), name)):
        rows = set(rows_of[tag].tolist())
        akin = [
            group for group in range(groups)
            if len(rows & pictures[group]) > AKIN * len(rows) and len(rows | pictures[group]) <= most
        ]
        group = min(akin or range(groups), key=lambda number: len(pictures[number]))
        group_of[tag] = group
        pictures[group] |= rows
    return group_of
