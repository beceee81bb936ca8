"""Probabilities sorted into equal bins, the same for the folders and tables of stages 3 and 4 and for the
histograms of stage 2."""
import math

import numpy as np

EDGE = 1e-9  # in bins: what lies on an edge, however a division rounds, belongs to the lower bin


def bin_number(probability: float, bins: int) -> int:
    """1 .. bins"""
    return min(bins, max(1, math.ceil(probability * bins - EDGE)))


def bin_numbers(probabilities: np.ndarray, bins: int) -> np.ndarray:
    """bin_number() of every one: int64, of the same shape."""
    return np.clip(np.ceil(probabilities * bins - EDGE), 1, bins).astype(np.int64)


def bin_limits(number: int, bins: int) -> tuple[float, float]:
    """The probabilities of a bin are those above the first limit, up to the second."""
    low = (number - 1 + EDGE) / bins if number > 1 else -1.0
    return low, (number + EDGE) / bins


def bin_name(number: int, bins: int) -> str:
    """The upper edge: 10 bins are called 0.1 ... 1.0."""
    return str(round(number / bins, 4))
