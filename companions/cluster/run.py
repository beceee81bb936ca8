"""A run of it: pictures -> features -> pairs -> clusters -> the files that say it.

    from companions.cluster.run import cluster
    cluster("photos", method="orb")["clusters"]
"""
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import combinations, islice

from cache.command_line import refuse_output_inside
from cache.files.paths import absolute_path
from cache.limits import Limits
from cache.progress import PATIENCE, progress_bar
from cache.reader.batches import Counts
from cache.refusal import Refused
from cache.stores.kept_thumbnails import thumbnails_in
from cache.text import printable
from companions.cluster.groups import CHAIN, LINKAGES, Cluster, Member, file_count, grouped, weakest_link
from companions.cluster.journal import Move, write_journal
from companions.cluster.methods import method_named
from companions.cluster.methods.method import DIGITS, Features, Method, Pair
from companions.cluster.move_plan import plan
from companions.cluster.moving import go_on, is_cut_short
from companions.cluster.output_folder import OutputFolder
from companions.cluster.page import write_result_page
from companions.cluster.placing import MOVE, PLACED, PLACINGS, Placed, place_files
from companions.cluster.reading import CLIP_CACHE, Reading, read
from companions.cluster.result import CLUSTERS, PAGE, PAIRS, Result, write_clusters, write_pairs
from companions.cluster.suggest import write_thresholds

CACHE_FOLDER = "./output"
MOST_COMPARED = 120  # pairs of a cluster that its index has not offered: all of 16 pictures


def cluster(
    input_folder: str,
    output: str = "./output/clusters",
    method: str = "orb",
    threshold: float | None = None,
    linkage: str = CHAIN,
    *,
    place: str | None = None,
    suggest: bool = False,
    clip_cache: str = CLIP_CACHE,
    batch_size: int = 1000,
    num_threads: int = 4,
    thumbnails: bool = True,
    limits: Limits = Limits(),
    counts: Counts | None = None,
) -> dict:
    """Group the pictures under input_folder: {clusters, outliers (pictures), processed, unchanged, skipped,
    written}. Raises Refused for what cannot be done.

    threshold: 0 to 1, None is the method's own. place: one of PLACINGS, then `placed` says what became of the
    files; where a move that was cut short went on, there is nothing but that. suggest: write what each
    threshold would find, and no clusters. clip_cache: for the method clip, or a metadata JSON of stage 1.
    counts is filled for the caller, also where the run is cut short."""
    chosen = method_named(method)
    counts = Counts() if counts is None else counts
    at_least = chosen.threshold if threshold is None else threshold
    check(at_least, linkage, place)
    refuse_output_inside(input_folder, output, keeps_input=False)
    refuse_output_inside(input_folder, CACHE_FOLDER)
    reading = Reading(input_folder, CACHE_FOLDER, num_threads, batch_size, thumbnails, limits, clip_cache)
    if suggest:
        return write_thresholds(reading, chosen, output, counts)
    command = f"{absolute_path(input_folder)} {method} {at_least} {linkage}"
    if place == MOVE and is_cut_short(output, command):
        return {**counts.as_dict(), "written": [], "placed": go_on(output)}
    with ExitStack() as stack:
        folder = stack.enter_context(OutputFolder(output))
        members, features = read(reading, chosen, stack, counts)
        result = clustered(chosen, members, features, at_least, linkage)
        placed = write_output(result, folder, place, input_folder, command=command, limits=limits)
    if placed and place == MOVE:
        placed.add(go_on(output))
    return {**outcome(result, output, placed), **counts.as_dict()}


def outcome(result: Result, output: str, placed: Placed | None) -> dict:
    """As cluster() gives it: {clusters, outliers, written} and `placed`, where files were placed."""
    names = [CLUSTERS, PAIRS, PAGE] if placed is None else [CLUSTERS, PAIRS, PAGE, PLACED]
    found = {"clusters": len(result.clusters), "outliers": len(result.outliers),
             "written": [f"{output}/{name}" for name in names]}
    return found if placed is None else {**found, "placed": placed}


