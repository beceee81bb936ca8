"""Features of a few pictures in memory, and what a method's index has to find among them."""
from collections.abc import Iterator, Sequence
from itertools import combinations

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
