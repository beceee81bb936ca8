"""Which picture carries which tag, as pairs of numbers; and the same with a mistake in every picture."""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stage2.judging.results import TagResult

EXCHANGED, TOO_MANY, MISSING = range(3)  # mistakes: one tag for another, one that is wrong, one forgotten


@dataclass(frozen=True)
class Labels:
    """rows, tags: (m,) each, of every label, ascending by row."""

    rows: np.ndarray
    tags: np.ndarray
    row_count: int
    tag_count: int

    @classmethod
    def of_results(cls, results: Sequence[TagResult], row_count: int) -> "Labels":
        """Tags are numbered in this order."""
        carriers = [result.rows[result.is_tag] for result in results]
        return cls.of_carriers(carriers, row_count)

    @classmethod
    def of_carriers(cls, carriers: Sequence[np.ndarray], row_count: int) -> "Labels":
        """carriers: the rows of each tag."""
        rows = np.concatenate([np.empty(0, np.int64), *carriers])
        tags = np.repeat(np.arange(len(carriers)), [len(rows_of_tag) for rows_of_tag in carriers])
        order = np.argsort(rows, kind="stable")
        return cls(rows[order], tags[order], row_count, len(carriers))

    @cached_property
    def number(self) -> np.ndarray:
        """Of the tags of each row: (row_count,)."""
        return np.bincount(self.rows, minlength=self.row_count)

    @cached_property
    def carriers(self) -> list[np.ndarray]:
        """The rows of each tag, ascending."""
        order = np.argsort(self.tags, kind="stable")
        cuts = np.searchsorted(self.tags[order], np.arange(1, self.tag_count))
        return np.split(self.rows[order], cuts)

    def of_row(self, row: int) -> np.ndarray:
        first, last = np.searchsorted(self.rows, [row, row + 1])
        return self.tags[first:last]

    def with_mistakes(self) -> "Labels":
        """One in every row, drawn by chance: of several tags one is exchanged for another, or is too many, or
        another is added; a single one is exchanged; where there is none, one is added. Without any tag there
        is nothing to mistake."""
        if not self.tag_count:
            return self
        random = np.random.default_rng(0)
        mistakes = random.integers(0, 3, self.row_count)
        mistakes[self.number == 1] = EXCHANGED
        mistakes[self.number == 0] = MISSING
        mistakes[self.number == self.tag_count] = TOO_MANY
        lost = np.cumsum(self.number) - 1 - random.integers(0, np.maximum(self.number, 1))  # places of labels
        kept = np.ones(len(self.rows), bool)
        kept[lost[mistakes != MISSING]] = False
        gaining = np.flatnonzero(mistakes != TOO_MANY)
        rows = np.concatenate([self.rows[kept], gaining])
        tags = np.concatenate([self.tags[kept], self._lacking(gaining, random)])
        order = np.lexsort((tags, rows))
        return Labels(rows[order], tags[order], self.row_count, self.tag_count)

    def _lacking(self, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """For each of these rows one of the tags that it does not carry, all alike probable."""
        carried = self.rows * self.tag_count + self.tags  # ascending, a number for each label
        tags = random.integers(0, self.tag_count, len(rows))
        again = np.arange(len(rows))
        while len(again := again[np.isin(rows[again] * self.tag_count + tags[again], carried)]):
            tags[again] = random.integers(0, self.tag_count, len(again))
        return tags
