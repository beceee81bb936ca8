"""The kernel of the SVMs while they are fitted, in the precision of the features."""
import numpy as np

KERNEL_ROWS = 256  # computed at once: 20 MB beside 10,000 support vectors


class RadialKernel:
    """exp(-gamma |l - r|²) between any rows l and these rows r, computed in their precision.

    The exponent 2 gamma l.r - gamma |l|² - gamma |r|² is one matrix product of rows with two further
    features."""

    def __init__(self, rows: np.ndarray, gamma: float):
        self._scale = rows.dtype.type((2 * gamma) ** 0.5)
        rows, squares = self._scaled(rows)
        self._columns = np.column_stack([rows, np.ones_like(squares), squares]).T

    def matrix(self, rows: np.ndarray) -> np.ndarray:
        """float64 (rows, these rows)."""
        kernel = np.empty((len(rows), self._columns.shape[1]))
        for start in range(0, len(rows), KERNEL_ROWS):
            self._part(rows[start:start + KERNEL_ROWS], kernel[start:start + KERNEL_ROWS])
        return kernel

    def times(self, rows: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """matrix(rows) @ coefficients, without ever having the whole matrix."""
        products = [np.empty((0, coefficients.shape[1]))]
        for start in range(0, len(rows), KERNEL_ROWS):
            part = rows[start:start + KERNEL_ROWS]
            kernel = self._part(part, np.empty((len(part), self._columns.shape[1])))
            products.append(kernel @ coefficients)
        return np.concatenate(products)

    def _part(self, rows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        rows, squares = self._scaled(rows)
        exponents = np.column_stack([rows, squares, np.ones_like(squares)]) @ self._columns
        return np.exp(exponents, out=kernel, dtype=exponents.dtype)

    def _scaled(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self._scale * rows
        return rows, np.einsum("ij,ij->i", rows, rows) / rows.dtype.type(-2)
