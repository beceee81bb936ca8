"""Probabilities sorted into equal bins, the same for the folders of stages 3 and 4 and for the histograms of stage 2."""
import math

import numpy as np


def bin_number(probability: float, bins: int) -> int:
    """1 .. bins; a probability on an edge falls into the lower bin, however the division rounds."""
    return min(bins, max(1, math.ceil(probability * bins - 1e-9)))


def bin_numbers(probabilities: np.ndarray, bins: int) -> np.ndarray:
    """bin_number() of every one."""
    return np.clip(np.ceil(probabilities * bins - 1e-9), 1, bins).astype(np.int64)


def bin_name(number: int, bins: int) -> str:
    """The upper edge: 10 bins are called 0.1 ... 1.0."""
    return str(round(number / bins, 4))
