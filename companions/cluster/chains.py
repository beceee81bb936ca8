"""Clusters that hang on one link: two parts, and a single pair of alike pictures between them."""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from companions.cluster.groups import Cluster, Forest
from companions.cluster.methods.method import Pair


@dataclass(frozen=True)
class Chain:
    """link: the pair without which the cluster would be two; parts: the numbers of these two, that of
    link.first before that of link.second, each ascending."""

    link: Pair
    parts: tuple[tuple[int, ...], tuple[int, ...]]


def chains(clusters: Sequence[Cluster], pairs: Sequence[Pair], threshold: float) -> list[Chain | None]:
    """Of each cluster: how it is a chain, if it is one. Its two least alike pictures are less alike than the
    threshold then, and one pair holds them together. Of several such pairs the weakest counts, of equally
    weak ones that which parts the cluster most evenly. pairs: all of at least the threshold."""
    doubtful = [
        place for place, cluster in enumerate(clusters)
        if len(cluster.numbers) > 2 and 1 - cluster.diameter < threshold]
    cluster_of = {number: place for place in doubtful for number in clusters[place].numbers}
    inner: dict[int, list[Pair]] = {place: [] for place in doubtful}
    for pair in pairs:
        place = cluster_of.get(pair.first)
        if place is not None and place == cluster_of.get(pair.second):
            inner[place].append(pair)
    chain_at = {place: _chain(clusters[place].numbers, inner[place]) for place in doubtful}
    return [chain_at.get(place) for place in range(len(clusters))]


def _chain(numbers: Sequence[int], pairs: Sequence[Pair]) -> Chain | None:
    tree = _Tree(numbers, pairs)
    if len(tree.order) < len(numbers):  # a cluster that was not made of pairs
        return None
    sizes = tree.sizes()

    def weakest_and_most_even(place: int) -> tuple[float, int, int]:
        return tree.link[place].similarity, abs(len(numbers) - 2 * sizes[place]), place

    bridges = sorted(tree.bridges(pairs), key=weakest_and_most_even)
    return Chain(tree.link[bridges[0]], tree.parts(bridges[0])) if bridges else None


class _Tree:
    """Pictures in the order in which they are reached from the first one, over pairs, the nearest first: a
    place is after that of the picture from which it was reached."""

    def __init__(self, numbers: Sequence[int], pairs: Sequence[Pair]):
        pairs_of: dict[int, list[Pair]] = {number: [] for number in numbers}
        for pair in pairs:
            pairs_of[pair.first].append(pair)
            pairs_of[pair.second].append(pair)
        self.order = [numbers[0]]
        self.place_of = {numbers[0]: 0}
        self.above = [0]
        self.link: dict[int, Pair] = {}  # by place: with what is above it
        for place, number in enumerate(self.order):  # which grows meanwhile
            for pair in pairs_of[number]:
                self._reach(pair.first if pair.second == number else pair.second, place, pair)

    def _reach(self, number: int, above: int, link: Pair) -> None:
        if number not in self.place_of:
            self.link[len(self.order)] = link
            self.place_of[number] = len(self.order)
            self.order.append(number)
            self.above.append(above)

    def bridges(self, pairs: Sequence[Pair]) -> Iterator[int]:
        """The places that no other pair joins with what is above them (Tarjan 1974): every pair beside the
        tree closes a circle, whose places become one."""
        forest = Forest(len(self.order))  # the root of places that are one is the topmost of them
        in_tree = set(self.link.values())
        for pair in pairs:
            if pair not in in_tree:
                self._close(forest, self.place_of[pair.first], self.place_of[pair.second])
        return (place for place in self.link if forest.root(place) == place)

    def _close(self, forest: Forest, first: int, second: int) -> None:
        ends = {forest.root(first), forest.root(second)}
        while len(ends) > 1:
            lower = max(ends)
            forest.join(lower, self.above[lower])
            ends = {forest.root(end) for end in ends}

    def sizes(self) -> list[int]:
        """Of each place with all below it."""
        sizes = [1] * len(self.order)
        for place in range(len(self.order) - 1, 0, -1):
            sizes[self.above[place]] += sizes[place]
        return sizes

    def parts(self, cut: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers on both sides of the link above a place, that of its first end before."""
        below = [False] * len(self.order)
        for place in range(cut, len(self.order)):
            below[place] = place == cut or below[self.above[place]]
        first_is_below = below[self.place_of[self.link[cut].first]]
        sides: tuple[list[int], list[int]] = [], []
        for place, number in enumerate(self.order):
            sides[below[place] != first_is_below].append(number)
        return tuple(sorted(sides[0])), tuple(sorted(sides[1]))
