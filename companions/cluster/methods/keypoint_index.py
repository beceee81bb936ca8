"""Which pictures may have keypoints in common: bit sampling (Indyk and Motwani 1998) over descriptors.

Each table draws some of the bits of a descriptor as its key. Descriptors of one point that differ in a few
bits have a key in common in some of the tables; two pictures that have it more than once are offered.
The tables come one after the other, and of each picture only its first points, so that memory is one
number for each of these.
"""
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from companions.cluster.methods.buckets import counted, entries, numbers_of, pairs_in_buckets
from companions.cluster.methods.described import BYTES, first_bits
from companions.cluster.methods.method import Features

POINTS = 128  # of a picture: its strongest, two in each cell
TABLES = 32
OFTEN = 2  # keys in common from which on two pictures are looked at
# Bits of a key: for 380 pictures 40, with which 1,031 of 1,050 alike pairs are offered and 327 others of
# 71,000. For twice as many pictures 3 more: what chance offers grows no faster than the pictures do.
LEAST_BITS, BITS_FOR_TWICE = 13, 3

Looks = Callable[[np.ndarray], Sequence[np.ndarray]]  # the bits of descriptors, in all ways they may be seen


def offered(features: Features, looks: Looks) -> list[tuple[int, int]]:
    """(first, second), ascending."""
    length = LEAST_BITS + BITS_FOR_TWICE * len(features).bit_length()
    ways = len(looks(np.zeros((0, BYTES), np.uint8)))
    codes, counts = np.zeros(0, np.uint64), np.zeros(0, np.uint16)
    for table in range(TABLES):
        drawn = np.random.RandomState(table)  # whose numbers are promised never to change
        factors = np.zeros(8 * BYTES, np.uint64)
        factors[drawn.choice(8 * BYTES, length, replace=False)] = drawn.randint(1, 2**62, length)
        codes, counts = counted(codes, counts, pairs_in_buckets(_entries(features, looks, factors)))
    return numbers_of(codes[counts >= OFTEN * ways])


def _entries(features: Features, looks: Looks, factors: np.ndarray) -> Iterator[np.ndarray]:
    """The key is a sum of random factors, those of the bits that are set: multilinear hashing."""
    for start, blobs in features.blocks():
        for number, blob in enumerate(blobs, start):
            seen = np.concatenate(looks(first_bits(blob, POINTS)))
            yield entries(np.unpackbits(seen, axis=1).astype(np.uint64) @ factors, number)
