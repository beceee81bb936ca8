"""SVMs with an RBF kernel: tags that learn from the same pictures share the kernel matrix of each fold, and a
thread each fits them.

With `other-training` every tag has pictures of its own, so that there is nothing to share, and one is fitted
after the other.

An SVM is the one of its support vectors: once they are found on the shared matrix, SVC trained on them alone
is the same classifier.
"""
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from stage2.learning.calibration import Calibration
from stage2.learning.radial_kernel import RadialKernel
from stage2.learning.task import Scores, Task, Trial

if TYPE_CHECKING:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

C = 10.0  # measured on emoji, stamps and clothes, see docs/design.md
LARGEST_KERNEL = 12_288  # rows: 1.2 GiB; of more, libsvm computes the parts it needs, again and again
TASKS_AT_ONCE = 4  # for each core: a finished SVM holds its support vectors until it is written



def fit_all(
    features: np.ndarray, tasks: Sequence[Task], fitted: Callable[..., object],
) -> Iterator[tuple[Task, "SVC", Scores]]:
    """Every task with its SVM, fitted on its support vectors alone. features: float32 (n, d), standardised;
    fitted(count) is called after so many fits, 1 if it does not say."""
    variance = float(features.var())
    gamma = 1 / (features.shape[1] * variance) if variance else 1.0  # scikit-learn's "scale"
    for group in _sharing(tasks):
        yield from _Fitter(features, gamma, fitted).fit_group(group)


def calibrated(machine: "SVC", calibration: Calibration) -> "CalibratedClassifierCV":
    """As CalibratedClassifierCV(SVC(...), ensemble=False) leaves it."""
    from sklearn.calibration import CalibratedClassifierCV, _CalibratedClassifier, _SigmoidCalibration
    from sklearn.svm import SVC

    sigmoid = _SigmoidCalibration()
    sigmoid.a_, sigmoid.b_ = -calibration.slope, calibration.offset  # it is for class 1
    classifier = CalibratedClassifierCV(SVC(C=C, gamma=machine.gamma), ensemble=False)
    classifier.calibrated_classifiers_ = [_CalibratedClassifier(machine, [sigmoid], classes=machine.classes_)]
    classifier.classes_, classifier.n_features_in_ = machine.classes_, machine.n_features_in_
    return classifier


def _sharing(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks of the same rows, together."""
    groups: dict[bytes, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.rows.tobytes(), []).append(task)
    return list(groups.values())


class _Fitter:
    def __init__(self, features: np.ndarray, gamma: float, fitted: Callable[..., object]):
        self._features, self._gamma, self._fitted = features, gamma, fitted

    def fit_group(self, tasks: list[Task]) -> Iterator[tuple[Task, "SVC", Scores]]:
        """Threads are enough, and share the matrix: libsvm runs without Python's lock."""
        features = self._features[tasks[0].rows]
        kernel = RadialKernel(features, self._gamma).matrix(features)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            at_once = TASKS_AT_ONCE * (os.cpu_count() or 1)
            for start in range(0, len(tasks), at_once):
                yield from threads.map(lambda task: self._fit(task, kernel), tasks[start:start + at_once])

    def _fit(self, task: Task, kernel: np.ndarray) -> tuple[Task, "SVC", Scores]:
        from sklearn.svm import SVC

        everything = np.ones(len(task.rows), bool)
        support, learnt = self._solve(task, kernel, Trial(everything, everything))
        by_kind = [np.full(len(task.rows), np.nan) for _ in task.trials]
        for scores, trials in zip(by_kind, task.trials, strict=True):
            for trial in trials:
                scores[trial.asked] = self._solve(task, kernel, trial)[1]
        machine = SVC(C=C, gamma=self._gamma)
        machine.fit(self._features[task.rows[support]].astype(np.float64), task.classes[support])
        return task, machine, Scores(learnt, *by_kind)

    def _solve(self, task: Task, kernel: np.ndarray, trial: Trial) -> tuple[np.ndarray, np.ndarray]:
        """The support vectors, and what the machine says of the rows it is asked about."""
        from sklearn import config_context
        from sklearn.svm import SVC

        learnt = np.flatnonzero(trial.learnt)
        machine = SVC(C=C, kernel="precomputed")
        with config_context(assume_finite=True):  # to look through the matrix takes longer than the fit
            machine.fit(kernel[np.ix_(learnt, learnt)], task.classes[learnt])
        self._fitted()
        support = learnt[machine.support_]
        decisions = kernel[np.ix_(trial.asked, support)] @ machine.dual_coef_[0] + machine.intercept_[0]
        return support, -decisions
