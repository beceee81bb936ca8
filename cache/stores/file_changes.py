"""How far a file cache is behind the files on disk: which are gone, which changed since they were read."""
import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cache.reader.source_file import disk_stamp
from cache.stores.whereabouts import Whereabouts, read_whereabouts, status_on_disk

AS_IT_WAS, GONE, CHANGED = "as it was", "gone", "changed"
PATHS_KEPT = 3  # of what may be a million


@dataclass(frozen=True)
class FileChanges:
    files: int  # in the cache
    gone: int
    changed: int
    paths: list[str]  # the first of those gone or changed


def file_changes(connection: sqlite3.Connection, path: str) -> FileChanges:
    """Looks at every file that the table `file_cache` of the database at `path` names."""
    whereabouts = read_whereabouts(connection, path)
    fates: Counter[str] = Counter()
    paths: list[str] = []
    for row in connection.execute("SELECT * FROM file_cache WHERE typeof(absolute_path) = 'text'"):
        fate = fate_of(dict(row), whereabouts)
        if fate == GONE and "\\x" in row["absolute_path"]:
            fate = AS_IT_WAS  # a name that is no UTF-8: where such a file lies cannot be told
        fates[fate] += 1
        if fate != AS_IT_WAS and len(paths) < PATHS_KEPT:
            paths.append(row["path"])
    return FileChanges(fates.total(), fates[GONE], fates[CHANGED], paths)


def fate_of(row: Mapping[str, Any], whereabouts: Whereabouts) -> str:
    """Of the file that a row of `file_cache` is about, as far as can be told without opening it: AS_IT_WAS,
    GONE, or CHANGED, which is also a copy that was put in its place."""
    statuses = map(status_on_disk, whereabouts.candidates(row["absolute_path"]))
    status = next(filter(None, statuses), None)
    if status is None:
        return GONE
    return AS_IT_WAS if _is_as_it_was(row, status, whereabouts.moved) else CHANGED


def place_today(row: Mapping[str, Any], whereabouts: Whereabouts) -> str | None:
    """Where the file of a row lies with the size and time that it had; None if it lies nowhere."""
    for path in whereabouts.candidates(row["absolute_path"]):
        status = status_on_disk(path)
        if status and _has_its_size_and_time(row, status):
            return path
    return None


def _is_as_it_was(row: Mapping[str, Any], status: os.stat_result, moved: bool) -> bool:
    is_stamped = row.get("stamp") and row["container_archive"] is None and not moved
    if is_stamped and row["stamp"].partition(" ")[2] != disk_stamp(status):
        return False
    return _has_its_size_and_time(row, status)


def _has_its_size_and_time(row: Mapping[str, Any], status: os.stat_result) -> bool:
    """A stamp begins with its version and the time (stamp_of() in file_table.py), which need not fit into a
    column; the size of what lies in a ZIP is not the ZIP's."""
    time = row["stamp"].split()[1] if row.get("stamp") else row["mtime_ns"]
    same_size = row["container_archive"] is not None or status.st_size == row["size_bytes"]
    return same_size and str(time) == str(status.st_mtime_ns)
