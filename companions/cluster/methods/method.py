"""What a method of likeness is to all the rest.

Pictures are numbered by the order of their hashes, so that no order of listing decides anything.
"""
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

DIGITS = 6  # of a similarity


class Pair(NamedTuple):
    """Two pictures that are alike, first < second; similarity from 0 to 1, 1 is identical."""

    first: int
    second: int
    similarity: float


class Features(Protocol):
    """Those of all pictures under one method: they lie on disk, and are read a block at a time."""

    def __len__(self) -> int: ...

    def of(self, numbers: Sequence[int]) -> list[bytes]:
        """In the order of the numbers."""
        ...

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        """(number of the first, features of one after the other) of all, as many at once as --batch_size
        says."""
        ...


class Method(Protocol):
    name: str
    version: int  # rises when the same picture gets other features
    threshold: float  # from which on two pictures are alike, where nobody says otherwise
    side: int  # of the square into which a picture is fitted before it is looked at; 0: vectors are compared

    def features(self, picture: np.ndarray) -> bytes:
        """picture: uint8 (height, width, 3), RGB and upright, its longer side self.side."""
        ...

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        """Every pair of at least this similarity that the method's index offers, each once, in any order.
        Nothing of it hangs on the size of the blocks."""
        ...

    def similarity(self, first: bytes, second: bytes) -> float:
        """From 0 to 1, the same for (second, first), rounded to DIGITS."""
        ...
