"""What one tag learns from, dealt into folds."""
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Task:
    """Rows of the features, ascending, the class of each (0 is the tag), and the fold it belongs to: (n,)
    each."""

    tag: str
    rows: np.ndarray
    classes: np.ndarray
    folds: np.ndarray
    prior: np.ndarray | float = 0.0  # what the text of the tag says of each row, a logit

    @cached_property
    def has_folds(self) -> bool:
        """Whether each fold leaves images of both classes to learn from."""
        return _leave_both_classes(self.classes, self.folds)


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
