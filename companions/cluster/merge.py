"""Earlier results joined by comparing all their pictures: as one run over all would, without opening any.

    from companions.cluster.merge import merge
    merge(["output/summer", "output/winter"])["clusters"]

Their pictures are those of their clusters.json, their features those of the feature cache.
"""
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from cache.files.paths import absolute_path
from cache.reader.stored_file import stored_file
from cache.refusal import Missing, Refused
from cache.stores.file_table import FileTable
from cache.text import first_few, plural
from companions.cluster.earlier_result import Earlier, read_earlier
from companions.cluster.feature_table import FeatureTable
from companions.cluster.groups import Member, Place
from companions.cluster.methods import method_named
from companions.cluster.methods.method import Method
from companions.cluster.numbered_features import NumberedFeatures
from companions.cluster.output_folder import OutputFolder
from companions.cluster.pixel_features import FEATURES, stored_features, stored_sharpness
from companions.cluster.placing import MOVE
from companions.cluster.run import CACHE_FOLDER, check, clustered, outcome, write_output

UNKNOWN = 0  # bytes: no file with a picture has so few


def merge(
    results: Sequence[str],
    output: str = "./output/clusters",
    method: str | None = None,
    threshold: float | None = None,
    linkage: str | None = None,
    *,
    place: str | None = None,
    batch_size: int = 1000,
) -> dict:
    """Join what earlier runs wrote into these folders: as run.cluster(), {clusters, outliers, written} and
    with `place` {placed}. method, threshold, linkage: None are those of the results. Raises Refused for
    results that do not agree, and for pictures whose features are gone."""
    if place == MOVE:
        raise Refused("originals are moved by the run over them; a merge can copy them or link to them")
    earlier = [read_earlier(folder) for folder in results]
    chosen = method_named(_agreed(earlier, "method"))
    if method not in (None, chosen.name):
        raise Refused(f"the results were made with {chosen.name}, not with {method}")
    at_least = _agreed(earlier, "threshold") if threshold is None else threshold
    linkage = linkage or _agreed(earlier, "linkage")
    check(at_least, linkage, place)
    with ExitStack() as stack:
        folder = stack.enter_context(OutputFolder(output))
        members, features = read_merged(earlier, chosen, CACHE_FOLDER, batch_size, stack)
        result = clustered(chosen, members, features, at_least, linkage)
        placed = write_output(result, folder, place, " and ".join(results))
    return outcome(result, output, placed)


def _agreed(results: Sequence[Earlier], what: str) -> Any:
    """What all of them have in common: their method, threshold or linkage. Raises Refused if they differ."""
    first, *others = results
    for other in others:
        values = getattr(first, what), getattr(other, what)
        if values[0] != values[1]:
            raise Refused(f"{first.folder} was made with {what} {values[0]}, {other.folder} with "
                          f"{values[1]}; make one of them anew")
    return getattr(first, what)


def read_merged(
    results: Sequence[Earlier], method: Method, cache_folder: str, at_once: int, stack: ExitStack,
) -> tuple[list[Member], NumberedFeatures]:
    """All their pictures as members, by hash, and their features. Raises Refused if there are none of some
    picture."""
    table = stack.enter_context(FeatureTable(os.path.join(cache_folder, FEATURES)))
    files = stack.enter_context(FileTable(os.path.join(cache_folder, "file_cache.sqlite"), create=True))
    paths_of: dict[str, list[str]] = {}
    for hash_id, file_path in _files_once(results):
        paths_of.setdefault(hash_id, []).append(file_path)
    hash_ids = sorted(paths_of)
    lacking = [hash_id for hash_id in hash_ids if not table.has(hash_id, method.name, method.version)]
    if lacking:
        raise Refused(_lacking(table, method, [path for hash_id in lacking for path in paths_of[hash_id]],
                               table.versions(lacking[0], method.name)))
    features = stored_features(table, method, hash_ids, at_once)
    sharpness_of = zip(hash_ids, stored_sharpness(table, method, hash_ids), strict=True)
    members = [_member(files, hash_id, paths_of[hash_id], sharpness) for hash_id, sharpness in sharpness_of]
    return members, features


def _files_once(results: Sequence[Earlier]) -> Iterator[tuple[str, str]]:
    """A file that several results list, however they spell its path, is one. Raises Refused if they saw other
    pictures in it: then one of them is no longer true."""
    seen: dict[str, set[str]] = {}
    for result in results:
        here: dict[str, set[str]] = {}
        for hash_id, file_path in result.files:
            place = absolute_path(file_path)
            here.setdefault(place, set()).add(hash_id)
            if place not in seen:
                yield hash_id, file_path
            elif hash_id not in seen[place]:
                raise Refused(f"{file_path} has changed between the results; make both anew")
        seen.update(here)


def _lacking(table: FeatureTable, method: Method, paths: Sequence[str], versions: Sequence[int]) -> str:
    others = f" (there are those of version {', '.join(map(str, versions))})" if versions else ""
    return (f"{table.path} has no features of version {method.version} of {method.name}{others} of "
            f"{plural(len(paths), 'file')}; run cluster over them again: {first_few(paths)}")


def _member(files: FileTable, hash_id: str, paths: Sequence[str], sharpness: float) -> Member:
    known = files.last_known(hash_id) or {}
    width, height = (known.get(side) for side in ("width", "height"))
    size = (width, height) if isinstance(width, int) and isinstance(height, int) else (0, 0)
    places = sorted(_place(files, hash_id, path) for path in paths)
    return Member(hash_id, *size, sharpness, tuple(places))


def _place(files: FileTable, hash_id: str, file_path: str) -> Place:
    """Where the file cache does not know it as the same file with the same picture, of unknown size: nobody
    then takes it for the one that was compared."""
    path = absolute_path(file_path)
    try:
        file = stored_file(path)
    except (Missing, OSError, ValueError):  # gone, or no path that a system takes
        return Place(file_path, path, False, UNKNOWN)
    if file.size < 0:
        return Place(file_path, path, True, UNKNOWN)
    picture = files.known(file)
    if picture is None or picture.hash_id != hash_id:
        return Place(file_path, path, False, UNKNOWN)
    return Place(file_path, path, False, file.size, file.stamp)
