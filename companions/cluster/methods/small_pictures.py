"""What the methods that compare whole pictures look at: a small grey picture; and pictures that have nothing
to be compared by, being of one colour.

Pillow resizes bytes in whole numbers: the same picture gives the same bytes on every processor.
"""
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, product

import numpy as np
from PIL import Image

from companions.cluster.methods.method import Pair

COLOUR_BYTES = 3  # of the features of a picture of one colour: they are that colour
MOST_SPREAD = 2  # of 255: a small grey picture of less contrast shows the rounding of its format alone
SAME_COLOUR = 2  # of 255 in each channel: what a JPEG of low quality makes of a colour
STEPS = range(-SAME_COLOUR, SAME_COLOUR + 1)


def small_grey(picture: np.ndarray, side: int) -> np.ndarray:
    """uint8 (height, width, 3) -> uint8 (side, side)"""
    grey = Image.fromarray(picture).convert("L")
    return np.asarray(grey.resize((side, side), Image.Resampling.LANCZOS))


def brightness(picture: np.ndarray, side: int) -> bytes:
    """The small grey picture, row by row; of a picture of one colour, that."""
    grey = small_grey(picture, side)
    return colour(picture) if is_plain(grey) else grey.tobytes()


def is_plain(grey: np.ndarray) -> bool:
    return int(grey.max()) - int(grey.min()) <= MOST_SPREAD


def colour(picture: np.ndarray) -> bytes:
    """Its mean, rounded."""
    pixels = picture.reshape(-1, COLOUR_BYTES)
    return ((2 * pixels.sum(0, dtype=np.int64) + len(pixels)) // (2 * len(pixels))).astype(np.uint8).tobytes()


def colour_similarity(first: bytes, second: bytes) -> float:
    """1 if both are the same colour; 0 if not, or if one of them is a picture that shows something."""
    if not len(first) == len(second) == COLOUR_BYTES:
        return 0.0
    return float(max(abs(one - other) for one, other in zip(first, second, strict=True)) <= SAME_COLOUR)


def pairs_of_one_colour(colours: Mapping[int, bytes]) -> Iterator[Pair]:
    """colours: of pictures, by their numbers, ascending."""
    numbers_of: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, channels in colours.items():
        numbers_of[tuple(channels)].append(number)
    for colour_of_these, numbers in numbers_of.items():
        yield from (Pair(*pair, 1.0) for pair in combinations(numbers, 2))
        for near in _near(colour_of_these):
            if near > colour_of_these and near in numbers_of:
                yield from (Pair(min(pair), max(pair), 1.0) for pair in product(numbers, numbers_of[near]))


def _near(channels: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
    return product(*([channel + step for step in STEPS] for channel in channels))
