"""Many models as one function: the shared matrix products give what each estimator's own predict_proba gives."""
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from cache.models import tag_scores
from cache.models.tag_scores import ModelSet, RadialKernel, linear_row, radial_row

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(60, 8)).astype(np.float32) * 5
CLASSES = (VECTORS[:, 0] + VECTORS[:, 1] < 0).astype(int)


def calibrated_svm(classes: np.ndarray = CLASSES, scaler: StandardScaler | None = None, **options):
    scaler = scaler or StandardScaler().fit(VECTORS)
    return make_pipeline(scaler, CalibratedClassifierCV(SVC(**options), ensemble=False).fit(scaler.transform(VECTORS), classes))


def test_the_matrix_products_agree_with_predict_proba():
    steep = make_pipeline(StandardScaler(), LogisticRegression(C=50)).fit(VECTORS, 1 - CLASSES)
    svms = [calibrated_svm(), calibrated_svm(1 - CLASSES, C=10), calibrated_svm(scaler=StandardScaler().fit(VECTORS[:30]))]
    estimators = [svms[0], LogisticRegression().fit(VECTORS, CLASSES), svms[1], steep, svms[2], calibrated_svm(kernel="poly")]
    scores = ModelSet(estimators).score(VECTORS)
    assert scores.shape == (60, 6)
    for column, estimator in enumerate(estimators):
        assert np.abs(scores[:, column] - estimator.predict_proba(VECTORS)[:, 0]).max() < 1e-6
    assert ModelSet(estimators[1:2]).score(VECTORS[:1]).shape == (1, 1)


def test_svms_on_the_same_vectors_share_one_kernel_matrix(monkeypatch):
    made = []

    class Watched(RadialKernel):
        def __init__(self, rows: np.ndarray, gamma: float):
            made.append(len(rows))
            super().__init__(rows, gamma)

    monkeypatch.setattr(tag_scores, "RadialKernel", Watched)
    machines = [calibrated_svm(np.roll(CLASSES, number)) for number in range(5)]
    ModelSet(machines).score(VECTORS)
    [support] = made
    assert support <= 60 < sum(len(radial_row(machine).support) for machine in machines)


def test_a_scaler_that_leaves_something_out_is_not_taken_for_one_that_does_not():
    for options in ({"with_mean": False}, {"with_std": False}):
        scaler = StandardScaler(**options).fit(VECTORS)
        linear = make_pipeline(scaler, LogisticRegression()).fit(VECTORS, CLASSES)
        for estimator in (linear, calibrated_svm(scaler=scaler)):
            assert linear_row(estimator) is None
            assert radial_row(estimator) is None
            assert np.array_equal(ModelSet([estimator]).score(VECTORS)[:, 0], estimator.predict_proba(VECTORS.astype(float))[:, 0])


def test_a_softmax_over_two_classes_is_not_taken_for_a_sigmoid():
    model = LogisticRegression().fit(VECTORS, CLASSES)
    model.multi_class = "multinomial"
    assert linear_row(model) is None


@pytest.mark.parametrize(("precision", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_the_kernel_is_the_exponential_of_the_squared_distance(precision, tolerance, monkeypatch):
    monkeypatch.setattr(tag_scores, "KERNEL_ROWS", 3)
    left, right = RANDOM.normal(size=(7, 5)).astype(precision), RANDOM.normal(size=(4, 5)).astype(precision)
    wanted = np.exp(-0.3 * ((left[:, None].astype(float) - right[None]) ** 2).sum(2))
    kernel = RadialKernel(right, 0.3)
    assert np.abs(kernel.matrix(left) - wanted).max() < tolerance
    coefficients = RANDOM.normal(size=(4, 2))
    assert np.abs(kernel.times(left, coefficients) - wanted @ coefficients).max() < 10 * tolerance
    assert kernel.times(left[:0], coefficients).shape == (0, 2)


def test_a_vector_gets_the_same_bits_whatever_it_is_scored_with():
    """Or a run that goes on where another was killed would end with other last digits."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(300, 40))
    classes = (vectors[:, 0] > 0.3).astype(int)
    machine = CalibratedClassifierCV(SVC(), ensemble=False).fit(StandardScaler().fit_transform(vectors), classes)
    scaled = StandardScaler().fit(vectors)
    models = ModelSet([make_pipeline(scaled, machine), LogisticRegression().fit(vectors, classes)])
    together = models.score(vectors)
    for size in (1, 3, 7, 16, 31, 100, 299):
        apart = np.concatenate([models.score(vectors[start:start + size]) for start in range(0, 300, size)])
        assert np.array_equal(apart, together)
