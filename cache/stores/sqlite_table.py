"""What every table of ours has in common: its connections, the table `skipped` beside it, random rows.

Not an ORM: a subclass of Table names its table and schema and keeps its own SQL.
"""
import os
import random
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from cache.files.paths import absolute_path, lies_in
from cache.reader.source_file import Skipped
from cache.refusal import Missing, Refused
from cache.stores import sqlite_file
from cache.stores.opened_database import may_be_written, opened
from cache.text import printable

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
    from_version_1: ClassVar[tuple[str, ...]] = ()
    page_size: ClassVar[int] = 4096

    def __init__(self, path: str | os.PathLike, create: bool = False):
        """`create` is for a run that writes: it makes the database where it is missing. Raises Refused for a
        missing, foreign or damaged one."""
        self.path = os.fspath(path)
        if create:
            self.create(path)
        if not os.path.isfile(path):
            raise Missing(f"no such database: {path}")
        if create:
            self._refuse_read_only()
        self._connections = {threading.get_ident(): opened(path, type(self))}

    @property
    def may_be_written(self) -> bool:
        return may_be_written(self.path)

    def _refuse_read_only(self) -> None:
        if not self.may_be_written:
            raise Refused(f"{self.path} cannot be written to")

    @property
    def connection(self) -> sqlite3.Connection:
        """That of the calling thread, opened with its first use."""
        thread = threading.get_ident()
        connection = self._connections.get(thread)
        if connection is None:
            connection = self._connections[thread] = opened(self.path, type(self))
        return connection

    @classmethod
    def create(cls, path: str | os.PathLike) -> bool:
        """Make an empty database; False if it was there already, then it is left as it is."""
        return sqlite_file.make(path, cls)

    @classmethod
    def doubtful(cls, path: str | os.PathLike) -> Iterable[str]:
        """Hashes whose rows are not taken over from version 1 of the database at `path`."""
        return ()

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

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """For what a subclass does before anybody can enter it."""
        try:
            yield
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise

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

    def forget_other_skips(self, source: str | os.PathLike, skips: Iterable[Skipped]) -> None:
        """Within the caller's transaction, after a whole run over `source`: of files there that the run has
        not skipped, or has skipped under another spelling."""
        root = printable(absolute_path(source))
        skipped = {skip.file_path for skip in skips}
        paths = [path for path, in self.connection.execute("SELECT file_path FROM skipped")]
        self.forget_skips(
            path for path in paths if path not in skipped and lies_in(absolute_path(path), root))

    def row_count(self) -> int:
        return self.connection.execute(f"SELECT count(*) FROM {self.name}").fetchone()[0]

    def clear(self) -> int:
        """Delete every row; returns how many there were. Raises Refused where nothing can be written."""
        self._refuse_read_only()
        with self.connection as connection:
            count = connection.execute(f"DELETE FROM {self.name}").rowcount
            connection.execute("DELETE FROM skipped")
        return count

    def random_row(
        self, condition: str = "1", accepted: Callable[[sqlite3.Row], bool] = lambda row: True,
    ) -> sqlite3.Row | None:
        """A random row that meets the condition and is accepted(row); None if there is none, or if none of
        some dozens is accepted. Draws row numbers, so that its cost does not depend on the number of rows;
        `ORDER BY RANDOM()` reads them all."""
        # In two subqueries, because min and max in one read all; in one statement, because others may clear.
        first, last = self.connection.execute(
            f"SELECT (SELECT min(rowid) FROM {self.name}), (SELECT max(rowid) FROM {self.name})").fetchone()
        if first is None:
            return None
        for _ in range(RANDOM_TRIES):
            row = self._one(f"rowid = ? AND {condition}", random.randint(first, last))
            if row and accepted(row):
                return row
        query = f"SELECT * FROM {self.name} WHERE rowid >= ? AND {condition} ORDER BY rowid LIMIT ?"
        for start in (random.randint(first, last), first):
            rows = self.connection.execute(query, (start, RANDOM_TRIES)).fetchall()
            row = next(filter(accepted, rows), None)
            if row:
                return row
        return None

    def _one(self, condition: str, *values: object) -> sqlite3.Row | None:
        query = f"SELECT * FROM {self.name} WHERE {condition} LIMIT 1"
        return self.connection.execute(query, values).fetchone()
