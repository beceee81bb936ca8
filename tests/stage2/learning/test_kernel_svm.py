"""The SVMs of all tags on shared kernel matrices are those that scikit-learn finds one by one."""
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC
from threadpoolctl import threadpool_info, threadpool_limits

from stage2.learning import active_set, kernel_svm
from stage2.learning.calibration import calibrate
from stage2.learning.kernel_values import WholeKernel
from stage2.learning.task import HELD_OUT, Task, Trial
from tests.stage2.datasets import clouds


def clouds_with_trials() -> tuple[np.ndarray, list[Task]]:
    """Features, and tasks of three tags with trials of every kind."""
    features, tags = clouds()
    rows = np.arange(20, 300)
    folds = np.where(rows % 7 == 0, HELD_OUT, rows % 5)
    tasks = []
    for column in range(3):
        is_tag = tags[rows, column]
        kinds = [tags[rows, other] & ~is_tag for other in range(3) if other != column]
        strangers = [Trial(~kind, kind) for kind in kinds]
        tasks.append(Task(
            str(column), rows, 1 - is_tag.astype(int), folds, strangers=partial(list, strangers), kinds=3))
    return features, tasks


def test_the_svms_of_all_tags_are_those_that_scikit_learn_finds_one_by_one():
    features, tags = clouds()
    rows, folds, fits = np.arange(20, 300), np.arange(280) % 5, []
    tasks = [Task(str(column), rows, 1 - tags[rows, column].astype(int), folds) for column in range(3)]
    fitted = kernel_svm.fit_all(features, tasks, lambda count=1: fits.append(count))
    machines = {
        task.tag: kernel_svm.calibrated(machine, calibrate(task, scores)) for task, machine, scores in fitted}
    assert (list(machines), sum(fits)) == (["0", "1", "2"], 3 * 6)
    same_folds = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(5)]
    same_machine = SVC(C=kernel_svm.C, gamma=1 / (10 * float(features.var())))
    for task in tasks:
        alone = CalibratedClassifierCV(same_machine, ensemble=False, cv=same_folds)
        alone.fit(features[rows].astype(float), task.classes)
        ours = machines[task.tag].predict_proba(features)
        assert np.abs(ours - alone.predict_proba(features)).max() < 0.005


def test_what_is_written_says_what_was_found_and_holds_its_support_vectors_alone():
    features, tasks = clouds_with_trials()
    for task, machine, scores in kernel_svm.fit_all(features, tasks, lambda count=1: None):
        assert np.abs(-machine.decision_function(features[task.rows]) - scores.learnt).max() < 1e-4
        again = SVC(C=kernel_svm.C, gamma=machine.gamma)
        again.fit(machine.support_vectors_, np.repeat([0, 1], machine.n_support_))
        asked = features + 0.1
        assert np.abs(again.decision_function(asked) - machine.decision_function(asked)).max() < 5e-3
        assert machine.predict(features[task.rows]).tolist() == (scores.learnt < 0).astype(int).tolist()
        assert {name for name in vars(again) if name not in vars(machine)} == set()
        assert [len(machine.support_), machine.shape_fit_, machine.fit_status_] == [
            len(again.support_vectors_), again.shape_fit_, 0]


@pytest.mark.parametrize("largest_kernel", [1_000, 800])
def test_svms_are_the_same_bytes_whatever_the_threads_of_the_linear_algebra(largest_kernel, monkeypatch):
    monkeypatch.setattr(kernel_svm, "LARGEST_KERNEL", largest_kernel)
    random = np.random.default_rng(0)
    features = random.normal(size=(900, 256)).astype(np.float32)
    numbers = np.arange(900)
    tasks = [Task(name, numbers, (features[:, 0] < limit).astype(int), numbers % 2)
             for name, limit in (("a", 0), ("b", 1))]

    def as_bytes(threads: int) -> list[tuple[bytes, ...]]:
        machines = []
        with threadpool_limits(threads, "blas"):
            for _, machine, scores in kernel_svm.fit_all(features, tasks, lambda count=1: None):
                assert {library["num_threads"] for library in threadpool_info()
                        if library["user_api"] == "blas"} == {threads}, "the caller's own"
                machines.append((
                    machine.dual_coef_.tobytes(), machine.intercept_.tobytes(),
                    scores.learnt.tobytes(), scores.folds.tobytes()))
        return machines

    assert as_bytes(1) == as_bytes(2)


