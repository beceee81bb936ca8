"""Pairs of pictures that lie in one bucket: what the keys of an index offer.

A key that very many pictures have (a logo, the edge of a frame, or one picture saved a thousand times) does
not offer all pairs of them, which would grow with the square, but of each picture those with the next few:
enough for a chain through all of them, which a key dropped altogether would break.
"""
import numpy as np

NEXT = 64  # pictures of a bucket, by number, with which each is paired
AT_ONCE = 2**18  # entries
_NUMBER_BITS = np.uint64(32)
_NUMBER = np.uint64(0xFFFFFFFF)


def entries(keys: np.ndarray, number: int) -> np.ndarray:
    """uint64 (n,): the keys of a picture, of which the upper half counts, each with its number."""
    return (keys >> _NUMBER_BITS << _NUMBER_BITS) | np.uint64(number)


def pairs_in_buckets(all_entries: np.ndarray) -> np.ndarray:
    """uint64 (m,), ascending, each once: (first << 32) | second of pictures with a key in common. The entries
    are sorted where they lie, and looked at a part at a time: there may be millions."""
    all_entries.sort()
    codes = np.zeros(0, np.uint64)
    start = 0
    while start < len(all_entries):
        last = all_entries[min(start + AT_ONCE, len(all_entries)) - 1]
        end = int(np.searchsorted(all_entries, last | _NUMBER, side="right"))  # no bucket is cut
        codes = np.union1d(codes, _pairs(np.unique(all_entries[start:end])))
        start = end
    return codes


def _pairs(ordered: np.ndarray) -> np.ndarray:
    keys, numbers = ordered >> _NUMBER_BITS, ordered & _NUMBER
    codes = np.zeros(0, np.uint64)
    for distance in range(1, min(NEXT + 1, len(keys))):
        together = np.flatnonzero(keys[distance:] == keys[:-distance])
        if not together.size:
            break
        codes = np.union1d(codes, (numbers[together] << _NUMBER_BITS) | numbers[together + distance])
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
