"""Normalised template matching of two pictures at one size: how the brightness of their points correlates.

The coefficient that OpenCV calls TM_CCOEFF_NORMED, for two pictures of the same size: 1 whatever light and
contrast they were made brighter or darker with. The pictures are candidates by squares of 4 x 4 points: what
lies within is estimated so that none is missed.
"""
from collections.abc import Iterator, Sequence

import numpy as np

from companions.cluster.methods.method import DIGITS, Features, Pair
from companions.cluster.methods.products import SQUARE_OF_PAIRS, cosines, error, lengths, whole, with_the_rest
from companions.cluster.methods.small_pictures import brightness
from companions.cluster.methods.verified import TwoSteps, similarity

SIDE = 32  # of the small picture: from 64 on, 5 % cut off its edges make another of it
POINTS = SIDE * SIDE
SQUARE = 4  # points a side
DIRECTIONS = (SIDE // SQUARE) ** 2 + 1


class Template:
    name, version, threshold, side = "tm", 1, 0.92, 128

    def features(self, picture: np.ndarray) -> bytes:
        return brightness(picture, SIDE)

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        return STEPS.pairs(features, threshold)

    def similarity(self, first: bytes, second: bytes) -> float:
        return similarity(_correlations, first, second)


def _deviations(features: Sequence[bytes]) -> np.ndarray:
    """float64 (n, POINTS), POINTS times too large: whole numbers, and so are all sums of their products."""
    grey = np.frombuffer(b"".join(features), np.uint8).reshape(len(features), POINTS).astype(np.float64)
    return POINTS * grey - grey.sum(1, keepdims=True)


def _squares(features: Sequence[bytes]) -> np.ndarray:
    deviations = _deviations(features)
    directions = deviations / lengths(deviations)[:, None]
    cut = directions.reshape(-1, SIDE // SQUARE, SQUARE, SIDE // SQUARE, SQUARE)
    return whole(with_the_rest(cut.sum((2, 4)).reshape(len(features), -1) / SQUARE))


def _correlations(features: Sequence[bytes], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return cosines(_deviations(features), first, second)


STEPS = TwoSteps(_squares, error(DIRECTIONS) + 10 ** -DIGITS, _correlations, SQUARE_OF_PAIRS)
