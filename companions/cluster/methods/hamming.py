"""All pairs of 64-bit codes that differ in few bits, without comparing all with all.

The bits are dealt to parts. Codes that differ in at most d bits agree in all parts but d: whichever k of the
d + k parts are looked at, for one choice of them such codes are neighbours once they are sorted by these bits
alone. More parts looked at mean more sorting, and fewer pairs that agree in them by chance. Where so many
bits may differ that nothing of it helps, all are compared with all.

After Manku, Jain, Das Sarma: Detecting near-duplicates for web crawling. WWW 2007.
"""
from collections.abc import Iterator
from itertools import combinations
from math import comb, log2

import numpy as np

BITS = 64
MOST_AGREEING = 4  # parts looked at: more pay from millions of codes on
# In comparisons of two codes that lie anywhere, 25 ns; all measured with 20,000 and 100,000 codes:
COST_OF_SORTING = 0.15  # of a code, for each doubling of their number
COST_SIDE_BY_SIDE = 0.1  # of a comparison where all are compared with all
NearCodes = tuple[np.ndarray, np.ndarray, np.ndarray]  # places of the first and the second, bits that differ


def near_codes(codes: np.ndarray, most: int) -> Iterator[NearCodes]:
    """codes: uint64 (n,), no two the same. All pairs that differ in at most `most` bits, each once, in any
    order."""
    agreeing = parts_that_agree(len(codes), most)
    return _by_parts(codes, most, agreeing) if agreeing else _all_with_all(codes, most)


def parts_that_agree(count: int, most: int) -> int:
    """How many parts to look at, so that it takes least; 0: all codes are compared with all."""
    return min(range(min(MOST_AGREEING, BITS - most) + 1), key=lambda agreeing: _cost(count, most, agreeing))


def _cost(count: int, most: int, agreeing: int) -> float:
    if not agreeing:
        return COST_SIDE_BY_SIDE * count ** 2 / 2
    parts = most + agreeing
    agree_by_chance = count ** 2 / 2 ** (1 + BITS * agreeing / parts)
    return comb(parts, agreeing) * (COST_OF_SORTING * count * log2(max(2, count)) + agree_by_chance)


def _all_with_all(codes: np.ndarray, most: int) -> Iterator[NearCodes]:
    for distance in range(1, len(codes)):
        count = np.bitwise_count(codes[distance:] ^ codes[:-distance])
        near = np.flatnonzero(count <= most)
        yield near, near + distance, count[near]


def _by_parts(codes: np.ndarray, most: int, agreeing: int) -> Iterator[NearCodes]:
    masks = _masks(most + agreeing)
    for chosen in combinations(range(len(masks)), agreeing):
        mask = np.bitwise_or.reduce(masks[list(chosen)])
        order = np.argsort(codes & mask)
        ordered = codes[order]
        for place, other in _equal(ordered & mask):
            differing = ordered[place] ^ ordered[other]
            near = np.flatnonzero(np.bitwise_count(differing) <= most)
            near = near[_is_first_choice(differing[near], masks, chosen)]
            yield order[place[near]], order[other[near]], np.bitwise_count(differing[near])


def _masks(parts: int) -> np.ndarray:
    """uint64 (parts,): neighbouring bits, which are more often alike, fall into different ones."""
    return np.array([sum(1 << bit for bit in range(part, BITS, parts)) for part in range(parts)], np.uint64)


def _equal(keys: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """keys: sorted. All pairs of places with the same key: first those next to one another."""
    place, distance = np.flatnonzero(keys[1:] == keys[:-1]), 1
    while len(place):
        yield place, place + distance
        distance += 1
        place = place[:np.searchsorted(place, len(keys) - distance)]
        place = place[keys[place] == keys[place + distance]]


def _is_first_choice(differing: np.ndarray, masks: np.ndarray, chosen: tuple[int, ...]) -> np.ndarray:
    """Whether no earlier choice of parts brings the pair: up to the last of the chosen, no other agrees."""
    looked_at = masks[:chosen[-1] + 1]
    return ((differing[:, None] & looked_at) == 0).sum(1) == len(chosen)
