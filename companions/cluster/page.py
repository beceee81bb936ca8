"""index.html: each cluster as a contact sheet, the outliers behind them, and which picture of each to keep.

Pictures and files are data of the page, from which its script shows a part at a time: ten thousand clusters
are as quick as three.
"""
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from cache.limits import Limits
from cache.pages.html_page import write_page
from cache.pages.thumbnails import Kept
from cache.text import on_one_line, plural
from companions.cluster.chains import Chain, chains
from companions.cluster.groups import Member, file_count
from companions.cluster.picture_rows import TEMPLATES, Rows, embedded
from companions.cluster.result import CLUSTERS, Result, cluster_name

MOST_THUMBNAILS = 600  # about 2.6 MB
MOST_OF_OUTLIERS = 60  # of these, if there are so many
MOST_SHOWN = 12  # of a cluster, before all of it is asked for
AT_ONCE = 30  # clusters
MOST_FILES = 50_000  # that the page knows of: about 4 MB


def write_result_page(
    path: str | os.PathLike, result: Result, *, source: str, kept: Kept, lies_in: str | os.PathLike,
    limits: Limits = Limits(), notes: Sequence[str] = (), moved_to: Mapping[str, str] | None = None,
) -> None:
    """source: what was grouped, as given. lies_in: the folder in which the page will be found, from where its
    links lead. notes: what else is to be known of the run. moved_to: by absolute path, where files will lie
    then that lie elsewhere now."""
    chain_of = chains(result.clusters, result.pairs, result.threshold)
    listed = _listed(result)
    parts = [
        _parts(result.members, cluster.numbers, of_chain)
        for cluster, of_chain in zip(result.clusters[:listed.clusters], chain_of, strict=False)]
    outliers = sorted(result.outliers, key=lambda number: result.members[number].places)[:listed.outliers]
    wanted = _thumbnails_wanted(parts, outliers)
    shown = embedded(result.members, wanted, kept, limits)
    rows = Rows(result.members, list(shown), lies_in, moved_to)
    data = {
        **rows.head,
        "at_once": AT_ONCE,
        "most_shown": MOST_SHOWN,
        "clusters": [
            _cluster_row(result, place, parts_of_it, chain_of[place], rows)
            for place, parts_of_it in enumerate(parts)],
        "outliers": [rows.picture(number) for number in outliers],
        "thumbnails": list(shown.values()),
    }
    write_page(
        path, TEMPLATES, "clusters.html",
        title=f"Alike pictures in {on_one_line(source)}", summary=[*_summary(result, chain_of), *notes],
        unlisted=_unlisted(result, listed), data=data, chains=sum(map(bool, chain_of)),
        clusters=len(result.clusters), outliers=len(result.outliers), plural=plural, results=CLUSTERS)


@dataclass(frozen=True)
class _Listed:
    clusters: int
    outliers: int


def _listed(result: Result) -> _Listed:
    """How many the page knows of: as many of the first clusters as its files are enough for, then
    outliers."""
    files = 0
    for place, cluster in enumerate(result.clusters):
        files += file_count(result.members, cluster.numbers)
        if files > MOST_FILES:
            return _Listed(place, 0)
    return _Listed(len(result.clusters), MOST_FILES - files)


def _parts(members: Sequence[Member], numbers: Sequence[int], of_chain: Chain | None) -> list[list[int]]:
    """All of a cluster, or the two sides of a chain: the best first, but before all who holds the link."""
    if of_chain is None:
        return [_best_first(members, numbers)]
    ends = (of_chain.link.first, of_chain.link.second)
    return [
        [end, *_best_first(members, [number for number in part if number != end])]
        for end, part in zip(ends, of_chain.parts, strict=True)]


def _best_first(members: Sequence[Member], numbers: Iterable[int]) -> list[int]:
    """The largest first, of equally large ones that of the largest file, which lost the least when it was
    saved: by sharpness a JPEG and its original cannot be told apart."""
    def merit(number: int) -> tuple:
        member = members[number]
        bytes_of_file = max(place.size_bytes for place in member.places)
        return -member.width * member.height, -bytes_of_file, -member.sharpness, member.places

    return sorted(numbers, key=merit)


def _thumbnails_wanted(clusters: Sequence[Sequence[Sequence[int]]], outliers: Sequence[int]) -> list[int]:
    """What is seen first gets them: the first clusters, then chains, then the other clusters."""
    def chains_first(place: int) -> tuple[bool, bool, int]:
        return place >= AT_ONCE, len(clusters[place]) == 1, place

    of_outliers = outliers[:MOST_OF_OUTLIERS]
    in_order = (clusters[place] for place in sorted(range(len(clusters)), key=chains_first))
    seen = (number for parts in in_order for part in parts for number in part[:MOST_SHOWN // len(parts)])
    of_clusters = list(islice(seen, MOST_THUMBNAILS - len(of_outliers)))
    return [*of_clusters, *outliers[:MOST_THUMBNAILS - len(of_clusters)]]


def _cluster_row(
    result: Result, place: int, parts: Sequence[Sequence[int]], of_chain: Chain | None, rows: Rows,
) -> dict:
    cluster = result.clusters[place]
    return {
        "name": cluster_name(place),
        "weakest": cluster.weakest,
        "diameter": cluster.diameter,
        "link": of_chain.link.similarity if of_chain else None,
        "parts": [[rows.picture(number) for number in part] for part in parts],
    }


def _summary(result: Result, chain_of: Sequence[Chain | None]) -> list[str]:
    in_clusters = sum(file_count(result.members, cluster.numbers) for cluster in result.clusters)
    found = f"{plural(len(result.clusters), 'cluster')} of {plural(in_clusters, 'file')}"
    found = found if result.clusters else "No clusters"
    alone = plural(len(result.outliers), "outlier")
    how = f"{result.method}, alike from {result.threshold:g} on, linkage {result.linkage}."
    hanging = sum(map(bool, chain_of))
    return [f"{found}, {alone}", f"{how} {_about_chains(hanging)}".strip()]


def _about_chains(hanging: int) -> str:
    if not hanging:
        return ""
    verb = "hangs" if hanging == 1 else "hang"
    return f"{plural(hanging, 'cluster')} {verb} on one link: look whether both sides belong together."


def _unlisted(result: Result, listed: _Listed) -> str:
    clusters = len(result.clusters) - listed.clusters
    outliers = max(0, len(result.outliers) - listed.outliers)
    missing = [plural(count, name) for count, name in ((clusters, "cluster"), (outliers, "outlier")) if count]
    return f"In {CLUSTERS} alone: {' and '.join(missing)} more." if missing else ""
