"""Chains: clusters that would be two without one pair."""
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from companions.cluster.chains import Chain, chains
from companions.cluster.groups import CHAIN, Cluster, grouped
from companions.cluster.methods.method import Pair

COUNT = 7


@st.composite
def joined(draw) -> tuple[Cluster, list[Pair]]:
    """A cluster of some numbers below COUNT that pairs join, beside pairs of others."""
    ends = [(first, second) for first in range(COUNT) for second in range(first + 1, COUNT)]
    chosen = draw(st.lists(st.sampled_from(ends), unique=True, max_size=11))
    pairs = [Pair(*two, draw(st.sampled_from([0.2, 0.3, 0.3, 0.9]))) for two in sorted(chosen)]
    group = max(grouped(COUNT, pairs, CHAIN), key=len)
    return Cluster(tuple(group), 0.2, draw(st.sampled_from([0.7, 0.9]))), pairs


def sides_without(pair: Pair, pairs: Sequence[Pair], numbers: Sequence[int]) -> list[list[int]]:
    without = [other for other in pairs if other != pair]
    return [group for group in grouped(COUNT, without, CHAIN) if set(group) <= set(numbers)]


@given(joined())
def test_a_cluster_is_a_chain_where_taking_one_pair_away_makes_it_two_that_are_not_alike(drawn):
    cluster, pairs = drawn
    ways = []
    for pair in pairs:
        sides = sides_without(pair, pairs, cluster.numbers)
        if pair.first in cluster.numbers and len(sides) == 2:
            sides.sort(key=lambda side: pair.first not in side)
            ways.append(Chain(pair, (tuple(sides[0]), tuple(sides[1]))))
    [chain] = chains([cluster], pairs, 0.25)
    if len(cluster.numbers) < 3 or cluster.diameter < 0.75 or not ways:
        assert chain is None
    else:
        def rank(way: Chain) -> tuple[float, int]:
            return way.link.similarity, abs(len(way.parts[0]) - len(way.parts[1]))

        assert chain in ways
        assert rank(chain) == min(map(rank, ways))


def test_a_cluster_that_was_not_made_of_pairs_is_none():
    assert chains([Cluster((0, 1, 2, 3), 0.2, 0.9)], [Pair(0, 1, 0.5), Pair(2, 3, 0.5)], 0.3) == [None]


def test_each_cluster_is_judged_by_its_own_pairs():
    pairs = [Pair(0, 1, 0.5), Pair(1, 2, 0.4), Pair(3, 4, 0.5), Pair(3, 5, 0.6), Pair(4, 5, 0.7)]
    clusters = [Cluster((3, 4, 5), 0.5, 0.9), Cluster((0, 1, 2), 0.4, 0.9), Cluster((6,), 1.0, 0.0)]
    assert chains(clusters, pairs, 0.3) == [None, Chain(Pair(1, 2, 0.4), ((0, 1), (2,))), None]
