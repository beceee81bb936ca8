"""Pairs of pictures that lie in one bucket: what the keys of an index offer.

A key that very many pictures have (a logo, the edge of a frame, or one picture saved a thousand times) does
not offer all pairs of them, which would grow with the square, but of each picture those with the next few:
enough for a chain through all of them, which a key dropped altogether would break.
"""
from collections.abc import Iterable

import numpy as np

NEXT = 64  # pictures of a bucket, by number, with which each is paired
_NUMBER_BITS = np.uint64(32)
_NUMBER = np.uint64(0xFFFFFFFF)


def entries(keys: np.ndarray, number: int) -> np.ndarray:
    """uint64 (n,): the keys of a picture, of which the upper half counts, each with its number."""
    return (keys >> _NUMBER_BITS << _NUMBER_BITS) | np.uint64(number)


def pairs_in_buckets(all_entries: Iterable[np.ndarray]) -> np.ndarray:
    """uint64 (m,), ascending, each once: (first << 32) | second of pictures with a key in common."""
    ordered = np.unique(np.concatenate([np.zeros(0, np.uint64), *all_entries]))
    keys, numbers = ordered >> _NUMBER_BITS, ordered & _NUMBER
    codes = np.zeros(0, np.uint64)
    for distance in range(1, min(NEXT + 1, len(keys))):
        together = np.flatnonzero(keys[distance:] == keys[:-distance])
        if not together.size:
            break
        found = (numbers[together] << _NUMBER_BITS) | numbers[together + distance]
        codes = np.union1d(codes, found)
    return codes


def counted(codes: np.ndarray, counts: np.ndarray, more: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes, each once, with how often they have been offered so far."""
    merged, places = np.unique(np.concatenate([codes, more]), return_inverse=True)
    sums = np.zeros(len(merged), np.uint16)
    sums[places[:len(codes)]] = counts
    sums[places[len(codes):]] += np.uint16(1)
    return merged, sums


def numbers_of(codes: np.ndarray) -> list[tuple[int, int]]:
    return list(zip((codes >> _NUMBER_BITS).tolist(), (codes & _NUMBER).tolist(), strict=True))
