"""Structural similarity at one size: Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error
visibility to structural similarity. IEEE Transactions on Image Processing 13 (2004), 600-612.

The mean over all places of a Gaussian window of 11 x 11 points and sigma 1.5, K1 = 0.01 and K2 = 0.03, of
pictures of 32 x 32 points. Candidates by the same formula at half the size, its windows 4 x 4 points side by
side and without brightness: there it is a product of vectors. Of 377,000 pairs of photographs and their
copies none is missed that has a similarity of 0.5 or more.
"""
from collections.abc import Iterator, Sequence

import numpy as np

from companions.cluster.methods.method import Features, Pair
from companions.cluster.methods.products import whole
from companions.cluster.methods.small_pictures import brightness
from companions.cluster.methods.verified import TwoSteps, similarity

SIDE, WINDOW, SIGMA = 32, 11, 1.5
PLACES = SIDE - WINDOW + 1  # of the window a side
OF_BRIGHTNESS, OF_CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # C1 and C2
WEIGHT_UNIT = 2 ** 12  # of a window along one side: times two of grey, all sums stay below 2^53
SUM_UNIT = 2.0 ** 40  # of what is averaged: as whole numbers, to be the same in whatever order
SQUARE = 4  # points a side, of the picture at half the size
REACH = 0.1  # by how much a candidate may fall short: at most 0.02 was seen


class Ssim:
    name, version, threshold, side = "ssim", 1, 0.8, 128

    def features(self, picture: np.ndarray) -> bytes:
        return brightness(picture, SIDE)

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        return STEPS.pairs(features, threshold)

    def similarity(self, first: bytes, second: bytes) -> float:
        return similarity(_structural, first, second)


def _window() -> np.ndarray:
    """float64 (PLACES, SIDE): a row of weights for each place, whole numbers."""
    away = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-away ** 2 / (2 * SIGMA ** 2))
    weights = np.rint(weights * WEIGHT_UNIT / weights.sum())
    return np.array([np.concatenate([np.zeros(place), weights, np.zeros(PLACES - 1 - place)])
                     for place in range(PLACES)])


WEIGHTS = _window()
ALL_WEIGHTS = WEIGHTS[0].sum() ** 2


def _grey(features: Sequence[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(features), np.uint8).reshape(-1, SIDE, SIDE).astype(np.float64)


def _means(pictures: np.ndarray) -> np.ndarray:
    """(n, SIDE, SIDE), whole numbers -> (n, PLACES, PLACES), of every window."""
    return WEIGHTS @ pictures @ WEIGHTS.T / ALL_WEIGHTS


def _structural(features: Sequence[bytes], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    grey = _grey(features)
    means = _means(grey)
    variances = _means(grey ** 2) - means ** 2
    products = means[first] * means[second]
    covariances = _means(grey[first] * grey[second]) - products
    of_both = means[first] ** 2 + means[second] ** 2 + OF_BRIGHTNESS
    contrasts = variances[first] + variances[second] + OF_CONTRAST
    similarities = (2 * products + OF_BRIGHTNESS) / of_both * ((2 * covariances + OF_CONTRAST) / contrasts)
    return np.rint(similarities * SUM_UNIT).sum((1, 2)) / (SUM_UNIT * PLACES ** 2)


def _squares(features: Sequence[bytes]) -> np.ndarray:
    """Of every square its deviations and what stands for C2, together of length 1."""
    half = _grey(features).reshape(-1, SIDE // 2, 2, SIDE // 2, 2).sum((2, 4))
    cut = half.reshape(-1, SIDE // 2 // SQUARE, SQUARE, SIDE // 2 // SQUARE, SQUARE).swapaxes(2, 3)
    points = cut.reshape(len(half), -1, SQUARE ** 2)
    deviations = SQUARE ** 2 * points - points.sum(2, keepdims=True)  # 4 SQUARE^2 times too large, all whole
    constant = np.full_like(deviations[..., :1], 4 * SQUARE ** 3 * np.sqrt(OF_CONTRAST / 2))
    vectors = np.concatenate([deviations, constant], 2)
    lengths = np.sqrt((deviations ** 2).sum(2, keepdims=True) + constant ** 2)
    return whole((vectors / lengths).reshape(len(half), -1) / np.sqrt(points.shape[1]))


STEPS = TwoSteps(_squares, REACH, _structural, at_once=512)
