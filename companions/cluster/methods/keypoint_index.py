"""Which pictures may have keypoints in common: bit sampling (Indyk and Motwani 1998) over descriptors.

Each table draws some of the bits of a descriptor as its key. Descriptors of one point that differ in a few
bits have a key in common in some of the tables; two pictures that have it more than once are offered.
Of each picture only its first points are in the tables, of which a few are made at once: memory is one
number for each of these.
"""
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from companions.cluster.methods.buckets import counted, entries, numbers_of, pairs_in_buckets
from companions.cluster.methods.described import BYTES, first_bits
from companions.cluster.methods.method import Features

POINTS = 128  # of a picture: its strongest, two in each cell
TABLES = 32
AT_ONCE = 2**21  # entries in memory, 16 MB, where one table has fewer
OFTEN = 2  # keys in common from which on two pictures are looked at
# Bits of a key: for 380 pictures 40, with which 1,031 of 1,050 alike pairs are offered and 327 others of
# 71,000. For twice as many pictures 3 more: what chance offers grows no faster than the pictures do.
LEAST_BITS, BITS_FOR_TWICE = 13, 3
_PLACES = np.arange(BYTES)
_BITS_OF_A_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.uint64)

Looks = Callable[[np.ndarray], Sequence[np.ndarray]]  # the bits of descriptors, in all ways they may be seen


def offered(features: Features, looks: Looks) -> list[tuple[int, int]]:
    """(first, second), ascending."""
    length = LEAST_BITS + BITS_FOR_TWICE * len(features).bit_length()
    ways = len(looks(np.zeros((0, BYTES), np.uint8)))
    at_once = max(1, AT_ONCE // max(1, len(features) * POINTS * ways))
    codes, counts = np.zeros(0, np.uint64), np.zeros(0, np.uint16)
    for start in range(0, TABLES, at_once):
        tables = [_parts_of_keys(table, length) for table in range(start, min(TABLES, start + at_once))]
        for of_table in _entries(features, looks, tables):
            codes, counts = counted(codes, counts, pairs_in_buckets(of_table))
    return numbers_of(codes[counts >= OFTEN * ways])


def _parts_of_keys(table: int, length: int) -> np.ndarray:
    """uint64 (256, 32): what a byte of a descriptor adds to its key, by the value and the place of the byte.
    A key is the sum of random factors of the bits that are drawn and set: multilinear hashing."""
    drawn = np.random.RandomState(table)  # whose numbers are promised never to change
    factors = np.zeros(8 * BYTES, np.uint64)
    factors[drawn.choice(8 * BYTES, length, replace=False)] = drawn.randint(1, 2**62, length)
    return _BITS_OF_A_BYTE @ factors.reshape(BYTES, 8).T


def _entries(features: Features, looks: Looks, tables: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Of all pictures, for one table after the other."""
    most = len(features) * len(looks(np.zeros((0, BYTES), np.uint8))) * POINTS
    of_tables = np.empty((len(tables), most), np.uint64)
    end = 0
    for start, blobs in features.blocks():
        for number, blob in enumerate(blobs, start):
            seen = np.concatenate(looks(first_bits(blob, POINTS)))
            begin, end = end, end + len(seen)
            for parts, of_table in zip(tables, of_tables, strict=True):
                of_table[begin:end] = entries(parts[seen, _PLACES].sum(axis=1), number)
    yield from of_tables[:, :end]
