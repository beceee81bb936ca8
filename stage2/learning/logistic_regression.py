"""The logistic regressions of all tags: each for every fold and once for good, with the penalty that suits
it, and calibrated."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from stage2.learning.newton import Regressions
from stage2.learning.task import Scores, Task, Trial
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
    scores: Scores  # of features @ weights + offset + prior
    precision: float  # average precision out of fold; 0 without folds


def fit_all(
    features: np.ndarray, deviations: np.ndarray, tasks: Sequence[Task], fitted: Callable[..., object],
) -> Iterator[tuple[Task, Fit]]:
    """Every task with its regression.

    features: float32 (n, d), standardised; deviations: (d,), those of the raw vectors; fitted(count) is
    called after so many fits, 1 if it does not say.
    """
    fits = list(_fit(features, deviations, tasks, USUAL, fitted))
    few = [
        number for number, task in enumerate(tasks)
        if task.has_folds and task.is_tag[task.in_folds].sum() < FEW_IMAGES
    ]
    if few:
        tasks_of_few = [tasks[number] for number in few]
        for penalty in OF_FEW_IMAGES:
            for number, fit in zip(few, _fit(features, deviations, tasks_of_few, penalty), strict=True):
                fits[number] = max(fits[number], fit, key=lambda candidate: candidate.precision)
    yield from zip(tasks, fits, strict=True)


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
        for column, task in enumerate(tasks):
            self._tags[task.rows[task.is_tag], column] = 1
            self._used[task.rows, column] = 1
            self._prior[task.rows, column] = task.prior

    def fit(self) -> Iterator[Fit]:
        final = self._regressions.solve(self._tags, self._used, self._strengths, self._prior)
        learnt = self._regressions.rows @ final + self._prior
        self._fitted(len(self._tasks))
        kinds = zip(*(task.trials for task in self._tasks), strict=True)
        by_kind = [self._asked(trials_of, final) for trials_of in kinds]
        linear = self._regressions.on_features(final)
        for column, (task, (weights, offset)) in enumerate(zip(self._tasks, linear, strict=True)):
            of_task = (scores[task.rows, column].astype(np.float64) for scores in (learnt, *by_kind))
            scores = Scores(*of_task)
            yield Fit(weights, offset, scores, _precision(task, scores.folds))

    def _asked(self, trials_of: Sequence[Iterator[Trial]], start: np.ndarray) -> np.ndarray:
        """What the trials of each task, of one kind, say of the rows that they are asked about; NaN
        elsewhere. Regressions on some of the rows are found fast from those on all."""
        scores = np.full_like(self._prior, np.nan)
        for trials in zip_longest(*trials_of):  # one of each task at a time: of many, they fill the memory
            columns = [column for column, trial in enumerate(trials) if trial is not None]
            used = np.zeros((len(self._prior), len(columns)), np.float32)
            asked = np.zeros(used.shape, bool)
            for place, column in enumerate(columns):
                rows, trial = self._tasks[column].rows, trials[column]
                used[rows[trial.learnt], place] = 1
                asked[rows[trial.asked], place] = True
            solution = self._regressions.solve(
                self._tags[:, columns], used, self._strengths[columns], self._prior[:, columns],
                start=start[:, columns])
            said = self._regressions.rows @ solution + self._prior[:, columns]
            scores[:, columns] = np.where(asked, said, scores[:, columns])
            self._fitted(len(columns))
        return scores


def _precision(task: Task, scores: np.ndarray) -> float:
    here = task.in_folds
    return average_precision(task.is_tag[here], scores[here]) if task.has_folds else 0.0


def new_regression(weights: np.ndarray, offset: float) -> "LogisticRegression":
    """Fitted: sigmoid(features @ weights + offset) is the probability of class 0, the tag."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression()
    regression.classes_ = np.array([0, 1])
    regression.n_features_in_ = len(weights)
    regression.coef_ = -weights[None]
    regression.intercept_ = np.array([-offset])
    return regression
