"""SVMs with an RBF kernel: tags that learn from the same pictures share the kernel matrix of each fold, and a
thread each fits them.

With `other-training` every tag has pictures of its own, so that there is nothing to share, and one is fitted
after the other.

An SVM is the one of its support vectors: once they are found on the shared matrix, SVC trained on them alone
is the same classifier.
"""
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from stage2.learning.calibration import Calibration, calibrate
from stage2.learning.radial_kernel import RadialKernel
from stage2.learning.task import Task

if TYPE_CHECKING:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

C = 10.0  # measured on emoji, stamps and clothes, see docs/design.md
LARGEST_KERNEL = 12_288  # rows: 1.2 GiB; of more, libsvm computes the parts it needs, again and again
TASKS_AT_ONCE = 4  # for each core: a finished SVM holds its support vectors until it is written

FittedTask = tuple[str, "CalibratedClassifierCV", Calibration]


def fit_all(
    features: np.ndarray, tasks: Sequence[Task], fitted: Callable[[], object],
) -> Iterator[FittedTask]:
    """Every tag with its SVM. features: float32 (n, d), standardised; fitted() is called after each fit."""
    variance = float(features.var())
    gamma = 1 / (features.shape[1] * variance) if variance else 1.0  # scikit-learn's "scale"
    for group in _sharing(tasks):
        yield from _Fitter(features, gamma, fitted).fit_group(group)


def _sharing(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks of the same rows in the same folds, together."""
    groups: dict[tuple[bytes, bytes, bool], list[Task]] = {}
    for task in tasks:
        key = task.rows.tobytes(), task.folds.tobytes(), task.has_folds
        groups.setdefault(key, []).append(task)
    return list(groups.values())


class _Fitter:
    def __init__(self, features: np.ndarray, gamma: float, fitted: Callable[[], object]):
        self._features, self._gamma, self._fitted = features, gamma, fitted

    def fit_group(self, tasks: list[Task]) -> Iterator[FittedTask]:
        """Threads are enough, and share the matrix: libsvm runs without Python's lock."""
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            unseen = self._unseen_scores(tasks, threads)
            solve = self._solver(tasks[0].rows)

            def finish(task: Task, unseen_scores: np.ndarray) -> FittedTask:
                return self._finished(task, solve(task.classes), unseen_scores)

            at_once = TASKS_AT_ONCE * (os.cpu_count() or 1)
            for start in range(0, len(tasks), at_once):
                some = slice(start, start + at_once)
                yield from threads.map(finish, tasks[some], unseen.T[some])

    def _unseen_scores(self, tasks: list[Task], threads: ThreadPoolExecutor) -> np.ndarray:
        """What each fold gets from the machines of the other folds: (rows, tasks), NaN for tasks without
        folds."""
        rows, folds = tasks[0].rows, tasks[0].folds
        unseen = np.full((len(rows), len(tasks)), np.nan)
        for fold in np.unique(folds) if tasks[0].has_folds else ():
            inside, outside = folds != fold, folds == fold
            machines = threads.map(self._solver(rows[inside]), (task.classes[inside] for task in tasks))
            unseen[outside] = -self._decisions(rows[outside], rows[inside], machines)
        return unseen

    def _solver(self, rows: np.ndarray) -> Callable[[np.ndarray], "SVC"]:
        """classes -> the SVC fitted to them, on the kernel matrix if that is not too large."""
        from sklearn import config_context
        from sklearn.svm import SVC

        shared = len(rows) <= LARGEST_KERNEL
        samples = self._features[rows]
        samples = RadialKernel(samples, self._gamma).matrix(samples) if shared else samples.astype(np.float64)

        def solve(classes: np.ndarray) -> SVC:
            machine = SVC(C=C, kernel="precomputed" if shared else "rbf", gamma=self._gamma)
            with config_context(assume_finite=True):  # to look through the matrix takes longer than the fit
                machine.fit(samples, classes)
            self._fitted()
            return machine

        return solve

    def _decisions(self, rows: np.ndarray, trained: np.ndarray, machines: Iterable["SVC"]) -> np.ndarray:
        """What each machine, trained on the same rows, says of other rows, larger for class 1, which is not
        the tag: (rows, machines)."""
        coefficients, offsets = [], []
        for machine in machines:
            column = np.zeros(len(trained))
            column[machine.support_] = machine.dual_coef_[0]
            coefficients.append(column)
            offsets.append(machine.intercept_[0])
        kernel = RadialKernel(self._features[trained], self._gamma)
        return kernel.times(self._features[rows], np.column_stack(coefficients)) + np.array(offsets)

    def _finished(self, task: Task, shared: "SVC", unseen_scores: np.ndarray) -> FittedTask:
        """The SVM as CalibratedClassifierCV(SVC(...), ensemble=False) leaves it, without the matrix."""
        from sklearn.calibration import CalibratedClassifierCV, _CalibratedClassifier, _SigmoidCalibration
        from sklearn.svm import SVC

        support = shared.support_
        machine = SVC(C=C, gamma=self._gamma)
        machine.fit(self._features[task.rows[support]].astype(np.float64), task.classes[support])

        def training_scores() -> np.ndarray:
            return -machine.decision_function(self._features[task.rows])

        calibration = calibrate(task, unseen_scores, training_scores)
        sigmoid = _SigmoidCalibration()
        sigmoid.a_, sigmoid.b_ = -calibration.slope, calibration.offset  # it is for class 1
        calibrated = CalibratedClassifierCV(SVC(C=C, gamma=self._gamma), ensemble=False)
        calibrated.calibrated_classifiers_ = [
            _CalibratedClassifier(machine, [sigmoid], classes=machine.classes_)]
        calibrated.classes_, calibrated.n_features_in_ = machine.classes_, machine.n_features_in_
        return task.tag, calibrated, calibration