def test_machines_of_more_rows_than_a_matrix_has_room_for_say_nearly_the_same(monkeypatch):
    features, tasks = clouds_with_trials()
    near = [scores for _, _, scores in kernel_svm.fit_all(features, tasks, lambda count=1: None)]
    monkeypatch.setattr(kernel_svm, "LARGEST_KERNEL", 100)
    monkeypatch.setattr(active_set, "FIRST_FIELD", 40)
    fits = []
    for (_, _, scores), same in zip(kernel_svm.fit_all(features, tasks, fits.append), near, strict=True):
        for ours, theirs in zip(vars(scores).values(), vars(same).values(), strict=True):
            assert (np.isnan(ours) == np.isnan(theirs)).all()
            assert np.nanmax(np.abs(ours - theirs)) < 0.5
            assert np.nanmean(np.abs(ours - theirs)) < 0.1
    assert sum(fits) == 3 * 9


@pytest.mark.parametrize("largest_kernel", [200, 120])
def test_no_trial_of_many_rows_takes_more_than_the_largest_matrix(largest_kernel, monkeypatch):
    features, tasks = clouds_with_trials()
    random = np.random.default_rng(3)  # nearly every row is a support vector; of the last tag there are few
    tasks = [
        replace(task, classes=(random.random(280) > share).astype(int))
        for task, share in zip(tasks, (0.5, 0.2, 0.03), strict=True)]
    sizes, init = [], WholeKernel.__init__
    monkeypatch.setattr(WholeKernel, "__init__", lambda self, features, *rest: (
        sizes.append(len(features)), init(self, features, *rest))[1])
    monkeypatch.setattr(kernel_svm, "LARGEST_KERNEL", largest_kernel)
    monkeypatch.setattr(active_set, "FIRST_FIELD", 40)
    monkeypatch.setattr(active_set, "FEWEST_OF_A_CLASS", 20)
    fits = []
    for task, _, scores in kernel_svm.fit_all(features, tasks, fits.append):
        assert (np.isnan(scores.folds) == ~task.in_folds).all()
    assert len(sizes) >= 3
    assert max(sizes) <= largest_kernel
    assert sum(fits) == sum(task.fits for task in tasks) == 3 * 9


def test_trials_that_no_matrix_has_room_for_together_are_fitted_after_one_another(monkeypatch):
    monkeypatch.setattr(kernel_svm, "LARGEST_KERNEL", 5)
    starts = [np.array(rows) for rows in ([0, 1, 2], [1, 2, 3, 4], [0, 5], [0, 6], [7, 8, 9, 10, 11, 12])]
    together = [(some, rows.tolist()) for some, rows in kernel_svm._with_room(starts)]
    assert together == [
        (slice(0, 2), [0, 1, 2, 3, 4]), (slice(2, 4), [0, 5, 6]), (slice(4, None), [7, 8, 9, 10, 11, 12])]
    assert list(kernel_svm._with_room([])) == []


def test_the_masks_of_trials_are_made_once_to_be_counted_and_once_to_be_used():
    features, tasks = clouds_with_trials()
    made = []
    tasks = [
        replace(task, strangers=lambda task=task: (made.append(task.tag), task.strangers())[1])
        for task in tasks]
    assert [task.fits for task in tasks] == [9, 9, 9]
    list(kernel_svm.fit_all(features, tasks, lambda count=1: None))
    assert made == ["0", "1", "2"] * 2


def test_tags_that_learn_from_other_rows_share_the_matrix_if_there_is_room_for_it(monkeypatch):
    features, tags = clouds()
    matrices = []

    class Watched(WholeKernel):
        def __init__(self, features: np.ndarray, *rest: object):
            matrices.append(len(features))
            super().__init__(features, *rest)

    monkeypatch.setattr(kernel_svm, "WholeKernel", Watched)
    rows_of = [np.arange(300), np.arange(200), np.arange(200)]
    tasks = [
        Task(str(column), rows, 1 - tags[rows, column].astype(int), rows % 5)
        for column, rows in enumerate(rows_of)]
    shared = [scores.folds for _, _, scores in kernel_svm.fit_all(features, tasks, lambda count=1: None)]
    assert matrices == [300]
    monkeypatch.setattr(kernel_svm, "LARGEST_KERNEL", 299)
    fitted = kernel_svm.fit_all(features[:299], tasks[1:], lambda count=1: None)
    alone = [scores.folds for _, _, scores in fitted]
    assert matrices == [300, 299]
    assert np.abs(alone[0] - shared[1]).max() < 0.2
