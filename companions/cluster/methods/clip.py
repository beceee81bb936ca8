"""The cosine of the vectors that an encoder has made of the pictures: those of the clip cache, of any one.

Candidates by the directions in which a sample of the vectors is longest: what lies in the others is estimated
so that none is missed, whatever the sample.
"""
from collections.abc import Iterator, Sequence

import numpy as np

from companions.cluster.methods.method import DIGITS, Features, Pair
from companions.cluster.methods.products import SQUARE_OF_PAIRS, cosines, error, lengths, whole, with_the_rest
from companions.cluster.methods.verified import TwoSteps, similarity

DIRECTIONS, SAMPLE = 128, 1000
UNIT = 2 ** 20  # of the largest number of a vector: sums of 8,192 products stay below 2^53


class Clip:
    """Features: float32 numbers, as the clip cache has them. A vector without length, or with numbers that
    are not finite, is like none."""

    name, version, threshold, side = "clip", 1, 0.97, 0

    def features(self, picture: np.ndarray) -> bytes:
        raise NotImplementedError("vectors come from the clip cache")

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        if not len(features):
            return iter(())
        directions = _longest(features)
        steps = TwoSteps(
            short=lambda some: whole(with_the_rest(_of_length_1(some) @ directions)),
            reach=error(directions.shape[1] + 1) + 10 ** -DIGITS,
            similarities=_cosines,
            at_once=SQUARE_OF_PAIRS)
        return steps.pairs(features, threshold)

    def similarity(self, first: bytes, second: bytes) -> float:
        return similarity(_cosines, first, second)


def _whole_numbers(features: Sequence[bytes]) -> np.ndarray:
    """float64 (n, d) in units of its own for every vector: all sums of products are exact."""
    vectors = np.frombuffer(b"".join(features), np.float32).reshape(len(features), -1).astype(np.float64)
    largest = np.abs(vectors).max(1, initial=0)[:, None]
    is_usable = np.isfinite(largest) & (largest > 0)
    shares = np.divide(vectors, largest, out=np.zeros_like(vectors), where=is_usable)
    return np.rint(shares * UNIT)


def _of_length_1(features: Sequence[bytes]) -> np.ndarray:
    numbers = _whole_numbers(features)
    return numbers / lengths(numbers)[:, None]


def _cosines(features: Sequence[bytes], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return cosines(_whole_numbers(features), first, second)


def _longest(features: Features) -> np.ndarray:
    """float64 (d, k): directions at right angles."""
    chosen = np.unique(np.linspace(0, len(features) - 1, SAMPLE).astype(np.int64))
    sample = _of_length_1(features.of(chosen.tolist()))
    return np.linalg.svd(sample, full_matrices=False)[2][:DIRECTIONS].T
