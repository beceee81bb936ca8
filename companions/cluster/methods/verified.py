"""The way of the methods whose features are numbers: short vectors find who may be alike, a square of
their products at a time; the features themselves decide."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from companions.cluster.methods.method import DIGITS, Features, Pair
from companions.cluster.methods.products import near
from companions.cluster.methods.small_pictures import COLOUR_BYTES, colour_similarity, pairs_of_one_colour

Similarities = Callable[[Sequence[bytes], np.ndarray, np.ndarray], np.ndarray]


def similarity(similarities: Similarities, first: bytes, second: bytes) -> float:
    """As of the pairs below; also of pictures of one colour."""
    if COLOUR_BYTES in (len(first), len(second)):
        return colour_similarity(first, second)
    return float(_rounded(similarities([first, second], np.array([0]), np.array([1])))[0])


@dataclass(frozen=True)
class TwoSteps:
    """short: of n features int16 (n, k) as of products.whole(), reach: how much less the product of these may
    be than the similarity. similarities: of n features the float64 (p,) of at most at_once pairs, each by its
    two places."""

    short: Callable[[Sequence[bytes]], np.ndarray]
    reach: float
    similarities: Similarities
    at_once: int

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        numbers, vectors, colours = self._read(features)
        yield from pairs_of_one_colour(colours)
        for first, second in near(vectors, threshold - self.reach):
            yield from self._verified(features, numbers[first], numbers[second], threshold)

    def _read(self, features: Features) -> tuple[np.ndarray, np.ndarray, dict[int, bytes]]:
        """Numbers and vectors of those that show something, and the colours of the others."""
        numbers, vectors = [np.empty(0, np.int64)], [np.empty((0, 1), np.int16)]
        colours: dict[int, bytes] = {}
        for start, block in features.blocks():
            of_block = dict(enumerate(block, start))
            showing = [number for number, feature in of_block.items() if len(feature) != COLOUR_BYTES]
            colours.update((number, feature) for number, feature in of_block.items()
                           if len(feature) == COLOUR_BYTES)
            if showing:
                numbers.append(np.array(showing))
                vectors.append(self.short([of_block[number] for number in showing]))
        return np.concatenate(numbers), np.concatenate(vectors[1:] or vectors), colours

    def _verified(
        self, features: Features, first: np.ndarray, second: np.ndarray, threshold: float,
    ) -> Iterator[Pair]:
        for start in range(0, len(first), self.at_once):
            some = slice(start, start + self.at_once)
            numbers, places = np.unique([first[some], second[some]], return_inverse=True)
            similarities = _rounded(self.similarities(features.of(numbers.tolist()), *places))
            are_alike = np.flatnonzero(similarities >= threshold)
            columns = (column[are_alike].tolist() for column in (first[some], second[some], similarities))
            yield from map(Pair, *columns)


def _rounded(similarities: np.ndarray) -> np.ndarray:
    return np.round(np.clip(similarities, 0, 1), DIGITS)
