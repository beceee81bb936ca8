"""What every table of ours has in common: its connections, the table `skipped` beside it, random rows.

Not an ORM: a subclass of Table names its table and schema and keeps its own SQL.
"""
import os
import random
import sqlite3
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from cache.reader.source_file import Skipped
from cache.refusal import Missing, Refused
from cache.stores import sqlite_file

if TYPE_CHECKING:
    from typing_extensions import Self

RANDOM_TRIES = 32  # after that many holes a run of deleted rows is likelier than bad luck


class Table:
    """One open database file with our table `name` in it.

    Use as a context manager; `with table.connection:` is one transaction. Every thread has a connection of
    its own: Python's sqlite3 keeps prepared statements per connection, and two threads that run the same one
    at once get errors, or worse. What a thread has not committed the others do not see.
    """

    name: ClassVar[str] = ""
    schema: ClassVar[tuple[str, ...]] = ()
    older_schemas: ClassVar[tuple[tuple[str, ...], ...]] = ()
    page_size: ClassVar[int] = 4096

    def __init__(self, path: str | os.PathLike, create: bool = False):
        """`create` makes it where it is missing. Raises Refused for a missing, foreign or damaged one."""
        self.path = os.fspath(path)
        if create:
            self.create(path)
        if not os.path.isfile(path):
            raise Missing(f"no such database: {path}")
        self._connections = {threading.get_ident(): sqlite_file.opened(path, type(self))}

    @property
    def connection(self) -> sqlite3.Connection:
        """That of the calling thread, opened with its first use."""
        thread = threading.get_ident()
        connection = self._connections.get(thread)
        if connection is None:
            connection = self._connections[thread] = sqlite_file.opened(self.path, type(self))
        return connection

    @classmethod
    def create(cls, path: str | os.PathLike) -> bool:
        """Make an empty database; False if it was there already, then it is left as it is."""
        return sqlite_file.make(path, cls)

    @classmethod
    def delete_file(cls, path: str | os.PathLike) -> None:
        """Delete a database that is ours. Raises InUse while anybody else has it open."""
        sqlite_file.delete(path, cls)

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None,
    ) -> None:
        """SQLite does not say which of several databases is damaged."""
        malformed = isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error)
        damaged = malformed and not self._is_whole()
        self.close()
        if damaged:
            raise Refused(f"{self.path} is damaged ({error}); delete it, and it is made anew") from None

    def _is_whole(self) -> bool:
        try:
            return self.connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        except sqlite3.DatabaseError:
            return False

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def record_skips(self, skips: Iterable[Skipped]) -> None:
        """Within the caller's transaction: the newest reason for each path."""
        rows = ((skip.file_path, skip.reason, skip.detail) for skip in skips)
        self.connection.executemany("INSERT OR REPLACE INTO skipped VALUES (?, ?, ?)", rows)

    def forget_skips(self, file_paths: Iterable[str]) -> None:
        """Within the caller's transaction: of files that could be read now."""
        paths = ((path,) for path in file_paths)
        self.connection.executemany("DELETE FROM skipped WHERE file_path = ?", paths)

    def forget_missing(self, root: str, present: Iterable[str]) -> None:
        """Delete the rows of files at or under `root` whose absolute_path is not among `present`."""
        with self.connection as connection:
            connection.execute("CREATE TEMP TABLE IF NOT EXISTS present(absolute_path TEXT PRIMARY KEY)")
            connection.execute("DELETE FROM present")
            connection.executemany("INSERT OR IGNORE INTO present VALUES (?)", ((path,) for path in present))
            for separator in {"/", os.sep}:
                start = root.rstrip(separator) + separator
                end = start[:-1] + chr(ord(separator) + 1)
                # A range, which the index on absolute_path finds: from "root/" to the character behind "/".
                connection.execute(
                    f"""DELETE FROM {self.name}
                        WHERE (absolute_path = ? OR absolute_path >= ? AND absolute_path < ?)
                        AND absolute_path NOT IN (SELECT absolute_path FROM present)""",
                    (root, start, end))

    def absolute_path(self, hash_id: str) -> str | None:
        """Where an image with this hash lies, for the tables that have a row per file."""
        row = self._one("hash_id = ?", hash_id)
        return dict(row).get("absolute_path") if row else None

    def row_count(self) -> int:
        return self.connection.execute(f"SELECT count(*) FROM {self.name}").fetchone()[0]

    def clear(self) -> int:
        """Delete every row; returns how many there were."""
        with self.connection as connection:
            count = connection.execute(f"DELETE FROM {self.name}").rowcount
            connection.execute("DELETE FROM skipped")
        return count

    def random_row(self, condition: str = "1") -> sqlite3.Row | None:
        """A random row that meets the condition, None if there is none. Draws row numbers, so that its cost
        does not depend on the number of rows; `ORDER BY RANDOM()` reads them all."""
        # In two subqueries, because min and max in one read all; in one statement, because others may clear.
        first, last = self.connection.execute(
            f"SELECT (SELECT min(rowid) FROM {self.name}), (SELECT max(rowid) FROM {self.name})").fetchone()
        if first is None:
            return None
        for _ in range(RANDOM_TRIES):
            row = self._one(f"rowid = ? AND {condition}", random.randint(first, last))
            if row:
                return row
        start = random.randint(first, last)
        behind = self._one(f"rowid >= ? AND {condition} ORDER BY rowid", start)
        return behind or self._one(f"{condition} ORDER BY rowid")

    def _one(self, condition: str, *values: object) -> sqlite3.Row | None:
        query = f"SELECT * FROM {self.name} WHERE {condition} LIMIT 1"
        return self.connection.execute(query, values).fetchone()
