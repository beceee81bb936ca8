"""SVMs with an RBF kernel: tags share the values of the kernel, for the final machines and those of all
trials.

With `other-training` every tag has pictures of its own: one matrix serves all of them if there is room for
it, else each tag has its own.
"""
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from stage2.learning import active_set
from stage2.learning.active_set import EXACT, LOOSE, ActiveSets, C, Care, Machine, Search
from stage2.learning.calibration import Calibration
from stage2.learning.kernel_values import StreamedKernel, WholeKernel
from stage2.learning.task import Scores, Task, Trial

if TYPE_CHECKING:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

# Rows: 0.6 GB; of more, what is needed is computed. No machine of more is fitted, either.
LARGEST_KERNEL = active_set.MOST_ACTIVE
NUMBERS_AT_ONCE = 16_000_000  # rows x machines: 128 MB of scores
# Machines that are only asked: their scores differ by .005 at most from those of exact ones, average
# precision by .0002; a third of libsvm's steps saved.
ASKED = Care(1e-2, exact=True)
ASKED_OF_MANY = Care(LOOSE.tolerance, exact=True)


def fit_all(
    features: np.ndarray, tasks: Sequence[Task], fitted: Callable[..., object],
) -> Iterator[tuple[Task, "SVC", Scores]]:
    """Every task with its SVM, which holds its support vectors alone. features: float32 (n, d), standardised;
    fitted(count) is called after so many fits, 1 if it does not say."""
    from threadpoolctl import ThreadpoolController

    variance = float(features.var())
    gamma = 1 / (features.shape[1] * variance) if variance else 1.0  # scikit-learn's "scale"
    # A thread for each, see KernelValues; but not while the caller is at work.
    alone = partial(ThreadpoolController().limit, limits=1, user_api="blas")
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for rows, group in _sharing(features, tasks):
            some_features = features if len(rows) == len(features) else features[rows]
            with alone():
                fitter = _Fitter(some_features, rows, gamma, threads, fitted)
            for some in _at_once(group, len(rows)):
                with alone():
                    solved = fitter.solve(some)
                for task, (machine, scores) in zip(some, solved, strict=True):
                    yield task, fitter.written(machine, task), scores


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


def _sharing(features: np.ndarray, tasks: Sequence[Task]) -> list[tuple[np.ndarray, list[Task]]]:
    """Rows that have one kernel, and the tasks that learn from them: all rows if these are few enough, else
    those of the tasks that learn from the same."""
    groups: dict[bytes, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.rows.tobytes(), []).append(task)
    if len(features) <= LARGEST_KERNEL:
        return [(np.arange(len(features)), list(tasks))]
    return [(group[0].rows, group) for group in groups.values()]


