"""Vectors x models -> probabilities: all linear models in one product, all SVMs over one kernel matrix of
their support vectors. A score hangs on its vector and its model alone, to the last bit."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cache.vectors.exact_product import ExactProduct

if TYPE_CHECKING:
    from sklearn.preprocessing import StandardScaler

# Of 16 to 256 the quickest with 30 linear models: 5.9 M scores/s, against 1.8 with 256, whose slices no cache
# holds. SVMs are as quick with any.
ROWS_AT_ONCE = 64


class ModelSet:
    """Many fitted classifiers as one function. Column j of score() belongs to estimators[j]."""

    def __init__(self, estimators: Sequence):
        linear: dict[int, tuple[np.ndarray, float]] = {}
        radial: dict[int, RadialRow] = {}
        self._others = {}
        for column, estimator in enumerate(estimators):
            if linear_form := linear_row(estimator):
                linear[column] = linear_form
            elif radial_form := radial_row(estimator):
                radial[column] = radial_form
            else:
                self._others[column] = estimator
        self._count = len(estimators)
        self._groups: list[_LinearGroup | _RadialGroup] = [_RadialGroup(group) for group in _sharing(radial)]
        if linear:
            self._groups.append(_LinearGroup(linear))

    def score(self, vectors: np.ndarray) -> np.ndarray:
        """(n, d) -> probabilities of the tags, float64 (n, models), as predict_proba gives them, to 1e-6.

        The same vector gets the same bits in any company, and whatever library multiplies matrices, on
        however many threads: a resumed run ends as an unbroken one does. (np.exp may differ between kinds
        of processors.) Models that are neither linear nor radial are asked about one vector at a time:
        their scores, too, are free of the company, but not of the library."""
        scores = np.empty((len(vectors), self._count))
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            self._score(np.ascontiguousarray(vectors[rows], np.float64), scores[rows])
        return scores

    def _score(self, vectors: np.ndarray, scores: np.ndarray) -> None:
        for group in self._groups:
            scores[:, group.columns] = group.score(vectors)
        for column, estimator in self._others.items():
            for row, vector in enumerate(vectors):
                alone = vector[None].copy()  # where it lies in memory may decide on the order of a sum
                scores[row, column] = estimator.predict_proba(alone)[0, 0]


def sigmoid(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # exp(-x) is inf where the probability is 0
        return 1 / (1 + np.exp(-values))


def linear_row(estimator: object) -> tuple[np.ndarray, float] | None:
    """Weights and offset with sigmoid(vector @ weights + offset) = predict_proba(vector)[:, 0]; None if
    the model is not linear."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if isinstance(estimator, LogisticRegression):
        if getattr(estimator, "multi_class", "auto") == "multinomial":
            return None  # older models could ask for a softmax over two classes, which is another function
        return -estimator.coef_[0], -float(estimator.intercept_[0])
    if not isinstance(estimator, Pipeline):
        return None
    if [type(step) for _, step in estimator.steps] != [StandardScaler, LogisticRegression]:
        return None
    scaler, regression = (step for _, step in estimator.steps)
    unscaled = linear_row(regression)
    if unscaled is None or not _standardises(scaler):
        return None
    weights, offset = unscaled
    weights = weights / scaler.scale_
    return weights, offset - float((scaler.mean_ * weights).sum())  # NumPy's own sum: no library orders it


@dataclass(frozen=True)
class RadialRow:
    """predict_proba(vector)[:, 0] = sigmoid(kernel(row, support) @ coefficients + offset), where
    row = (vector - mean) / scale."""

    mean: np.ndarray
    scale: np.ndarray
    gamma: float
    support: np.ndarray  # (support vectors, d), standardised
    coefficients: np.ndarray
    offset: float

    def shared(self) -> tuple:
        """SVMs that agree in this can share a kernel matrix."""
        return self.mean.tobytes(), self.scale.tobytes(), self.gamma


