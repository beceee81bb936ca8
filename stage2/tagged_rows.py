"""Which rows of the metadata matrix carry which tag, which are its negatives, and which are held out or dealt into folds.

A row is a hash, so duplicates are never on both sides of anything.
"""
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cache.metadata import Metadata

OTHER_TRAINING, OTHER_VALIDATION = "other-training", "other-validation"
FEWEST_IMAGES = 2  # of a class, in the training part: below that nothing can be calibrated


@dataclass(frozen=True)
class Split:
    """Row numbers of the metadata matrix, ascending."""

    tag_train: np.ndarray
    tag_test: np.ndarray
    other_train: np.ndarray
    other_test: np.ndarray

    def counts(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in vars(self).items()}

    def training(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows to train on, ascending, and their classes: 0 is the tag, 1 is everything else."""
        rows = np.concatenate([self.tag_train, self.other_train])
        order = np.argsort(rows)
        return rows[order], np.repeat([0, 1], [len(self.tag_train), len(self.other_train)])[order]


@dataclass(frozen=True)
class Task:
    """What one tag learns from: rows of the features, ascending, the class of each (0 is the tag), and the fold it belongs to."""

    tag: str
    rows: np.ndarray
    classes: np.ndarray
    folds: np.ndarray


class TaggedRows:
    def __init__(self, tag_to_hashes: dict[str, list[str]], metadata: Metadata):
        hashes = {hash_id for listed in tag_to_hashes.values() for hash_id in listed}
        self.without_vector = len(hashes - metadata.rows.keys())
        self.with_vector = len(hashes) - self.without_vector
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
        # The rarest first: the others can do without the images they share with it.
        self._rarest_first = [tag for _, tag in sorted((len(rows), tag) for tag, rows in learnt_from.items())]

    def tags(self) -> list[str]:
        return [tag for tag in self._rows if tag not in (OTHER_TRAINING, OTHER_VALIDATION)]

    def of(self, tag: str) -> np.ndarray:
        return self._rows[tag]

    def negatives(self, tag: str) -> np.ndarray:
        return np.setdiff1d(self._pool, self._rows[tag], assume_unique=True)

    def hold_out(self, share: float) -> np.ndarray:
        """One choice for all tags, so that they share what is learnt from: of every tag the same share, but FEWEST_IMAGES stay.
        bool, one per row of the matrix."""
        held_out = np.zeros(self._count, bool)
        for rows, free in self._undecided():
            wanted = max(0, min(round(share * len(rows)), len(rows) - FEWEST_IMAGES))
            held_out[free[:max(0, wanted - held_out[rows].sum())]] = True
        return held_out

    def folds(self, count: int) -> np.ndarray:
        """A fold number for every row of the matrix, each tag spread over as many folds as it can be."""
        fold_of = np.zeros(self._count, np.int64)
        sizes = np.zeros(count, np.int64)
        for rows, free in self._undecided():
            decided = np.setdiff1d(rows, free, assume_unique=True)
            of_tag = np.bincount(fold_of[decided], minlength=count)
            for row in free:
                fold = np.lexsort((sizes, of_tag))[0]
                fold_of[row] = fold
                of_tag[fold] += 1
                sizes[fold] += 1
        return fold_of

    def split(self, tag: str, held_out: np.ndarray) -> Split:
        parts = []
        for rows in (self.of(tag), self.negatives(tag)):
            train, test = rows[~held_out[rows]], rows[held_out[rows]]
            # Images of several tags may be held out for the sake of others: rather no test than no training.
            parts += [train, test] if len(train) >= FEWEST_IMAGES else [rows, rows[:0]]
        return Split(*parts)

    def _undecided(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The rows of each tag, and in random order those that no rarer tag has; seeded by the tag's name."""
        seen = np.zeros(self._count, bool)
        for tag in self._rarest_first:
            rows = self._rows[tag]
            yield rows, np.random.default_rng(zlib.crc32(tag.encode())).permutation(rows[~seen[rows]])
            seen[rows] = True


def folds_within(rows: np.ndarray, classes: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """The fold of each row; folds of its own for a tag which the common ones would once leave without one of its classes."""
    folds = fold_of[rows]
    if all(len(np.unique(classes[folds != fold])) == 2 for fold in np.unique(folds)):
        return folds
    for number in (0, 1):
        members = np.flatnonzero(classes == number)
        folds[members] = np.arange(len(members)) % 2  # each class has FEWEST_IMAGES = 2 at least
    return folds