def write_output(
    result: Result, folder: OutputFolder, place: str | None, source: str,
    *, command: str = "", limits: Limits = Limits(),
) -> Placed | None:
    """source: what was grouped, as given. What is moved is only planned here: originals move when the output
    is in its place."""
    building = folder.building
    write_clusters(building / CLUSTERS, result)
    write_pairs(building / PAIRS, result)
    placed: Placed | None = None
    moves: list[Move] = []
    if place == MOVE:
        placed, moves = plan(result, source, building)
    elif place:
        placed = place_files(result, place, building)
    moved_to = {printable(move.source): str(folder.final / move.target) for move in moves}
    with thumbnails_in(CACHE_FOLDER) as kept:
        write_result_page(
            building / PAGE, result, source=source, kept=kept, lies_in=folder.final, limits=limits,
            moved_to=moved_to)
    if moves:
        write_journal(building, command, moves)
    return placed


def clustered(
    method: Method, members: Sequence[Member], features: Features, threshold: float, linkage: str,
) -> Result:
    """members and features: by the same numbers."""
    pairs = sorted(_watched(method.pairs(features, threshold)))
    groups = grouped(len(members), pairs, linkage)
    of_several = [group for group in groups if len(group) > 1 or len(members[group[0]].places) > 1]
    together = set().union(*of_several)
    clusters = _measured(method, features, of_several, pairs)

    def most_files_first(cluster: Cluster) -> tuple[int, tuple[int, ...]]:
        return -file_count(members, cluster.numbers), cluster.numbers

    return Result(
        method=method.name,
        threshold=threshold,
        linkage=linkage,
        members=members,
        clusters=sorted(clusters, key=most_files_first),
        outliers=[number for number in range(len(members)) if number not in together],
        pairs=pairs,
    )


def _watched(pairs: Iterator[Pair]) -> Iterator[Pair]:
    with progress_bar(None, "pairs", "alike", delay=PATIENCE) as bar:
        for pair in pairs:
            bar.update()
            yield pair


def _measured(
    method: Method, features: Features, groups: Sequence[Sequence[int]], pairs: Sequence[Pair],
) -> Iterator[Cluster]:
    group_of = {number: place for place, group in enumerate(groups) for number in group}
    inner: list[list[Pair]] = [[] for _ in groups]
    for pair in pairs:
        if group_of[pair.first] == group_of[pair.second]:
            inner[group_of[pair.first]].append(pair)
    for group, pairs_of_group in zip(groups, inner, strict=True):
        least = min((pair.similarity for pair in pairs_of_group), default=1.0)
        others = _others_least(method, features, group, pairs_of_group)
        diameter = round(1 - min(least, others), DIGITS)
        yield Cluster(tuple(group), weakest_link(group, pairs_of_group), diameter)


def _others_least(
    method: Method, features: Features, group: Sequence[int], pairs: Sequence[Pair],
) -> float:
    """Of the pairs that are less alike than the threshold: of all there are in a small cluster."""
    known = {(pair.first, pair.second) for pair in pairs}
    unknown = list(islice((two for two in combinations(group, 2) if two not in known), MOST_COMPARED))
    numbers = sorted({number for two in unknown for number in two})
    features_of = dict(zip(numbers, features.of(numbers), strict=True))
    similarities = (method.similarity(features_of[first], features_of[second]) for first, second in unknown)
    return min(similarities, default=1.0)


def check(threshold: float, linkage: str, place: str | None) -> None:
    if not 0 <= threshold <= 1:
        raise Refused(f"the threshold {threshold:g} is not between 0 and 1: 1 is identical")
    if linkage not in LINKAGES:
        raise Refused(f"there is no linkage {linkage}; there are {', '.join(LINKAGES)}")
    if place not in (None, *PLACINGS):
        raise Refused(f"there is no way to place files called {place}; there are {', '.join(PLACINGS)}")
