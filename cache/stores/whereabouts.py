"""Where the files behind the rows of a database lie today: when it was moved together with its pictures, from
where it lies now."""
import os
import sqlite3
import stat
from collections.abc import Iterator

from cache.stores.sqlite_file import home_of
from cache.text import printable


class Whereabouts:
    """`then` is the folder in which the database lay when its rows were written, `now` the one it lies in."""

    def __init__(self, then: str, now: str):
        self._then, self._now = then, now
        self.moved = then != now and not _is_same_folder(then, now)

    def candidates(self, path: str) -> Iterator[str]:
        """Where a file may lie whose row says `path`, the likeliest first."""
        if self.moved:
            yield self.from_here(path)
        yield path

    def from_here(self, path: str) -> str:
        """The path that leads from where the database lies as `path` did from where it lay."""
        return os.path.normpath(os.path.join(self._now, os.path.relpath(path, self._then)))


def read_whereabouts(connection: sqlite3.Connection, path: str | os.PathLike) -> Whereabouts:
    """Of the database at `path`; one of version 1 does not say where it lay."""
    now = printable(home_of(path))
    is_known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'home'").fetchone()
    row = connection.execute("SELECT folder FROM home").fetchone() if is_known else None
    return Whereabouts(str(row["folder"]) if row else now, now)


def status_on_disk(path: str) -> os.stat_result | None:
    """Of the file, or of the outermost ZIP that the path leads into; None if there is none."""
    while path != os.path.dirname(path):
        try:
            status = os.stat(path)
        except (OSError, ValueError):  # ValueError: a null byte, in a row that somebody else wrote
            path = os.path.dirname(path)
        else:
            return status if stat.S_ISREG(status.st_mode) else None
    return None


def _is_same_folder(one: str, other: str) -> bool:
    """Reached by two ways, over a link."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False
