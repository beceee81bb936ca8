"""Pictures for the methods, their features in memory, and what an index has to find among these."""
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from PIL import Image

from companions.cluster.methods.method import Features, Method, Pair


class HeldFeatures(list):
    """A list of bytes, as methods.method.Features."""

    def __init__(self, features: Sequence[bytes], at_once: int = 1000):
        super().__init__(features)
        self.at_once = at_once

    def of(self, numbers: Sequence[int]) -> list[bytes]:
        return [self[number] for number in numbers]

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        for start in range(0, len(self), self.at_once):
            yield start, self[start:start + self.at_once]


def all_pairs(method: Method, features: Features, threshold: float) -> list[Pair]:
    """Of every two, ascending."""
    pairs = (Pair(first, second, method.similarity(*features.of((first, second))))
             for first, second in combinations(range(len(features)), 2))
    return [pair for pair in pairs if pair.similarity >= threshold]


def drawn_picture(seed: int, height: int = 64, width: int = 96) -> np.ndarray:
    """Soft blots of some colour."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def flat(*channels: int, height: int = 3, width: int = 5) -> np.ndarray:
    return np.full((height, width, 3), channels, np.uint8)
