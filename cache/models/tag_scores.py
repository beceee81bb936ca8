"""Vectors x models -> probabilities: all linear models in one matrix product, all SVMs over one kernel matrix of their support vectors."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# A product of as many rows as this, or a multiple of it, gives every row the same bits, whatever the other rows are.
ROWS_TOGETHER = 16
KERNEL_ROWS = 256  # computed at once: 20 MB beside 10,000 support vectors


class ModelSet:
    """Many fitted classifiers as one function. Column j of score() belongs to estimators[j]."""

    def __init__(self, estimators: Sequence):
        self._estimators = list(estimators)
        linear = {index: row for index, estimator in enumerate(self._estimators) if (row := linear_row(estimator)) is not None}
        self._linear = list(linear)
        self._weights = np.array([weights for weights, _ in linear.values()])
        self._offsets = np.array([offset for _, offset in linear.values()])
        self._radial = _radial_groups({index: row for index, estimator in enumerate(self._estimators) if (row := radial_row(estimator))})
        together = {*linear, *(index for group in self._radial for index in group.columns)}
        self._others = [index for index in range(len(self._estimators)) if index not in together]

    def score(self, vectors: np.ndarray) -> np.ndarray:
        """(n, d) -> probabilities of the tags, float64 (n, models). In float64, so that the products agree with predict_proba to 1e-6; and
        the same to the last bit whichever vectors come together, so that a resumed run ends as an unbroken one does."""
        count = len(vectors)
        vectors = _padded(np.asarray(vectors, np.float64))
        scores = np.empty((len(vectors), len(self._estimators)))
        if self._linear:
            scores[:, self._linear] = sigmoid(vectors @ self._weights.T + self._offsets)
        for group in self._radial:
            scores[:, group.columns] = group.score(vectors)
        for index in self._others:
            scores[:, index] = self._estimators[index].predict_proba(vectors)[:, 0]
        return scores[:count]


def _padded(vectors: np.ndarray) -> np.ndarray:
    missing = -len(vectors) % ROWS_TOGETHER
    return np.concatenate([vectors, np.zeros((missing, vectors.shape[1]))]) if missing else vectors


def sigmoid(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # exp(-x) is inf where the probability is 0
        return 1 / (1 + np.exp(-values))


def linear_row(estimator) -> tuple[np.ndarray, float] | None:
    """Weights and offset with sigmoid(vector @ weights + offset) = predict_proba(vector)[:, 0]; None if the model is not linear."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if isinstance(estimator, LogisticRegression):
        if getattr(estimator, "multi_class", "auto") == "multinomial":
            return None  # older models could ask for a softmax over two classes, which is another function
        return -estimator.coef_[0], -float(estimator.intercept_[0])
    if isinstance(estimator, Pipeline) and [type(step) for _, step in estimator.steps] == [StandardScaler, LogisticRegression]:
        scaler, regression = (step for _, step in estimator.steps)
        if not _standardises(scaler):
            return None
        weights, offset = linear_row(regression)
        weights = weights / scaler.scale_
        return weights, offset - float(scaler.mean_ @ weights)
    return None


@dataclass(frozen=True)
class RadialRow:
    """sigmoid(kernel((vector - mean) / scale, support) @ coefficients + offset) = predict_proba(vector)[:, 0]."""

    mean: np.ndarray
    scale: np.ndarray
    gamma: float
    support: np.ndarray  # (support vectors, d), standardised
    coefficients: np.ndarray
    offset: float

    def shared(self) -> tuple:
        """SVMs that agree in this can share a kernel matrix."""
        return self.mean.tobytes(), self.scale.tobytes(), self.gamma


def radial_row(estimator) -> RadialRow | None:
    """None if the model is not a calibrated SVM as stage 2 makes it."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if not isinstance(estimator, Pipeline) or [type(step) for _, step in estimator.steps] != [StandardScaler, CalibratedClassifierCV]:
        return None
    scaler, calibrated = (step for _, step in estimator.steps)
    [pair, *more] = calibrated.calibrated_classifiers_
    machine = pair.estimator
    if more or not _standardises(scaler) or pair.method != "sigmoid" or type(machine) is not SVC or machine.kernel != "rbf":
        return None
    gamma = machine._gamma if isinstance(machine.gamma, str) else machine.gamma  # "scale" is a number only after the fit
    [sigmoid_fit] = pair.calibrators
    return RadialRow(
        scaler.mean_, scaler.scale_, float(gamma), np.asarray(machine.support_vectors_, np.float64), sigmoid_fit.a_ * machine.dual_coef_[0],
        float(sigmoid_fit.a_ * machine.intercept_[0] + sigmoid_fit.b_))


def _standardises(scaler) -> bool:
    return scaler.with_mean and scaler.with_std


class RadialKernel:
    """exp(-gamma |l - r|²) between any rows l and these rows r, computed in their precision.

    The exponent 2 gamma l.r - gamma |l|² - gamma |r|² is one matrix product of rows with two further features."""

    def __init__(self, rows: np.ndarray, gamma: float):
        self._scale = rows.dtype.type((2 * gamma) ** 0.5)
        rows, squares = self._scaled(rows)
        self._others = np.column_stack([rows, np.ones_like(squares), squares]).T

    def matrix(self, rows: np.ndarray) -> np.ndarray:
        """float64 (rows, these rows)."""
        kernel = np.empty((len(rows), self._others.shape[1]))
        for start in range(0, len(rows), KERNEL_ROWS):
            self._part(rows[start:start + KERNEL_ROWS], kernel[start:start + KERNEL_ROWS])
        return kernel

    def times(self, rows: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """matrix(rows) @ coefficients, without ever having the whole matrix."""
        parts = (rows[start:start + KERNEL_ROWS] for start in range(0, len(rows), KERNEL_ROWS))
        products = [self._part(part, np.empty((len(part), self._others.shape[1]))) @ coefficients for part in parts]
        return np.concatenate([np.empty((0, coefficients.shape[1])), *products])

    def _part(self, rows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        rows, squares = self._scaled(rows)
        exponents = np.column_stack([rows, squares, np.ones_like(squares)]) @ self._others
        return np.exp(exponents, out=kernel, dtype=exponents.dtype)

    def _scaled(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self._scale * rows
        return rows, np.einsum("ij,ij->i", rows, rows) / rows.dtype.type(-2)


class _RadialGroup:
    """SVMs that were trained on the same pictures share most of their support vectors: each is compared with once."""

    def __init__(self, rows: dict[int, RadialRow]):
        self.columns = list(rows)
        members = list(rows.values())
        self._mean, self._scale = members[0].mean, members[0].scale
        places: dict[bytes, int] = {}
        found = [[places.setdefault(vector.tobytes(), len(places)) for vector in row.support] for row in members]
        self._kernel = RadialKernel(np.frombuffer(b"".join(places)).reshape(len(places), -1), members[0].gamma)
        self._coefficients = np.zeros((len(places), len(members)))
        for column, row in enumerate(members):
            np.add.at(self._coefficients[:, column], found[column], row.coefficients)
        self._offsets = np.array([row.offset for row in members])

    def score(self, vectors: np.ndarray) -> np.ndarray:
        return sigmoid(self._kernel.times((vectors - self._mean) / self._scale, self._coefficients) + self._offsets)


def _radial_groups(rows: dict[int, RadialRow]) -> list[_RadialGroup]:
    groups: dict[tuple, dict[int, RadialRow]] = {}
    for index, row in rows.items():
        groups.setdefault(row.shared(), {})[index] = row
    return [_RadialGroup(group) for group in groups.values()]
