"""Vectors x models -> probabilities: all linear models in one product, all SVMs over one kernel matrix of
their support vectors. A score hangs on its vector and its model alone, to the last bit."""
from collections.abc import Mapping, Sequence

import numpy as np

from cache.models.score_forms import LinearRow, RadialRow, SharedRows, form_of
from cache.vectors.exact_product import ExactProduct

# Of 16 to 256 the quickest with 30 linear models: 5.9 M scores/s, against 1.8 with 256, whose slices no cache
# holds. SVMs are as quick with any.
ROWS_AT_ONCE = 64


class ModelSet:
    """Many models as one function: fitted classifiers, or their forms. Column j of score() belongs to
    estimators[j]."""

    def __init__(self, estimators: Sequence):
        linear: dict[int, LinearRow] = {}
        radial: dict[int, RadialRow] = {}
        self._others = {}
        for column, estimator in enumerate(estimators):
            match form_of(estimator):
                case LinearRow() as form:
                    linear[column] = form
                case RadialRow() as form:
                    radial[column] = form
                case None:
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
    def __init__(self, forms: Mapping[int, LinearRow]):
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
        shared = SharedRows(first.width)
        places_of = shared.places_of(list(forms.values()))
        support = shared.rows().astype(np.float64)
        self._kernel = ExactRadialKernel(support, first.gamma)
        coefficients = np.zeros((len(forms), len(support)))
        for row, places, form in zip(coefficients, places_of, forms.values(), strict=True):
            np.add.at(row, places, form.coefficients)
        self._product = ExactProduct(coefficients.T)
        self._offsets = np.array([form.offset for form in forms.values()])

    def score(self, vectors: np.ndarray) -> np.ndarray:
        kernel = self._kernel.matrix((vectors - self._mean) / self._scale)
        return sigmoid(self._product(kernel) + self._offsets)


def _sharing(forms: Mapping[int, RadialRow]) -> list[dict[int, RadialRow]]:
    groups: dict[tuple, dict[int, RadialRow]] = {}
    for column, form in forms.items():
        groups.setdefault(form.shared(), {})[column] = form
    return list(groups.values())
