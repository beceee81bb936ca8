"""The kernel's values between the rows that SVMs learn from: kept as one matrix that all tags, folds and
trials share, or, of more rows than a matrix has room for, computed when they are needed, for all who need
them at once.

Threads compute some of the rows each; whoever calls keeps the linear algebra to one thread, so that the
bytes are the same whatever their number.
"""
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from stage2.learning.radial_kernel import RadialKernel, parts


class KernelValues(Protocol):
    count: int  # of rows

    def square(self, rows: np.ndarray, square: np.ndarray) -> None:
        """Those between these rows are written to float64 (r, r), by one thread: others fit meanwhile."""
        ...

    def times(self, rows: np.ndarray, coefficients: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Those between the asked rows and these rows, times the coefficients (r, k): float32 (asked, k)."""
        ...


class WholeKernel:
    """All values in one matrix: float32 (n, n)."""

    def __init__(self, features: np.ndarray, gamma: float, threads: ThreadPoolExecutor):
        self.count, self._threads = len(features), threads
        self._matrix = np.empty((self.count, self.count), features.dtype)
        kernel = RadialKernel(features, gamma)

        def compute(part: slice) -> None:
            self._matrix[part] = kernel.of(features[part])

        _wait(threads.map(compute, parts(self.count)))

    def square(self, rows: np.ndarray, square: np.ndarray) -> None:
        for part in parts(len(rows)):
            square[part] = self._matrix[rows[part]].take(rows, axis=1)

    def times(self, rows: np.ndarray, coefficients: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """The matrix is symmetric: whole rows of it are read faster than columns."""
        def product(part: slice) -> np.ndarray:
            return coefficients[part].T @ self._matrix[rows[part]]

        products = np.zeros((coefficients.shape[1], self.count), np.float32)
        for some in self._threads.map(product, parts(len(rows))):
            products += some
        return products[:, asked].T


class StreamedKernel:
    """Computed from the features, a few rows at a time, and forgotten."""

    def __init__(self, features: np.ndarray, gamma: float, threads: ThreadPoolExecutor):
        self.count = len(features)
        self._features, self._gamma, self._threads = features, gamma, threads

    def square(self, rows: np.ndarray, square: np.ndarray) -> None:
        features = self._features[rows]
        kernel = RadialKernel(features, self._gamma)
        for part in parts(len(rows)):
            square[part] = kernel.of(features[part])

    def times(self, rows: np.ndarray, coefficients: np.ndarray, asked: np.ndarray) -> np.ndarray:
        kernel = RadialKernel(self._features[rows], self._gamma)
        products = np.empty((len(asked), coefficients.shape[1]), np.float32)

        def compute(part: slice) -> None:
            products[part] = kernel.of(self._features[asked[part]]) @ coefficients

        _wait(self._threads.map(compute, parts(len(asked))))
        return products


def _wait(computed: Iterable[None]) -> None:
    for _ in computed:
        pass
