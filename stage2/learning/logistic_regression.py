"""The logistic regressions of all tags: each for every fold and once for good, with the penalty that suits
it, and calibrated."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stage2.learning.calibration import Calibration, calibrate
from stage2.learning.newton import Regressions
from stage2.learning.task import Task
from stage2.metrics import average_precision

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True)
class Penalty:
    """C as in scikit-learn; and how far features count as in the raw vectors: they are multiplied by a power
    of their deviation there, so that 0 leaves them standardised and 1 gives back the proportions of the raw
    vectors."""

    C: float
    power: float

    def factors(self, deviations: np.ndarray) -> np.ndarray:
        """What standardised features are multiplied by: float32 (d,), of mean square 1: C is to be free of
        the encoder's units."""
        factors = deviations ** self.power
        root_mean_square = np.sqrt((factors ** 2).mean()) or 1
        return (factors / root_mean_square).astype(np.float32)


USUAL = Penalty(0.03, 0.5)
# A tag with few images may be better off with one of these; the folds decide, see docs/design.md. With more
# it makes no difference.
OF_FEW_IMAGES = (Penalty(0.3, 0.5), Penalty(1.0, 0.25), Penalty(1.0, 1.0))
FEW_IMAGES = 100


@dataclass(frozen=True)
class Fit:
    weights: np.ndarray  # (d,), for the features as they came
    offset: float
    calibration: Calibration  # of features @ weights + offset + prior
    precision: float  # average precision out of fold; 0 without folds


def fit_all(
    features: np.ndarray, deviations: np.ndarray, tasks: Sequence[Task], fitted: Callable[..., object],
) -> Iterator[tuple[str, Fit]]:
    """Every tag with its regression.

    features: float32 (n, d), standardised; deviations: (d,), those of the raw vectors; fitted(count) is
    called after so many fits, 1 if it does not say.
    """
    fits = list(_fit(features, deviations, tasks, USUAL, fitted))
    few = [
        number for number, task in enumerate(tasks)
        if task.has_folds and (task.classes == 0).sum() < FEW_IMAGES
    ]
    if few:
        tasks_of_few = [tasks[number] for number in few]
        for penalty in OF_FEW_IMAGES:
            for number, fit in zip(few, _fit(features, deviations, tasks_of_few, penalty), strict=True):
                fits[number] = max(fits[number], fit, key=lambda candidate: candidate.precision)
    yield from zip((task.tag for task in tasks), fits, strict=True)


def _fit(
    features: np.ndarray, deviations: np.ndarray, tasks: Sequence[Task], penalty: Penalty,
    fitted: Callable[..., object] = lambda count=1: None,
) -> Iterator[Fit]:
    factors = penalty.factors(deviations)
    regressions = Regressions(features * factors)
    at_once = regressions.columns_at_once
    for start in range(0, len(tasks), at_once):
        for fit in _Together(regressions, tasks[start:start + at_once], penalty.C, fitted).fit():
            yield replace(fit, weights=fit.weights * factors)


class _Together:
    """Tags that are fitted in the same products. Every array has a row for each picture and a column for each
    tag."""

    def __init__(
        self, regressions: Regressions, tasks: Sequence[Task], C: float, fitted: Callable[..., object],
    ):
        self._regressions, self._tasks, self._fitted = regressions, tasks, fitted
        self._strengths = np.full(len(tasks), C)
        shape = len(regressions.rows), len(tasks)
        self._tags = np.zeros(shape, np.float32)
        self._used = np.zeros(shape, np.float32)
        self._prior = np.zeros(shape, np.float32)
        self._folds = np.full(shape, -1)
        for column, task in enumerate(tasks):
            self._tags[task.rows[task.classes == 0], column] = 1
            self._used[task.rows, column] = 1
            self._prior[task.rows, column] = task.prior
            self._folds[task.rows, column] = task.folds if task.has_folds else -1

    def fit(self) -> Iterator[Fit]:
        final = self._regressions.solve(self._tags, self._used, self._strengths, self._prior)
        unseen = self._unseen_scores(final)
        linear = self._regressions.on_features(final)
        for column, (task, (weights, offset)) in enumerate(zip(self._tasks, linear, strict=True)):
            training_scores = partial(self._scores, column, final)
            calibration = calibrate(task, unseen[task.rows, column], training_scores)
            self._fitted()
            yield Fit(weights, offset, calibration, average_precision(task.classes == 0, calibration.unseen))

    def _unseen_scores(self, start: np.ndarray) -> np.ndarray:
        """What each fold gets from the regressions of the other folds, which are found fast from those of
        all."""
        unseen = self._prior.copy()
        for fold in range(self._folds.max(initial=-1) + 1):
            here = self._folds == fold
            used = self._used * ~here
            solution = self._regressions.solve(self._tags, used, self._strengths, self._prior, start=start)
            unseen[here] += (self._regressions.rows @ solution)[here]
            self._fitted(len(self._tasks))
        return unseen

    def _scores(self, column: int, solution: np.ndarray) -> np.ndarray:
        """Of the rows learnt from: (rows,)."""
        rows = self._tasks[column].rows
        return self._regressions.rows[rows] @ solution[:, column] + self._prior[rows, column]


def new_regression(weights: np.ndarray, offset: float) -> "LogisticRegression":
    """Fitted: sigmoid(features @ weights + offset) is the probability of class 0, the tag."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression()
    regression.classes_ = np.array([0, 1])
    regression.n_features_in_ = len(weights)
    regression.coef_ = -weights[None]
    regression.intercept_ = np.array([-offset])
    return regression
