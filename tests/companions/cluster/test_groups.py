"""How pairs become clusters, by each linkage, and what holds a cluster together."""
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companions.cluster.groups import CHAIN, COMPLETE, LEADER, LINKAGES, grouped, weakest_link
from companions.cluster.methods.method import Pair

ROW = [Pair(0, 1, 0.9), Pair(1, 2, 0.8), Pair(2, 3, 0.7)]  # each is like the next
STAR = [Pair(0, 2, 0.9), Pair(1, 2, 0.6), Pair(2, 4, 0.7)]


@pytest.mark.parametrize(("pairs", "linkage", "groups"), [
    (ROW, CHAIN, [[0, 1, 2, 3], [4]]),
    (ROW, LEADER, [[0, 1, 2], [3], [4]]),
    (ROW, COMPLETE, [[0, 1], [2, 3], [4]]),
    (STAR, CHAIN, [[0, 1, 2, 4], [3]]),
    (STAR, LEADER, [[0, 1, 2, 4], [3]]),
    (STAR, COMPLETE, [[0, 2], [1], [3], [4]]),
    ([*STAR, Pair(0, 4, 0.5)], COMPLETE, [[0, 2, 4], [1], [3]]),
    ([], COMPLETE, [[0], [1], [2], [3], [4]]),
])
def test_who_belongs_together(pairs, linkage, groups):
    assert grouped(5, pairs, linkage) == groups


@st.composite
def alike(draw) -> list[Pair]:
    """Of 8 pictures, some pairs."""
    chosen = draw(st.sets(st.sampled_from(list(combinations(range(8), 2)))))
    return [Pair(*two, draw(st.integers(1, 5)) / 5) for two in sorted(chosen)]


@given(alike(), st.sampled_from(LINKAGES), st.randoms())
def test_every_picture_is_in_one_group_that_keeps_to_its_linkage_in_whatever_order_pairs_come(
    pairs, linkage, random,
):
    groups = grouped(8, pairs, linkage)
    assert sorted(number for group in groups for number in group) == list(range(8))
    assert grouped(8, random.sample(pairs, len(pairs)), linkage) == groups
    together = {(pair.first, pair.second) for pair in pairs}
    for group in groups:
        inner = [two for two in combinations(group, 2) if two in together]
        if linkage == COMPLETE:
            assert inner == list(combinations(group, 2))
        if linkage == LEADER and len(group) > 1:
            assert any(sum(leader in two for two in inner) == len(group) - 1 for leader in group)
        if linkage == CHAIN:
            assert not any((one in group) != (other in group) for one, other in together)


@pytest.mark.parametrize(("numbers", "weakest"), [
    ([0, 1, 2, 3], 0.7),
    ([0, 1, 2], 0.8),
    ([0], 1.0),
])
def test_the_weakest_link_is_the_least_that_a_group_needs(numbers, weakest):
    assert weakest_link(numbers, ROW) == weakest
    assert weakest_link(numbers, [*ROW, Pair(0, 2, 0.1)]) == weakest
