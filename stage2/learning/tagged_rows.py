"""Which rows of the metadata matrix carry which tag, which are its negatives, and which are held out or dealt
into folds.

A row is a hash, and near-duplicates of the same tags are dealt together: no picture is on both sides of
anything.
"""
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

from cache.stores.metadata import Metadata
from stage2.learning import grouping
from stage2.learning.split import Split
from stage2.learning.strangers import Strangers

OTHER_TRAINING, OTHER_VALIDATION = "other-training", "other-validation"
FOLDS = 5
FEWEST_KEPT = 2  # of a tag's images to train on, if it has them: of one alone no model can be judged


class TaggedRows:
    """tag_to_hashes: hash_ids of each tag, those without a vector too; grouped(count) is called after so many
    rows have been compared with the others."""

    def __init__(
        self, tag_to_hashes: dict[str, list[str]], metadata: Metadata,
        grouped: Callable[[int], object] = lambda count: None,
    ):
        hashes = {hash_id for hash_ids in tag_to_hashes.values() for hash_id in hash_ids}
        self.hash_ids = hashes & metadata.rows.keys()
        self.without_vector = len(hashes) - len(self.hash_ids)
        self._count = len(metadata.matrix)
        self._rows = {tag: _rows(hash_ids, metadata) for tag, hash_ids in sorted(tag_to_hashes.items())}
        learnt_from = {tag: rows for tag, rows in self._rows.items() if tag != OTHER_VALIDATION}
        all_rows = np.unique(np.concatenate([np.empty(0, np.int64), *learnt_from.values()]))
        self._pool = learnt_from.get(OTHER_TRAINING, all_rows)
        # Images of no tag, for the out-of-distribution histogram.
        outside = self._rows.get(OTHER_VALIDATION)
        self.outside = None if outside is None else np.setdiff1d(outside, all_rows)
        self.group_of = grouping.groups(self._rows, metadata.matrix, grouped)
        # The rarest first: the others can do without the images they share with it.
        self._rarest_first = sorted(learnt_from, key=lambda tag: (len(learnt_from[tag]), tag))

    @property
    def with_vector(self) -> int:
        return len(self.hash_ids)

    def images_of(self) -> dict[str, int]:
        """How many images each tag has, negatives included."""
        return {tag: len(rows) for tag, rows in self._rows.items()}

    def tags(self) -> list[str]:
        return [tag for tag in self._rows if tag not in (OTHER_TRAINING, OTHER_VALIDATION)]

    def of(self, tag: str) -> np.ndarray:
        return self._rows[tag]

    def negatives(self, tag: str) -> np.ndarray:
        return np.setdiff1d(self._pool, self._rows[tag], assume_unique=True)

    def unlearnt(self, tag: str) -> np.ndarray:
        """Images of other tags that are no negatives: with other-training, those that are not in it."""
        tagged = np.unique(np.concatenate([np.empty(0, np.int64), *map(self.of, self.tags())]))
        return np.setdiff1d(tagged, np.union1d(self._pool, self.of(tag)), assume_unique=True)

    @cached_property
    def kind_of(self) -> np.ndarray:
        """A number for each row of the matrix: that of its rarest tag. Images of other-training are of no
        kind that somebody knows: near-duplicates alone are of one."""
        kinds = np.full(self._count, -1)
        for number, tag in enumerate(reversed(self._rarest_first)):
            kinds[self._rows[tag]] = number
        if self.others_taught:
            kinds[self._pool] = len(self._rarest_first) + self.group_of[self._pool]
        return kinds

    def hold_out(self, share: float) -> np.ndarray:
        """One choice for all tags, so that they share what is learnt from: of every tag the same share, but
        FEWEST_KEPT stay. bool, one per row of the matrix."""
        held_out = np.zeros(self._count, bool)
        for rows, groups in self._undecided():
            wanted = min(round(share * len(rows)), len(rows) - FEWEST_KEPT) - held_out[rows].sum()
            for group in groups:
                if len(group) <= wanted:
                    held_out[group] = True
                    wanted -= len(group)
        return held_out

    def folds(self, count: int = FOLDS) -> np.ndarray:
        """A fold number for every row of the matrix, each tag spread over as many folds as it can be."""
        fold_of = np.zeros(self._count, np.int64)
        sizes = np.zeros(count, np.int64)
        for rows, groups in self._undecided():
            decided = np.setdiff1d(rows, np.concatenate([rows[:0], *groups]), assume_unique=True)
            of_tag = np.bincount(fold_of[decided], minlength=count)
            for group in groups:
                fold = np.lexsort((sizes, of_tag))[0]  # with the fewest of the tag, of those the smallest
                fold_of[group] = fold
                of_tag[fold] += len(group)
                sizes[fold] += len(group)
        return fold_of

    def strangers(self) -> Strangers:
        return Strangers({tag: self._rows[tag] for tag in self.tags()}, self._count)

    @property
    def others_taught(self) -> bool:
        """Whether there are pictures that stand for everything without a tag."""
        return OTHER_TRAINING in self._rows

    def split(self, tag: str, held_out: np.ndarray) -> Split:
        tag_train, tag_test = _parts(self.of(tag), held_out)
        other_train, other_test = _parts(self.negatives(tag), held_out)
        return Split(tag_train, tag_test, other_train, other_test)

    def _undecided(self) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """The rows of each tag, and those that no rarer tag has: group by group in random order, seeded by
        the tag's name."""
        seen = np.zeros(self._count, bool)
        for tag in self._rarest_first:
            rows = self._rows[tag]
            random = np.random.default_rng(zlib.crc32(tag.encode()))
            shuffled = random.permutation(rows[~seen[rows]])
            yield rows, self._by_group(shuffled)
            seen[rows] = True

    def _by_group(self, shuffled: np.ndarray) -> list[np.ndarray]:
        """The rows cut into their groups, in the order of the first of each."""
        if not len(shuffled):
            return []
        _, first, group = np.unique(self.group_of[shuffled], return_index=True, return_inverse=True)
        first_of_own = first[group]  # (n,), the place of the first row of each row's group
        order = np.argsort(first_of_own, kind="stable")
        cuts = np.flatnonzero(np.diff(first_of_own[order])) + 1
        return np.split(shuffled[order], cuts)


def _rows(hash_ids: list[str], metadata: Metadata) -> np.ndarray:
    """Ascending, each once, of those with a vector."""
    return np.unique(np.array([metadata.rows[name] for name in hash_ids if name in metadata.rows], np.int64))


def _parts(rows: np.ndarray, held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those to train on and those held out. Images of several tags may be held out for the sake of others:
    rather no test than no training."""
    train, test = rows[~held_out[rows]], rows[held_out[rows]]
    return (train, test) if len(train) >= FEWEST_KEPT else (rows, rows[:0])
