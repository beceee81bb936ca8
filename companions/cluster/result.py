"""What a run has found: as data, and as the files that say it."""
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from cache.files.csv_file import write_csv
from cache.files.whole_file import whole_file
from companions.cluster.groups import Cluster, Member, file_count
from companions.cluster.methods.method import Pair

CLUSTERS, PAIRS, PAGE = "clusters.json", "pairs.csv", "index.html"
COLUMNS = ("file_path_a", "file_path_b", "similarity")


@dataclass(frozen=True)
class Result:
    method: str
    threshold: float
    linkage: str
    members: Sequence[Member]  # by hash: what the numbers below stand for
    clusters: Sequence[Cluster]  # those of most files first, then by the hash of their first picture
    outliers: Sequence[int]  # pictures that are in none, ascending
    pairs: Sequence[Pair]  # all of at least the threshold, ascending

    @property
    def files(self) -> int:
        """All there are, copies included."""
        return file_count(self.members, range(len(self.members)))


def cluster_name(place: int) -> str:
    """Of a cluster by its place among them, which begins at 0: as in clusters.json, and its folder's name."""
    return f"cluster_{place + 1}"


def write_clusters(path: str | os.PathLike, result: Result) -> None:
    """JSON with a line for each file, copies included."""
    with whole_file(path) as file:
        file.writelines(_json_lines(result))


def write_pairs(path: str | os.PathLike, result: Result) -> None:
    """A row for each pair of pictures, by their first files, and for each copy and the file that it is a copy
    of."""
    write_csv(path, COLUMNS, _pair_rows(result))


def _json_lines(result: Result) -> Iterator[bytes]:
    head = orjson.dumps({"method": result.method, "threshold": result.threshold, "linkage": result.linkage})
    yield head[:-1] + b',\n"clusters":['
    for place, cluster in enumerate(result.clusters):
        facts = {"name": cluster_name(place), "weakest": cluster.weakest, "diameter": cluster.diameter}
        yield (b",\n" if place else b"\n") + orjson.dumps(facts)[:-1] + b',"pictures":['
        yield from _file_lines(result, cluster.numbers)
        yield b"\n]}"
    yield b'\n],\n"outliers":['
    yield from _file_lines(result, result.outliers)
    yield b"\n]}\n"


def _file_lines(result: Result, numbers: Iterable[int]) -> Iterator[bytes]:
    separator = b"\n"
    for number in numbers:
        member = result.members[number]
        for place in member.places:
            yield separator + orjson.dumps({"hash_id": member.hash_id, "file_path": place.file_path})
            separator = b",\n"


def _pair_rows(result: Result) -> Iterator[tuple[str, str, float]]:
    for member in result.members:
        first, *copies = (place.file_path for place in member.places)
        yield from ((first, copy, 1.0) for copy in copies)
    for pair in result.pairs:
        first, second = (result.members[number].places[0].file_path for number in (pair.first, pair.second))
        yield first, second, pair.similarity
