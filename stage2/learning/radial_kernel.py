"""The kernel of the SVMs while they are fitted, in the precision of the features."""
from collections.abc import Iterator

import numpy as np

KERNEL_ROWS = 256  # computed at once: 10 MB beside 10,000 support vectors


class RadialKernel:
    """exp(-gamma |l - r|²) between any rows l and these rows r, computed in their precision.

    The exponent 2 gamma l.r - gamma |l|² - gamma |r|² is one matrix product of rows with two further
    features."""

    def __init__(self, rows: np.ndarray, gamma: float):
        self._scale = rows.dtype.type((2 * gamma) ** 0.5)
        rows, squares = self._scaled(rows)
        self._columns = np.column_stack([rows, np.ones_like(squares), squares]).T

    def of(self, rows: np.ndarray) -> np.ndarray:
        """(rows, these rows), in the precision of the features."""
        rows, squares = self._scaled(rows)
        exponents = np.column_stack([rows, squares, np.ones_like(squares)]) @ self._columns
        return np.exp(exponents, out=exponents)

    def _scaled(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self._scale * rows
        return rows, np.einsum("ij,ij->i", rows, rows) / rows.dtype.type(-2)


def parts(count: int) -> Iterator[slice]:
    """Of so many rows those that are computed at once, one after the other."""
    for start in range(0, count, KERNEL_ROWS):
        yield slice(start, min(start + KERNEL_ROWS, count))
