"""What a run has found: as data, and as the files that say it."""
from collections.abc import Sequence
from dataclasses import dataclass

from companions.cluster.groups import Cluster, Member
from companions.cluster.methods.method import Pair

CLUSTERS, PAIRS, PAGE = "clusters.json", "pairs.csv", "index.html"


@dataclass(frozen=True)
class Result:
    method: str
    threshold: float
    linkage: str
    members: Sequence[Member]  # by hash: what the numbers below stand for
    clusters: Sequence[Cluster]  # those of most files first, then by the hash of their first picture
    outliers: Sequence[int]  # pictures that are in none, ascending
    pairs: Sequence[Pair]  # all of at least the threshold, ascending
