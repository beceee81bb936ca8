"""Whether two pictures show the same: keypoints that fit one another and one motion, and pictures that look
alike where that motion lays them over each other.

The second is what keeps a logo or a band of text, which very different pictures may share, from joining them:
its points fit perfectly, but nothing beside them does.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from companions.cluster.methods.described import SIDE, SMALL_SIDE, Described

WITHIN = 5.0  # pixels of a frame of SIDE, between a point and where the motion takes it
TRIES, CONFIDENCE = 1000, 0.99  # of RANSAC
BLOCK = 8  # pixels of the small picture, across
ALIKE = 0.7  # correlation of two blocks; blocks of unlike pictures with one band: 99 % below .5
FEWEST_BLOCKS = 4  # with something to see in them: a sixteenth of a square picture
SHARED = 0.25  # of one of the pictures; a band of text turned round lies on the other with a sixth
NOISE = 4.0  # variance of a block, in grey levels squared, in which there is nothing to see
_WHOLLY = 0.99  # covered: pixels at the edge are mixed with what is around


@dataclass(frozen=True)
class Matches:
    """Rows of points that are each other's nearest; motion: (2, 3), takes the first frame to the second."""

    first: np.ndarray
    second: np.ndarray


def share_that_fits(first: Described, second: Described, farthest: int, fewest: int) -> float:
    """Points of which the pictures agree, as a share of those they could agree of; 0 for fewer than `fewest`
    and where the pictures do not look alike. farthest: bits by which two descriptors may differ."""
    matches = nearest_of_each_other(distances(first.bits, second.bits), farthest)
    motion, fitting = common_motion(first.points[matches.first], second.points[matches.second])
    if fitting < fewest or not looks_alike(first, second, motion):
        return 0.0
    return min(1.0, fitting / could_fit(first, second, motion))


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """float32 (n, m): bits that differ. Whole numbers below 2**24: the same whatever the BLAS."""
    signs = [np.unpackbits(bits, axis=1).astype(np.float32) * 2 - 1 for bits in (first, second)]
    return (8 * first.shape[1] - signs[0] @ signs[1].T) / 2


def nearest_of_each_other(distance: np.ndarray, farthest: int) -> Matches:
    if not distance.size:
        nothing = np.zeros(0, np.intp)
        return Matches(nothing, nothing)
    nearest, back = distance.argmin(1), distance.argmin(0)
    rows = np.arange(len(nearest))
    good = (back[nearest] == rows) & (distance[rows, nearest] <= farthest)
    return Matches(rows[good], nearest[good])


def common_motion(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, int]:
    """(2, 3): turned, scaled and moved as most of the points agree; and how many do."""
    nothing = np.zeros((2, 3)), 0
    if len(first) < 2:
        return nothing
    cv2.setRNGSeed(0)
    motion, fitting = cv2.estimateAffinePartial2D(
        first, second, method=cv2.RANSAC, ransacReprojThreshold=WITHIN, maxIters=TRIES, confidence=CONFIDENCE)
    return nothing if motion is None or not scale(motion) else (motion, int(fitting.sum()))


def scale(motion: np.ndarray) -> float:
    return float(np.hypot(motion[0, 0], motion[1, 0]))


def could_fit(first: Described, second: Described, motion: np.ndarray) -> int:
    """Points that lie where both pictures are: in the picture that has fewer."""
    back = cv2.invertAffineTransform(motion)
    return max(1, min(inside(first.points, motion, second), inside(second.points, back, first)))


def inside(points: np.ndarray, motion: np.ndarray, other: Described) -> int:
    moved = points @ motion[:, :2].T + motion[:, 2]
    return int(((moved >= 0) & (moved < other.frame)).all(1).sum())


def looks_alike(first: Described, second: Described, motion: np.ndarray) -> bool:
    """Enough of one of them lies on the other, and at least half of the blocks in which there is something to
    see correlate."""
    if scale(motion) > 1:  # the finer one is made coarser, never the other way round
        first, second, motion = second, first, cv2.invertAffineTransform(motion)
    laid = laid_over(first.small, second.small, motion)
    shared = laid[2].sum()
    if max(shared / second.small.size, shared / scale(motion) ** 2 / first.small.size) < SHARED:
        return False
    correlations = correlations_of_blocks(*laid)
    return len(correlations) >= FEWEST_BLOCKS and float(np.median(correlations)) >= ALIKE


def laid_over(
    first: np.ndarray, second: np.ndarray, motion: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first in the frame of the second, the second, and 1 where both are."""
    small = motion.copy()
    small[:, 2] = motion[:, 2] * SMALL_SIDE / SIDE + motion[:, :2] @ (0.5, 0.5) - 0.5  # centres of pixels
    size = second.shape[::-1]
    covered = cv2.warpAffine(np.ones(first.shape, np.float32), small, size) > _WHOLLY
    return cv2.warpAffine(first.astype(np.float32), small, size), second.astype(np.float32), covered


def correlations_of_blocks(first: np.ndarray, second: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Of those that are at least half covered, and not flat in both pictures."""
    first, second = first * covered, second * covered
    count = np.maximum(sums(covered.astype(np.float32)), 1)
    mean, other_mean = sums(first) / count, sums(second) / count
    variance = sums(first * first) / count - mean * mean
    other_variance = sums(second * second) / count - other_mean * other_mean
    together = sums(first * second) / count - mean * other_mean
    telling = (count >= BLOCK * BLOCK / 2) & (np.maximum(variance, other_variance) >= NOISE)
    return (together / np.sqrt((variance + NOISE) * (other_variance + NOISE)))[telling]


def sums(values: np.ndarray) -> np.ndarray:
    """Over squares of BLOCK pixels; those at the lower and right edge are cut."""
    rows, columns = (range(0, length, BLOCK) for length in values.shape)
    return np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=0), columns, axis=1)
