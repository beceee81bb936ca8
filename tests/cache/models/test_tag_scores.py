"""Many models as one function: the shared products give what each estimator's own predict_proba gives, and
a score hangs on its vector and its model alone."""
from functools import cache

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from cache.models import tag_scores
from cache.models.score_forms import linear_row, radial_row
from cache.models.tag_scores import ExactRadialKernel, ModelSet, sigmoid

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(60, 8)).astype(np.float32) * 5
CLASSES = (VECTORS[:, 0] + VECTORS[:, 1] < 0).astype(int)


def calibrated_svm(classes: np.ndarray = CLASSES, scaler: StandardScaler | None = None, **options):
    scaler = scaler or StandardScaler().fit(VECTORS)
    machine = CalibratedClassifierCV(SVC(**options), ensemble=False)
    return make_pipeline(scaler, machine.fit(scaler.transform(VECTORS), classes))


@cache
def many_models() -> tuple[np.ndarray, list]:
    """300 vectors, and models that share products: linear, linear and scaled, radial."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(300, 400)).astype(np.float32)
    classes = (vectors[:, 0] > 0.3).astype(int)
    scaler = StandardScaler().fit(vectors)
    scaled = scaler.transform(vectors)
    machine = CalibratedClassifierCV(SVC(), ensemble=False).fit(scaled, classes)
    regression, scaled_regression = (LogisticRegression().fit(data, classes) for data in (vectors, scaled))
    return vectors, [make_pipeline(scaler, machine), regression, make_pipeline(scaler, scaled_regression)]


def test_the_matrix_products_agree_with_predict_proba():
    steep = make_pipeline(StandardScaler(), LogisticRegression(C=50)).fit(VECTORS, 1 - CLASSES)
    estimators = [
        calibrated_svm(),
        LogisticRegression().fit(VECTORS, CLASSES),
        calibrated_svm(1 - CLASSES, C=10),
        steep,
        calibrated_svm(scaler=StandardScaler().fit(VECTORS[:30])),
        calibrated_svm(kernel="poly"),
    ]
    scores = ModelSet(estimators).score(VECTORS)
    assert scores.shape == (60, 6)
    for column, estimator in enumerate(estimators):
        tolerance = 1e-12 if linear_row(estimator) else 1e-7
        alone = estimator.predict_proba(VECTORS.astype(float))[:, 0]
        assert np.abs(scores[:, column] - alone).max() < tolerance
    assert ModelSet(estimators[1:2]).score(VECTORS[:1]).shape == (1, 1)
    assert ModelSet([]).score(VECTORS).shape == (60, 0)


def test_wide_vectors_and_many_large_coefficients_agree_as_well():
    """The widest encoder, C = 10, and every vector a support vector: where errors of the kernel would add
    up."""
    random = np.random.default_rng(1)
    vectors = random.normal(size=(400, 1824)) * np.exp(random.normal(size=1824))
    classes = random.integers(0, 2, 400)
    scaler = StandardScaler().fit(vectors)
    scaled = scaler.transform(vectors)
    machine = make_pipeline(scaler, CalibratedClassifierCV(SVC(C=10), ensemble=False).fit(scaled, classes))
    regression = make_pipeline(scaler, LogisticRegression(C=10).fit(scaled, classes))
    scores = ModelSet([machine, regression]).score(vectors)
    assert np.abs(scores[:, 0] - machine.predict_proba(vectors)[:, 0]).max() < 1e-7
    assert np.abs(scores[:, 1] - regression.predict_proba(vectors)[:, 0]).max() < 1e-11


def test_svms_on_the_same_vectors_share_one_kernel_matrix(monkeypatch):
    made = []

    class Watched(ExactRadialKernel):
        def __init__(self, rows: np.ndarray, gamma: float):
            made.append(len(rows))
            super().__init__(rows, gamma)

    monkeypatch.setattr(tag_scores, "ExactRadialKernel", Watched)
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
            one_by_one = [estimator.predict_proba(vector[None].astype(float))[0, 0] for vector in VECTORS]
            assert np.array_equal(ModelSet([estimator]).score(VECTORS)[:, 0], one_by_one)


def test_a_softmax_over_two_classes_is_not_taken_for_a_sigmoid():
    model = LogisticRegression().fit(VECTORS, CLASSES)
    model.multi_class = "multinomial"
    assert linear_row(model) is None
    assert linear_row(make_pipeline(StandardScaler().fit(VECTORS), model)) is None


def test_the_kernel_is_the_exponential_of_the_squared_distance():
    left, right = RANDOM.normal(size=(70, 500)), RANDOM.normal(size=(40, 500))
    wanted = np.exp(-0.002 * ((left[:, None] - right[None]) ** 2).sum(2))
    kernel = ExactRadialKernel(right, 0.002)
    assert np.abs(kernel.matrix(left) - wanted).max() < 1e-9
    assert np.abs(np.diag(kernel.matrix(right)) - 1).max() < 1e-8
    assert kernel.matrix(left[:0]).shape == (0, 40)


def test_a_vector_gets_the_same_bits_whatever_it_is_scored_with():
    """Or a run that goes on where another was killed would end with other last digits."""
    vectors, estimators = many_models()
    models = ModelSet(estimators)
    together = models.score(vectors)
    for size in (1, 3, 7, 16, 31, 100, 299):
        apart = [models.score(vectors[start:start + size]) for start in range(0, 300, size)]
        assert np.array_equal(np.concatenate(apart), together)
    random = np.random.default_rng(4)
    for _ in range(3):
        order = random.permutation(300)
        assert np.array_equal(models.score(vectors[order]), together[order])
    assert np.array_equal(models.score(np.asfortranarray(vectors)), together)


def test_models_that_share_no_product_are_asked_about_one_vector_at_a_time():
    scaled = StandardScaler(with_mean=False).fit(VECTORS)
    regression = make_pipeline(scaled, LogisticRegression()).fit(VECTORS, CLASSES)
    models = ModelSet([calibrated_svm(kernel="poly"), regression])
    together = models.score(VECTORS)
    for size in (1, 7, 59):
        apart = [models.score(VECTORS[start:start + size]) for start in range(0, 60, size)]
        assert np.array_equal(np.concatenate(apart), together)


def test_a_model_gives_the_same_bits_whatever_models_are_beside_it():
    vectors, estimators = many_models()
    together = ModelSet(estimators).score(vectors)
    for column, estimator in enumerate(estimators):
        assert np.array_equal(ModelSet([estimator]).score(vectors)[:, 0], together[:, column])


def test_a_sigmoid_has_the_same_bits_wherever_it_stands():
    """NumPy takes several numbers at once, and the last few of an array in another way: of the same
    precision?"""
    values = np.concatenate([RANDOM.normal(size=200) * 20, RANDOM.normal(size=50) * 300])
    together = sigmoid(values)
    for length in range(1, 20):
        apart = [sigmoid(values[start:start + length]) for start in range(0, 250, length)]
        assert np.array_equal(np.concatenate(apart), together)
    assert np.array_equal(sigmoid(values.reshape(50, 5)), together.reshape(50, 5))


def test_coefficients_beyond_all_measure_give_no_probability_or_a_whole_one():
    model = LogisticRegression().fit(VECTORS, CLASSES)
    model.coef_ = np.full((1, 8), 1e300)
    machine = calibrated_svm()
    [pair] = machine[1].calibrated_classifiers_
    pair.estimator.dual_coef_ = pair.estimator.dual_coef_ * 1e308
    with np.errstate(all="ignore"):
        scores = ModelSet([model, machine]).score(VECTORS)
    assert ((scores >= 0) & (scores <= 1) | np.isnan(scores)).all()
    assert set(scores[:, 0]) == {0.0, 1.0}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64])
def test_vectors_of_any_kind_of_number(kind):
    vectors = VECTORS.astype(kind)
    models = ModelSet([calibrated_svm()])
    assert np.array_equal(models.score(vectors), models.score(vectors.astype(np.float64)))
