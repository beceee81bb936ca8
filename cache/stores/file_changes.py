"""How far a file cache is behind the files on disk: which are gone, which changed since they were read."""
import os
import sqlite3
import stat
from collections import Counter
from dataclasses import dataclass
from typing import Literal

PATHS_KEPT = 3  # of what may be a million


@dataclass(frozen=True)
class FileChanges:
    files: int  # in the cache
    gone: int
    changed: int
    paths: list[str]  # the first of those gone or changed


def file_changes(connection: sqlite3.Connection) -> FileChanges:
    """Looks at every file that the table `file_cache` of this database names."""
    fates: Counter[str] = Counter()
    paths: list[str] = []
    rows = connection.execute(
        "SELECT path, absolute_path, size_bytes, mtime_ns, container_archive FROM file_cache")
    for row in rows:
        fate = _fate(row)
        fates[fate] += 1
        if fate != "as it was" and len(paths) < PATHS_KEPT:
            paths.append(row["path"])
    return FileChanges(fates.total(), fates["gone"], fates["changed"], paths)


def _fate(row: sqlite3.Row) -> Literal["as it was", "gone", "changed"]:
    status = _status_on_disk(row["absolute_path"])
    if status is None:
        name_is_no_utf8 = "\\x" in row["absolute_path"]  # where such a file lies cannot be told
        return "as it was" if name_is_no_utf8 else "gone"
    in_archive = row["container_archive"] is not None  # then size_bytes is the member's, not the ZIP's
    same_size = in_archive or status.st_size == row["size_bytes"]
    return "as it was" if same_size and status.st_mtime_ns == row["mtime_ns"] else "changed"


def _status_on_disk(path: str) -> os.stat_result | None:
    """Of the file, or of the outermost ZIP that the path leads into; None if there is none."""
    while path != os.path.dirname(path):
        try:
            status = os.stat(path)
        except (OSError, ValueError):  # ValueError: a null byte, in a row that somebody else wrote
            path = os.path.dirname(path)
        else:
            return status if stat.S_ISREG(status.st_mode) else None
    return None