def _at_once(tasks: Sequence[Task], count: int) -> Iterator[Sequence[Task]]:
    length = max(1, NUMBERS_AT_ONCE // (count * max(task.fits for task in tasks)))
    for start in range(0, len(tasks), length):
        yield tasks[start:start + length]


class _Fitter:
    """Of tasks that share a kernel. Here a row is its place among those of the kernel."""

    def __init__(
        self, features: np.ndarray, rows: np.ndarray, gamma: float, threads: ThreadPoolExecutor,
        fitted: Callable[[int], object],
    ):
        self._features, self._rows, self._gamma = features, rows, gamma
        self._threads, self._fitted = threads, fitted
        kernel_of = WholeKernel if len(rows) <= LARGEST_KERNEL else StreamedKernel
        self._kernel = kernel_of(features, gamma, threads)
        self._sets = ActiveSets(self._kernel, threads, fitted)

    def solve(self, tasks: Sequence[Task]) -> list[tuple[Machine, Scores]]:
        """The final machine of each, and what all of its machines say."""
        searches = [Search(self._signs(task)) for task in tasks]
        self._sets.find(searches, EXACT if isinstance(self._kernel, WholeKernel) else LOOSE)
        trials_of = [[list(of_kind) for of_kind in task.trials] for task in tasks]
        of_tasks = [
            [search.machine, *self._tried(search, task, list(chain(*trials)))]
            for search, task, trials in zip(searches, tasks, trials_of, strict=True)]
        scores = self._sets.scores(list(chain(*of_tasks)), np.arange(len(self._rows)))
        columns = np.split(scores, np.cumsum([len(machines) for machines in of_tasks])[:-1], axis=1)
        return [
            (machines[0], _scores(trials, said[self._places(task)]))
            for task, trials, machines, said in zip(tasks, trials_of, of_tasks, columns, strict=True)]

    def _tried(self, search: Search, task: Task, trials_of: Sequence[Trial]) -> list[Machine]:
        """Those of the trials: they mostly have the support vectors of the final one, and rows near its
        margin."""
        signs_of = [self._signs(task, trial.learnt) for trial in trials_of]
        if isinstance(self._kernel, WholeKernel):
            trials = [Search(signs, search.near) for signs in signs_of]
            self._sets.find(trials, ASKED)
            return [trial.machine for trial in trials]
        added = 2 * active_set.FEWEST_OF_A_CLASS  # at most, by a trial that misses them
        near = active_set.some_of(search.near, max(0, LARGEST_KERNEL - added))
        starts = [Search(signs, near).active for signs in signs_of]
        machines = []
        for some, rows in _with_room(starts):
            trials = [Search(signs[rows], np.arange(len(rows))) for signs in signs_of[some]]
            kernel = WholeKernel(self._features[rows], self._gamma, self._threads)
            ActiveSets(kernel, self._threads, self._fitted).find(trials, ASKED_OF_MANY)
            machines += [trial.machine.of(rows) for trial in trials]
        return machines

    def _places(self, task: Task) -> np.ndarray:
        return np.searchsorted(self._rows, task.rows)

    def _signs(self, task: Task, learnt: np.ndarray | bool = True) -> np.ndarray:
        signs = np.zeros(len(self._rows), np.int8)
        signs[self._places(task)] = np.where(task.is_tag, 1, -1) * learnt
        return signs

    def written(self, machine: Machine, task: Task) -> "SVC":
        """As SVC leaves itself when it is fitted on the support vectors, which would take as long as all the
        rest: it computes their kernel one value at a time. Fitted on one row of each class, it has all
        attributes, private ones too, and those that say more are set."""
        from sklearn.svm import SVC

        place_of = np.searchsorted(self._places(task), machine.support)
        order = np.argsort(task.classes[place_of], kind="stable")
        classes, coefficients = task.classes[place_of][order], machine.coefficients[order]
        vectors = self._features[machine.support[order]].astype(np.float64)
        firsts = np.unique(classes, return_index=True)[1]
        svc = SVC(C=C, gamma=self._gamma).fit(vectors[firsts], classes[firsts])
        svc.support_, svc.support_vectors_ = np.arange(len(order), dtype=np.int32), vectors
        svc._n_support = np.bincount(classes).astype(np.int32)
        svc.shape_fit_ = vectors.shape
        # libsvm's are larger for the first class, the tag; those of scikit-learn for the second.
        svc._dual_coef_, svc._intercept_ = coefficients[None], np.array([machine.offset])
        svc.dual_coef_, svc.intercept_ = -svc._dual_coef_, -svc._intercept_
        return svc


def _with_room(starts: Sequence[np.ndarray]) -> Iterator[tuple[slice, np.ndarray]]:
    """Trials that begin with rows for which one matrix has room together, nearly always all of them, and
    these rows."""
    first, rows = 0, np.empty(0, np.int64)
    for number, start in enumerate(starts):
        together = np.union1d(rows, start)
        if number > first and len(together) > LARGEST_KERNEL:
            yield slice(first, number), rows
            first, together = number, start
        rows = together
    if starts:
        yield slice(first, None), rows


def _scores(trials_of: Sequence[Sequence[Trial]], said: np.ndarray) -> Scores:
    """trials_of: by kind; said: (rows of the task, machines), the final one first."""
    by_kind, column = [], 1
    for trials in trials_of:
        scores = np.full(len(said), np.nan)
        for trial in trials:
            scores[trial.asked] = said[trial.asked, column]
            column += 1
        by_kind.append(scores)
    return Scores(said[:, 0], *by_kind)
