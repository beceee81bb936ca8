"""What is left of a fitted classifier to score with: a linear or a radial function of the raw vector, in
float64."""
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from sklearn.preprocessing import StandardScaler

DIGEST_BYTES = 16


class LinearRow(NamedTuple):
    """predict_proba(vector)[:, 0] = sigmoid(vector @ weights + offset)."""

    weights: np.ndarray  # (d,)
    offset: float

    @property
    def width(self) -> int:
        return len(self.weights)


@dataclass(frozen=True)
class RadialRow:
    """predict_proba(vector)[:, 0] = sigmoid(kernel(row, support[places]) @ coefficients + offset), where
    row = (vector - mean) / scale."""

    mean: np.ndarray
    scale: np.ndarray
    gamma: float
    support: np.ndarray  # (support vectors, d), standardised; other models may have it in common
    places: np.ndarray  # of this model's support vectors among them
    coefficients: np.ndarray  # one a place
    offset: float

    @property
    def width(self) -> int:
        return self.support.shape[1]

    def shared(self) -> tuple:
        """SVMs that agree in this can share a kernel matrix."""
        return self.mean.tobytes(), self.scale.tobytes(), self.gamma


Form = LinearRow | RadialRow


def form_of(estimator: object) -> Form | None:
    """None if the model is neither linear nor radial. A form is its own."""
    if isinstance(estimator, (LinearRow, RadialRow)):
        return estimator
    return linear_row(estimator) or radial_row(estimator)


def linear_row(estimator: object) -> LinearRow | None:
    """None if the model is not linear."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if isinstance(estimator, LogisticRegression):
        if getattr(estimator, "multi_class", "auto") == "multinomial":
            return None  # older models could ask for a softmax over two classes, which is another function
        return LinearRow(-np.asarray(estimator.coef_[0], np.float64), -float(estimator.intercept_[0]))
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
    return LinearRow(weights, offset - float((scaler.mean_ * weights).sum()))  # NumPy's own order of a sum


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
    support = np.asarray(machine.support_vectors_, np.float64)
    return RadialRow(
        mean=np.asarray(scaler.mean_, np.float64),
        scale=np.asarray(scaler.scale_, np.float64),
        gamma=float(gamma),
        support=support,
        places=np.arange(len(support)),
        coefficients=np.asarray(sigmoid_fit.a_ * machine.dual_coef_[0], np.float64),
        offset=float(sigmoid_fit.a_ * machine.intercept_[0] + sigmoid_fit.b_),
    )


def _standardises(scaler: "StandardScaler") -> bool:
    return scaler.with_mean and scaler.with_std


class SharedRows:
    """The support vectors of many models, each once, however many models have it: rows are the same if their
    bits are. They are kept as float32 where that loses nothing: what stage 2 learns from is float32."""

    def __init__(self, width: int):
        self._places: dict[bytes, int] = {}  # by the digest of a row
        self._blocks = [np.empty((0, width), np.float32)]

    def places_of(self, forms: Sequence[RadialRow]) -> list[np.ndarray]:
        """Where the support vectors of each form stand in rows(). What forms hold in one matrix is looked at
        once: a thousand models of 8,000 pictures name 300,000 rows."""
        by_matrix: dict[int, list[RadialRow]] = {}
        for form in forms:
            by_matrix.setdefault(id(form.support), []).append(form)
        place_of = {matrix: self._place_of_row(sharing) for matrix, sharing in by_matrix.items()}
        return [place_of[id(form.support)][form.places] for form in forms]

    def _place_of_row(self, sharing: Sequence[RadialRow]) -> np.ndarray:
        """For every row of their one matrix; -1 for those that none of these has."""
        support = sharing[0].support
        used = np.unique(np.concatenate([form.places for form in sharing]))
        vectors = np.ascontiguousarray(support[used], np.float64)
        before = len(self._places)
        places = [self._places.setdefault(_digest(vector), len(self._places)) for vector in vectors]
        _, first = np.unique(places, return_index=True)
        is_new = np.array(places, np.int64)[first] >= before
        self._blocks.append(as_narrow_as_exact(vectors[first[is_new]]))
        place_of_row = np.full(len(support), -1)
        place_of_row[used] = places
        return place_of_row

    def rows(self) -> np.ndarray:
        """float32 (n, width) if that holds them all, else float64"""
        return np.concatenate(self._blocks)


def as_narrow_as_exact(values: np.ndarray) -> np.ndarray:
    """float32 if that is the same numbers, else float64."""
    if values.dtype == np.float32:
        return values
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return narrow if np.array_equal(narrow, values) else values


def _digest(vector: np.ndarray) -> bytes:
    return blake2b(vector.data, digest_size=DIGEST_BYTES).digest()
