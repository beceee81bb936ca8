"""Which of many vectors point nearly the same way: all products, a square of them at a time.

The vectors are of length 1 and written in whole numbers of 2^-11. Then no sum of products is above 2^24, up
to which float32 holds every whole number: whatever adds them up, in whatever order, comes to the same.
"""
from collections.abc import Iterator
from itertools import combinations_with_replacement

import numpy as np

UNIT = 2 ** 11
AT_ONCE = 1024  # vectors a side of a square: 4 MiB of products
SQUARE_OF_PAIRS = AT_ONCE ** 2


def whole(vectors: np.ndarray) -> np.ndarray:
    """float (n, d), of length 1 -> int16"""
    return np.rint(vectors * UNIT).astype(np.int16)


def error(dimensions: int) -> float:
    """How far the product of two vectors made whole may be from their own: half a unit in each number, times
    the other vector, twice, and the product of what is off."""
    return float(np.sqrt(dimensions) / UNIT + dimensions / (2 * UNIT) ** 2)


def with_the_rest(parts: np.ndarray) -> np.ndarray:
    """parts: float (n, k), what vectors of length 1 are in k directions at right angles. Appended is how long
    the rest of them is: the product of two such is never less than that of the vectors themselves."""
    rest = np.maximum(0, 1 - (parts ** 2).sum(1, keepdims=True))
    return np.concatenate([parts, np.sqrt(rest)], 1)


def near(vectors: np.ndarray, least: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """vectors: whole. Places of all pairs whose product is at least this, first < second."""
    starts = range(0, len(vectors), AT_ONCE)
    for top, left in combinations_with_replacement(starts, 2):
        rows, columns = (vectors[start:start + AT_ONCE].astype(np.float32) for start in (top, left))
        first, second = np.nonzero(rows @ columns.T >= least * UNIT ** 2)
        first, second = first + top, second + left
        is_pair = first < second
        yield first[is_pair], second[is_pair]


def cosines(numbers: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """numbers: float64 (n, d), whole, and so small that no sum of products is above 2^53: all of them are
    exact. The cosines (p,) of pairs of rows; 0 with a row of zeros."""
    rows, row_of = np.unique(first, return_inverse=True)
    columns, column_of = np.unique(second, return_inverse=True)
    products = (numbers[rows] @ numbers[columns].T)[row_of, column_of]
    length = lengths(numbers)
    return products / (length[first] * length[second])


def lengths(numbers: np.ndarray) -> np.ndarray:
    """Of rows; 1 of a row of zeros."""
    return np.sqrt(np.maximum(1, np.einsum("ij,ij->i", numbers, numbers)))
