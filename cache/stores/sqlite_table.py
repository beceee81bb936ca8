"""What every table of ours has in common: its connections, the `skipped` table beside it, random rows, clearing.

Not an ORM: a subclass of Table names its table and schema and keeps its own SQL.
"""
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from sqlite3 import DatabaseError  # for rooms that have to answer for it without speaking SQL

from cache.files.whole_file import make_folder
from cache.reader.source_file import Skipped
from cache.refusal import InUse, Missing, Refused
from cache.stores.sqlite_file import (
    APPLICATION_ID,
    BUSY_SECONDS,
    SCHEMA_VERSION,
    SKIPPED_SCHEMA,
    connect,
    is_empty,
    verify,
)

RETRY_SECONDS = 0.01
RANDOM_TRIES = 32  # after that many holes a run of deleted rows is likelier than bad luck


class Table:
    """One open database file with our table `name` in it. Use as a context manager; `with table.connection:` is one transaction.

    Every thread has a connection of its own: Python's sqlite3 keeps prepared statements per connection, and two threads that run the
    same one at once get errors, or worse. What a thread has not committed the others do not see.
    """

    name = ""
    schema: tuple[str, ...] = ()
    page_size = 4096

    def __init__(self, path: str | os.PathLike, create: bool = False):
        """Open `path`, with `create` making it where it is missing. Raises Refused for a missing, foreign or damaged database."""
        self.path = os.fspath(path)
        if create:
            self.create(path)
        if not os.path.isfile(path):
            raise Missing(f"no such database: {path}")
        self._connections = {threading.get_ident(): self._verified(path)}

    @property
    def connection(self) -> sqlite3.Connection:
        """That of the calling thread, opened with its first use."""
        connection = self._connections.get(threading.get_ident())
        if connection is None:
            connection = self._connections[threading.get_ident()] = self._verified(self.path)
        return connection

    @classmethod
    def create(cls, path: str | os.PathLike) -> bool:
        """Make an empty database; False if it was there already, then it is left as it is."""
        make_folder(os.path.dirname(os.path.abspath(path)))
        connection = connect(path, "rwc")
        try:
            if not is_empty(connection, path):
                verify(connection, path, cls)
                return False
            connection.execute(f"PRAGMA page_size = {cls.page_size}")
            _enter_wal(connection)
            return cls._create_tables(connection)
        finally:
            connection.close()

    @classmethod
    def delete_file(cls, path: str | os.PathLike) -> None:
        """Delete the database, after making sure that it is ours. Raises Refused while anybody else has it open: what they would write
        next would be lost, or end in the next database of that name."""
        connection = cls._verified(path)
        try:
            # Leaving WAL takes the database for this connection alone, and removes -wal and -shm.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = DELETE")
            if os.name == "nt":  # which deletes nothing that is open
                connection.close()
            Path(path).unlink()
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            raise InUse(f"{path} is in use; it was not deleted, try again when nobody has it open") from None
        finally:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace) -> None:
        """SQLite does not say which of several databases is damaged."""
        damaged = isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error) and not self._is_whole()
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
        self.connection.executemany("DELETE FROM skipped WHERE file_path = ?", ((path,) for path in file_paths))

    def forget_missing(self, root: str, present: Iterable[str]) -> None:
        """Delete the rows of files at or under `root` (absolute) whose absolute_path is not among `present`."""
        with self.connection:
            self.connection.execute("CREATE TEMP TABLE IF NOT EXISTS present(absolute_path TEXT PRIMARY KEY)")
            self.connection.execute("DELETE FROM present")
            self.connection.executemany("INSERT OR IGNORE INTO present VALUES (?)", ((path,) for path in present))
            for separator in {"/", os.sep}:
                start = root.rstrip(separator) + separator
                # From "root/" to the character behind "/": a range that the index on absolute_path finds.
                self.connection.execute(
                    f"""DELETE FROM {self.name} WHERE (absolute_path = ? OR absolute_path >= ? AND absolute_path < ?)
                        AND absolute_path NOT IN (SELECT absolute_path FROM present)""",
                    (root, start, start[:-1] + chr(ord(separator) + 1)))

    def absolute_path(self, hash_id: str) -> str | None:
        """Where an image with this hash lies, for the tables that have a row per file."""
        row = self._one("hash_id = ?", hash_id)
        return row["absolute_path"] if row and "absolute_path" in row.keys() else None  # noqa: SIM118  a Row is no dict

    def row_count(self) -> int:
        return self.connection.execute(f"SELECT count(*) FROM {self.name}").fetchone()[0]

    def clear(self) -> int:
        """Delete every row; returns how many there were."""
        with self.connection:
            count = self.connection.execute(f"DELETE FROM {self.name}").rowcount
            self.connection.execute("DELETE FROM skipped")
        return count

    def random_row(self, condition: str = "1") -> sqlite3.Row | None:
        """A random row that meets the condition, None if there is none. Draws row numbers, so that its cost does not depend on the
        number of rows; `ORDER BY RANDOM()` reads them all."""
        # Two subqueries, because min and max in one read the whole table; one statement, because others may clear it in between.
        first, last = self.connection.execute(
            f"SELECT (SELECT min(rowid) FROM {self.name}), (SELECT max(rowid) FROM {self.name})").fetchone()
        if first is None:
            return None
        for _ in range(RANDOM_TRIES):
            row = self._one(f"rowid = ? AND {condition}", random.randint(first, last))
            if row:
                return row
        start = random.randint(first, last)
        return self._one(f"rowid >= ? AND {condition} ORDER BY rowid", start) or self._one(f"{condition} ORDER BY rowid")

    def _one(self, condition: str, *values) -> sqlite3.Row | None:
        return self.connection.execute(f"SELECT * FROM {self.name} WHERE {condition} LIMIT 1", values).fetchone()

    @classmethod
    def _verified(cls, path: str | os.PathLike) -> sqlite3.Connection:
        connection = connect(path, "rw")
        try:
            verify(connection, path, cls)
        except BaseException:
            connection.close()
            raise
        return connection

    @classmethod
    def _create_tables(cls, connection: sqlite3.Connection) -> bool:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (cls.name,)).fetchone():
                return False  # another process was faster
            for statement in (*cls.schema, SKIPPED_SCHEMA):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        return True


def _enter_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for who is doing the same to a new database at this moment, but gives up at once: so we wait."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


def is_busy(error: DatabaseError) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def database_path(out_dir: str | os.PathLike, db_name: str) -> str:
    return os.path.join(os.fspath(out_dir), db_name)


def created(table: type[Table], path: str) -> dict:
    """The answer of every create_* call; a database that is there already is left alone, and `message` says so."""
    new = table.create(path)
    return {"db_path": path, "created": new, "message": f"created {path}" if new else f"{path} exists already and was left as it is"}


def cleared(table: type[Table], path: str, delete: bool) -> dict:
    """The answer of every clear_cache call."""
    with table(path) as opened:
        count = opened.clear()
    if delete:
        table.delete_file(path)
    return {"db_path": path, "cleared": count, "deleted": delete}
