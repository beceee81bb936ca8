"""No pair of near codes is missed, none is told twice."""
from itertools import combinations

import numpy as np
import pytest

from companions.cluster.methods import hamming


def drawn_codes(count: int, most_flipped: int) -> np.ndarray:
    """By chance; the second half are those of the first with some bits flipped."""
    chance = np.random.default_rng(5)
    codes = chance.integers(0, 2 ** 64, count // 2, dtype=np.uint64)
    flipped = [sum(1 << int(bit) for bit in chance.choice(64, number, replace=False))
               for number in chance.integers(1, most_flipped + 1, count // 2)]
    return np.unique(np.concatenate([codes, codes ^ np.array(flipped, np.uint64)]))


def near_by_hand(codes: np.ndarray, most: int) -> list[tuple[int, int, int]]:
    distances = ((*pair, (int(codes[pair[0]]) ^ int(codes[pair[1]])).bit_count())
                 for pair in combinations(range(len(codes)), 2))
    return [pair for pair in distances if pair[2] <= most]


def near(codes: np.ndarray, most: int) -> list[tuple[int, int, int]]:
    rows = [row for arrays in hamming.near_codes(codes, most)
            for row in zip(*(array.tolist() for array in arrays), strict=True)]
    return sorted((min(first, second), max(first, second), differing) for first, second, differing in rows)


@pytest.mark.parametrize(("most", "agreeing"), [
    (most, agreeing) for most in (0, 1, 3, 8) for agreeing in range(5)] + [(24, 0), (63, 1), (64, 0)])
def test_every_pair_of_near_codes_is_found_once_however_many_parts_are_looked_at(monkeypatch, most, agreeing):
    codes = drawn_codes(120, 10)
    monkeypatch.setattr(hamming, "parts_that_agree", lambda count, most: agreeing)
    assert near(codes, most) == near_by_hand(codes, most)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_codes_have_few_pairs(count):
    codes = np.array([0b0111, 0b0001], np.uint64)[:count]
    assert near(codes, 2) == [(0, 1, 2)][:count // 2]


@pytest.mark.parametrize(("count", "most", "agreeing"), [
    (100_000, 0, 1), (100_000, 4, 2), (20_000, 8, 2), (100_000, 8, 2), (100_000, 10, 3),
    (100_000, 16, 0), (100_000, 64, 0), (2, 8, 0),
])
def test_as_many_parts_are_looked_at_as_take_least(count, most, agreeing):
    assert hamming.parts_that_agree(count, most) == agreeing
