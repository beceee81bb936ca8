"""Which rows of the metadata matrix carry which tag, which are its negatives, and which are held out or dealt into folds.

A row is a hash, and near-duplicates of the same tags are dealt together: no picture is on both sides of anything.
"""
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cache.stores.metadata import Metadata
from cache.vectors import near_duplicates

OTHER_TRAINING, OTHER_VALIDATION = "other-training", "other-validation"
FOLDS = 5
FITS = 2 * (FOLDS + 1)  # of a tag: two types, each once for every fold and once for good
FEWEST_KEPT = 2  # of a tag's images, in the training part, if it has them: of one alone no model can be judged
LARGEST_GROUP = 0.05  # of a tag's images, but a pair always: chains of similar pictures must not swallow a whole tag


@dataclass(frozen=True)
class Split:
    """Row numbers of the metadata matrix, ascending."""

    tag_train: np.ndarray
    tag_test: np.ndarray
    other_train: np.ndarray
    other_test: np.ndarray

    def counts(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in vars(self).items()}

    @property
    def base_rate(self) -> float | None:
        """The tag's share of what is learnt from: the average precision of pure chance."""
        count = len(self.tag_train) + len(self.other_train)
        return round(len(self.tag_train) / count, 6) if count else None

    def examples(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows to train on, ascending, and whether they carry the tag."""
        rows = np.concatenate([self.tag_train, self.other_train])
        order = np.argsort(rows)
        return rows[order], np.repeat([True, False], [len(self.tag_train), len(self.other_train)])[order]

    def training(self) -> tuple[np.ndarray, np.ndarray]:
        """The same rows, and their classes: 0 is the tag, 1 is everything else."""
        rows, is_tag = self.examples()
        return rows, np.where(is_tag, 0, 1)


@dataclass(frozen=True)
class Task:
    """What one tag learns from: rows of the features, ascending, the class of each (0 is the tag), and the fold it belongs to."""

    tag: str
    rows: np.ndarray
    classes: np.ndarray
    folds: np.ndarray
    prior: np.ndarray | float = 0.0  # what the text of the tag says of each row, a logit

    @cached_property
    def has_folds(self) -> bool:
        """Whether each fold leaves images of both classes to learn from."""
        return _leave_both_classes(self.classes, self.folds)


class TaggedRows:
    def __init__(self, tag_to_hashes: dict[str, list[str]], metadata: Metadata):
        hashes = {hash_id for listed in tag_to_hashes.values() for hash_id in listed}
        self.hash_ids = hashes & metadata.rows.keys()
        self.without_vector = len(hashes) - len(self.hash_ids)
        self._count = len(metadata.matrix)
        self._rows = {
            tag: np.unique(np.array([metadata.rows[hash_id] for hash_id in listed if hash_id in metadata.rows], dtype=np.int64))
            for tag, listed in sorted(tag_to_hashes.items())
        }
        learnt_from = {tag: rows for tag, rows in self._rows.items() if tag != OTHER_VALIDATION}
        all_rows = np.unique(np.concatenate([np.empty(0, np.int64), *learnt_from.values()]))
        self._pool = learnt_from.get(OTHER_TRAINING, all_rows)
        # Images of no tag, for the out-of-distribution histogram.
        self.outside = np.setdiff1d(self._rows[OTHER_VALIDATION], all_rows) if OTHER_VALIDATION in self._rows else None
        self.group_of = _groups(self._rows, metadata.matrix)
        # The rarest first: the others can do without the images they share with it.
        self._rarest_first = [tag for _, tag in sorted((len(rows), tag) for tag, rows in learnt_from.items())]

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

    def hold_out(self, share: float) -> np.ndarray:
        """One choice for all tags, so that they share what is learnt from: of every tag the same share, but FEWEST_KEPT stay.
        bool, one per row of the matrix."""
        held_out = np.zeros(self._count, bool)
        for rows, units in self._undecided():
            wanted = min(round(share * len(rows)), len(rows) - FEWEST_KEPT) - held_out[rows].sum()
            for unit in units:
                if len(unit) <= wanted:
                    held_out[unit] = True
                    wanted -= len(unit)
        return held_out

    def folds(self, count: int = FOLDS) -> np.ndarray:
        """A fold number for every row of the matrix, each tag spread over as many folds as it can be."""
        fold_of = np.zeros(self._count, np.int64)
        sizes = np.zeros(count, np.int64)
        for rows, units in self._undecided():
            decided = np.setdiff1d(rows, np.concatenate([rows[:0], *units]), assume_unique=True)
            of_tag = np.bincount(fold_of[decided], minlength=count)
            for unit in units:
                fold = np.lexsort((sizes, of_tag))[0]
                fold_of[unit] = fold
                of_tag[fold] += len(unit)
                sizes[fold] += len(unit)
        return fold_of

    def split(self, tag: str, held_out: np.ndarray) -> Split:
        parts = []
        for rows in (self.of(tag), self.negatives(tag)):
            train, test = rows[~held_out[rows]], rows[held_out[rows]]
            # Images of several tags may be held out for the sake of others: rather no test than no training.
            parts += [train, test] if len(train) >= FEWEST_KEPT else [rows, rows[:0]]
        return Split(*parts)

    def _undecided(self) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """The rows of each tag, and those that no rarer tag has: group by group in random order, seeded by the tag's name."""
        seen = np.zeros(self._count, bool)
        for tag in self._rarest_first:
            rows = self._rows[tag]
            shuffled = np.random.default_rng(zlib.crc32(tag.encode())).permutation(rows[~seen[rows]])
            _, first, group = np.unique(self.group_of[shuffled], return_index=True, return_inverse=True)
            by_group = np.argsort(first[group], kind="stable")
            yield rows, np.split(shuffled[by_group], np.flatnonzero(np.diff(first[group][by_group])) + 1) if len(shuffled) else []
            seen[rows] = True


def _groups(rows_of: dict[str, np.ndarray], matrix: np.ndarray) -> np.ndarray:
    """A number for each row of the matrix, the same for near-duplicates that have the same tags; -1 for rows without a tag."""
    tags_of: dict[int, list[str]] = {}
    for tag, rows in rows_of.items():
        for row in rows.tolist():
            tags_of.setdefault(row, []).append(tag)
    alike: dict[tuple[str, ...], list[int]] = {}
    for row in sorted(tags_of):
        alike.setdefault(tuple(tags_of[row]), []).append(row)
    group_of = np.full(len(matrix), -1)
    mean = matrix[sorted(tags_of)].mean(0) if tags_of else None
    for tags, rows in alike.items():
        largest = max(2, int(LARGEST_GROUP * min(len(rows_of[tag]) for tag in tags)))
        found = near_duplicates.groups(near_duplicates.directions(matrix[rows], mean), largest)
        group_of[rows] = np.array(rows)[np.unique(found, return_index=True)[1]][found]
    tagged = group_of >= 0
    group_of[tagged] = np.unique(group_of[tagged], return_inverse=True)[1]
    return group_of


def folds_within(rows: np.ndarray, classes: np.ndarray, fold_of: np.ndarray, group_of: np.ndarray) -> np.ndarray:
    """The fold of each row; folds of its own for a tag which the common ones would once leave without one of its classes: two, into which
    each class is dealt group by group. If a class is a single group, these do not help either, and nothing can be measured."""
    folds = fold_of[rows]
    if _leave_both_classes(classes, folds):
        return folds
    for number in (0, 1):
        members = np.flatnonzero(classes == number)
        folds[members] = np.unique(group_of[rows[members]], return_inverse=True)[1] % 2
    return folds


def _leave_both_classes(classes: np.ndarray, folds: np.ndarray) -> bool:
    return all(len(np.unique(classes[folds != fold])) == 2 for fold in np.unique(folds))
