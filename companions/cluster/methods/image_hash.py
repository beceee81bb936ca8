"""The perceptual hash: whether the coarsest waves that a picture is made of are stronger than most.

The same 64 bits as phash of the library imagehash gives for a picture of that size, but in whole numbers:
that one rounds sums of cosines, and where two are nearly equal a processor decides.
"""
from collections.abc import Iterator
from itertools import combinations, product

import numpy as np

from companions.cluster.methods.hamming import BITS, near_codes
from companions.cluster.methods.method import DIGITS, Features, Pair
from companions.cluster.methods.small_pictures import (
    COLOUR_BYTES,
    colour,
    colour_similarity,
    is_plain,
    pairs_of_one_colour,
    small_grey,
)

SMALL, WAVES = 32, 8  # sides of the small picture, and of the square of its waves that are looked at
UNIT = 2 ** 20  # of a cosine: 8 bits of grey times two of them, 1,024 times, stay below 2^63
CODE_BYTES = BITS // 8


def _cosines() -> np.ndarray:
    """int64 (WAVES, SMALL): the discrete cosine transform of type 2."""
    angles = np.pi * np.outer(np.arange(WAVES), 2 * np.arange(SMALL) + 1) / (2 * SMALL)
    return np.rint(np.cos(angles) * UNIT).astype(np.int64)


COSINES = _cosines()


class ImageHash:
    name, version, threshold, side = "imagehash", 1, 0.875, 256

    def features(self, picture: np.ndarray) -> bytes:
        """The code, of which the strongest bit is the first; or its colour, if it has only one."""
        grey = small_grey(picture, SMALL)
        return colour(picture) if is_plain(grey) else _code(grey)

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        numbers_of, colours = _read(features)
        yield from pairs_of_one_colour(colours)
        for numbers in numbers_of.values():
            yield from (Pair(first, second, 1.0) for first, second in combinations(numbers, 2))
        for first, second, differing in _near(list(numbers_of), _most_bits(threshold)):
            of_both = product(numbers_of[first], numbers_of[second])
            yield from (Pair(min(pair), max(pair), _similarity(differing)) for pair in of_both)

    def similarity(self, first: bytes, second: bytes) -> float:
        if COLOUR_BYTES in (len(first), len(second)):
            return colour_similarity(first, second)
        differing = int.from_bytes(first, "big") ^ int.from_bytes(second, "big")
        return _similarity(differing.bit_count())


def _code(grey: np.ndarray) -> bytes:
    waves = (COSINES @ grey.astype(np.int64) @ COSINES.T).ravel()
    below, above = np.sort(waves)[BITS // 2 - 1:BITS // 2 + 1]
    return np.packbits(2 * waves > below + above).tobytes()  # the median lies between these two


def _similarity(differing: int) -> float:
    return round(1 - differing / BITS, DIGITS)


def _most_bits(threshold: float) -> int:
    """How many may differ; -1 if not even none."""
    return sum(_similarity(differing) >= threshold for differing in range(BITS + 1)) - 1


def _near(codes: list[int], most: int) -> Iterator[tuple[int, int, int]]:
    """First, second, bits that differ."""
    for places, others, differing in near_codes(np.array(codes, np.uint64), most):
        for place, other, count in zip(places.tolist(), others.tolist(), differing.tolist(), strict=True):
            yield codes[place], codes[other], count


def _read(features: Features) -> tuple[dict[int, list[int]], dict[int, bytes]]:
    """Numbers of the pictures of every code, and the colours of those that have but one, by number."""
    numbers_of: dict[int, list[int]] = {}
    colours = {}
    for start, block in features.blocks():
        for number, feature in enumerate(block, start):
            if len(feature) == COLOUR_BYTES:
                colours[number] = feature
            else:
                numbers_of.setdefault(int.from_bytes(feature, "big"), []).append(number)
    return numbers_of, colours
