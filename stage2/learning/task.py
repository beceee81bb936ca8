"""What one tag learns from, and the models that are fitted beside the final one, only to be asked about
pictures that they have not learnt from."""
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np

HELD_OUT = -1  # in place of a fold's number
FEWEST_KINDS = 3  # other tags that can be tried as strangers; of fewer, one odd tag would decide


@dataclass(frozen=True)
class Trial:
    """A model that learns from some rows of a task, and is asked about others: bool (rows,) each."""

    learnt: np.ndarray
    asked: np.ndarray


class Trials(NamedTuple):
    """By whom the pictures asked about are unseen. Each is made when its turn comes: all of a thousand tags
    would take more memory than their vectors."""

    folds: Iterator[Trial]  # by chance: other pictures of their tags have been seen
    strangers: Iterator[Trial]  # no picture of any of their tags has been seen
    held_out: Iterator[Trial]  # those of --test_per, one trial or none


@dataclass(frozen=True)
class Task:
    """Rows of the features, ascending, the class of each (0 is the tag), and the fold it belongs to, or
    HELD_OUT: (n,) each."""

    tag: str
    rows: np.ndarray
    classes: np.ndarray
    folds: np.ndarray
    prior: np.ndarray | float = 0.0  # what the text of the tag says of each row, a logit
    strangers: Callable[[], Iterable[Trial]] = tuple  # those of their kind; none
    kinds: int = 0  # how many other tags these ask about
    others_taught: bool = False  # the others are not of known kinds: they stand for everything else

    @property
    def is_tag(self) -> np.ndarray:
        return self.classes == 0

    @cached_property
    def in_folds(self) -> np.ndarray:
        """bool (n,): all but the pictures held out."""
        return self.folds != HELD_OUT

    @cached_property
    def has_folds(self) -> bool:
        """Whether each fold leaves images of both classes to learn from."""
        return _leave_both_classes(self.classes[self.in_folds], self.folds[self.in_folds])

    @cached_property
    def tries_strangers(self) -> bool:
        return self.has_folds and not self.others_taught and self.kinds >= FEWEST_KINDS

    @property
    def trials(self) -> Trials:
        strangers = self.strangers() if self.tries_strangers else ()
        return Trials(self._by_folds(), iter(strangers), self._of_held_out())

    @cached_property
    def fits(self) -> int:
        """Of one type: one for every trial and one for good. Masks of many rows are slow to make, so that
        they are counted once."""
        return 1 + sum(1 for _ in chain(*self.trials))

    def _by_folds(self) -> Iterator[Trial]:
        for fold in np.unique(self.folds[self.in_folds]) if self.has_folds else ():
            yield Trial(self.in_folds & (self.folds != fold), self.folds == fold)

    def _of_held_out(self) -> Iterator[Trial]:
        if not self.in_folds.all():
            yield Trial(self.in_folds, ~self.in_folds)


@dataclass(frozen=True)
class Scores:
    """What models say of the rows of a task, larger for the tag: float64 (n,) each, NaN for rows that no
    trial of the kind has asked about."""

    learnt: np.ndarray  # of the final model, which has learnt from all of them
    folds: np.ndarray
    strangers: np.ndarray
    held_out: np.ndarray


def folds_within(
    rows: np.ndarray, classes: np.ndarray, fold_of: np.ndarray, group_of: np.ndarray,
) -> np.ndarray:
    """The fold of each row; folds of its own for a tag which the common ones would once leave without one of
    its classes: two, into which each class is dealt group by group. If a class is a single group, these do
    not help either, and nothing can be measured. fold_of, group_of: by row of the metadata matrix."""
    folds = fold_of[rows]
    if _leave_both_classes(classes, folds):
        return folds
    for number in (0, 1):
        members = np.flatnonzero(classes == number)
        groups = np.unique(group_of[rows[members]], return_inverse=True)[1]
        folds[members] = groups % 2
    return folds


def _leave_both_classes(classes: np.ndarray, folds: np.ndarray) -> bool:
    return all(len(np.unique(classes[folds != fold])) == 2 for fold in np.unique(folds))