def radial_row(estimator: object) -> RadialRow | None:
    """None if the model is not a calibrated SVM as stage 2 makes it."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if not isinstance(estimator, Pipeline):
        return None
    if [type(step) for _, step in estimator.steps] != [StandardScaler, CalibratedClassifierCV]:
        return None
    scaler, calibrated = (step for _, step in estimator.steps)
    [pair, *more] = calibrated.calibrated_classifiers_
    machine = pair.estimator
    if more or pair.method != "sigmoid" or not _standardises(scaler):
        return None
    if type(machine) is not SVC or machine.kernel != "rbf":
        return None
    # gamma="scale" is a number only after the fit.
    gamma = machine._gamma if isinstance(machine.gamma, str) else machine.gamma
    [sigmoid_fit] = pair.calibrators
    return RadialRow(
        mean=scaler.mean_,
        scale=scaler.scale_,
        gamma=float(gamma),
        support=np.asarray(machine.support_vectors_, np.float64),
        coefficients=sigmoid_fit.a_ * machine.dual_coef_[0],
        offset=float(sigmoid_fit.a_ * machine.intercept_[0] + sigmoid_fit.b_),
    )


def _standardises(scaler: "StandardScaler") -> bool:
    return scaler.with_mean and scaler.with_std


class ExactRadialKernel:
    """exp(-gamma |l - r|²) between any rows l and these rows r, each entry of its two rows alone.

    The exponent is l.r - |l|²/2 - |r|²/2 of the rows times the root of 2 gamma. It is right to 1e-9 of the
    largest products in it, which an SVM's coefficients, some thousand of at most 10, leave far below 1e-6."""

    def __init__(self, rows: np.ndarray, gamma: float):
        """rows: float64 (n, d)"""
        self._scale = (2 * gamma) ** 0.5
        rows = self._scale * rows
        self._half_squares = _half_squares(rows)
        self._products = ExactProduct(rows.T, left_slices=2, right_slices=1)

    def matrix(self, rows: np.ndarray) -> np.ndarray:
        """float64 (rows, these rows)"""
        rows = self._scale * rows
        exponents = self._products(rows)
        exponents -= _half_squares(rows)[:, None]
        exponents -= self._half_squares
        return np.exp(exponents, out=exponents)


def _half_squares(rows: np.ndarray) -> np.ndarray:
    """Half of every row's sum of squares. NumPy adds up the last axis of a matrix that lies row by row for
    each row on its own, in an order of its own."""
    return np.multiply(rows, rows, order="C").sum(axis=1) / 2


class _LinearGroup:
    def __init__(self, forms: Mapping[int, tuple[np.ndarray, float]]):
        self.columns = list(forms)
        weights, offsets = zip(*forms.values(), strict=True)
        self._product = ExactProduct(np.column_stack(weights))
        self._offsets = np.array(offsets)

    def score(self, vectors: np.ndarray) -> np.ndarray:
        return sigmoid(self._product(vectors) + self._offsets)


class _RadialGroup:
    """SVMs that were trained on the same pictures share most of their support vectors: each is compared
    with once."""

    def __init__(self, forms: Mapping[int, RadialRow]):
        self.columns = list(forms)
        first = next(iter(forms.values()))
        self._mean, self._scale = first.mean, first.scale
        places: dict[bytes, int] = {}
        places_of = [[places.setdefault(vector.tobytes(), len(places)) for vector in form.support]
                     for form in forms.values()]
        support = np.frombuffer(b"".join(places)).reshape(len(places), -1)
        self._kernel = ExactRadialKernel(support, first.gamma)
        coefficients = np.zeros((len(places), len(forms)))
        for column, form in enumerate(forms.values()):
            np.add.at(coefficients[:, column], places_of[column], form.coefficients)
        self._product = ExactProduct(coefficients)
        self._offsets = np.array([form.offset for form in forms.values()])

    def score(self, vectors: np.ndarray) -> np.ndarray:
        kernel = self._kernel.matrix((vectors - self._mean) / self._scale)
        return sigmoid(self._product(kernel) + self._offsets)


def _sharing(forms: Mapping[int, RadialRow]) -> list[dict[int, RadialRow]]:
    groups: dict[tuple, dict[int, RadialRow]] = {}
    for column, form in forms.items():
        groups.setdefault(form.shared(), {})[column] = form
    return list(groups.values())
