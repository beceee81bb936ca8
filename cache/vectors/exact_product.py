"""Matrix products in which an entry hangs on its row and its column alone, to the last bit.

A library may add up the terms of an entry in any order, and rounds otherwise in each: it depends on the
processor, on the number of threads and on the rows beside it. Here nothing is left to round. Rows and columns
are cut into slices of so few bits that every sum of products of two slices is a whole number below 2^53,
which float64 holds; what then rounds are our own additions, element by element in one order.

After Ozaki, Ogita, Oishi, Rump: Error-free transformations of matrix multiplication by using fast routines
of matrix multiplication and its applications. Numerical Algorithms 59 (2012), 95-118.
"""
import numpy as np

MANTISSA_BITS = 53
SMALLEST_EXPONENT = -970  # of a row; what scales a smaller one would be infinite


class ExactProduct:
    """left @ right for one right factor and any left ones.

    An entry is off by about 2^-k of the largest products that could be in it, where k is the sum of the
    bits of the slices of the factor that has fewer. With 512 inner terms that is 2^-44 for two slices and
    two (three products of slices), and 2^-29 for two and one (two products)."""

    def __init__(self, right: np.ndarray, left_slices: int = 2, right_slices: int = 2):
        """right: float64 (inner, columns)"""
        terms_bits = (len(right) - 1).bit_length() if len(right) else 0  # the binary logarithm, rounded up
        bits = MANTISSA_BITS - terms_bits
        self._left_bits = bits * right_slices // (left_slices + right_slices)  # both are cut equally fine
        self._right_bits = bits - self._left_bits
        self._left_slices = left_slices
        self._right, self._right_units = _sliced(right.T, right_slices, self._right_bits)

    def __call__(self, left: np.ndarray) -> np.ndarray:
        """left: float64 (rows, inner) -> float64 (rows, columns). What is not finite makes its row or
        column NaN."""
        slices, units = _sliced(left, self._left_slices, self._left_bits)
        depths = max(self._left_slices, len(self._right))
        total = np.zeros((len(left), self._right.shape[1]))
        with np.errstate(over="ignore", invalid="ignore"):  # of coefficients that no training gives
            for depth in reversed(range(depths)):  # the smallest first
                for place, left_slice in enumerate(slices[:depth + 1]):
                    if depth - place < len(self._right):
                        total += self._part(left_slice, place, depth - place)
            total *= units[:, None]
            total *= self._right_units
        return total

    def _part(self, left_slice: np.ndarray, left_place: int, right_place: int) -> np.ndarray:
        """In units of the first slices."""
        finer = left_place * (self._left_bits + 1) + right_place * (self._right_bits + 1)
        return left_slice @ self._right[right_place].T * 2.0 ** -finer


def exact_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left @ right, float64; see ExactProduct."""
    return ExactProduct(right)(left)


def _sliced(rows: np.ndarray, count: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers of at most 2^bits, float64 (count, rows, inner), and the unit of every row: a row is
    its first slice in these, its second in units 2^(bits + 1) times as fine, and so on, to half of the
    last unit."""
    with np.errstate(invalid="ignore"):
        largest = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
        exponents = np.maximum(np.frexp(largest)[1], SMALLEST_EXPONENT)
        rest = rows * np.ldexp(1.0, bits - exponents)[:, None]
        slices = np.empty((count, *rows.shape))
        for whole in slices:
            np.rint(rest, out=whole)
            rest -= whole
            rest *= 2.0 ** (bits + 1)
    return slices, np.ldexp(1.0, exponents - bits)
