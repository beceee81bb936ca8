"""The SVMs of all tags on shared kernel matrices are those that scikit-learn finds one by one."""
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC

from stage2.learning import kernel_svm
from stage2.learning.calibration import calibrate
from stage2.learning.radial_kernel import RadialKernel
from stage2.learning.task import Task
from tests.stage2.datasets import clouds


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


def test_tags_that_learn_from_the_same_images_share_the_kernel_matrix(monkeypatch):
    features, tags = clouds()
    matrices = []

    class Watched(RadialKernel):
        def matrix(self, rows: np.ndarray) -> np.ndarray:
            matrices.append(len(rows))
            return super().matrix(rows)

    monkeypatch.setattr(kernel_svm, "RadialKernel", Watched)
    rows = np.arange(300)
    tasks = [Task(str(column), rows, 1 - tags[:, column].astype(int), rows % 5) for column in range(3)]
    list(kernel_svm.fit_all(features, tasks, lambda count=1: None))
    assert matrices == [300]
