"""A database file of ours: made whole, verified before any of it is believed, deleted while nobody has it
open."""
import os
import sqlite3
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from cache.files.paths import absolute_path
from cache.files.whole_file import make_folder
from cache.refusal import InUse, Missing, Refused
from cache.stores.sqlite_errors import is_busy
from cache.text import printable

APPLICATION_ID = 0x49545431  # "ITT1"
SCHEMA_VERSION = 2
OLDEST_VERSION = 1  # without stamps and checksums; opened_database.py brings it up to date
BUSY_SECONDS = 60
RETRY_SECONDS = 0.01
SKIPPED_SCHEMA = (
    "CREATE TABLE skipped(file_path TEXT PRIMARY KEY, reason TEXT NOT NULL, detail TEXT NOT NULL)"
)
# The folder in which the database lay when a run last wrote to it: from there the paths of its rows are found
# again when the database and the pictures have been moved together.
HOME_SCHEMA = "CREATE TABLE home(folder TEXT NOT NULL)"
CONTENTS = "SELECT type, name, sql FROM sqlite_master WHERE sql NOT NULL"  # without what SQLite makes itself
LONGEST_VALUE = 16 * 1024 * 1024  # bytes; a vector has some thousand, a path at most as many
SQLITE_MAGIC = b"SQLite format 3\x00"  # how such a file begins: https://www.sqlite.org/fileformat.html


class Layout(Protocol):
    """What lies in a database beside its table `skipped`; every subclass of Table is one."""

    name: str
    schema: tuple[str, ...]  # CREATE statements, that of the table `name` first
    older_schemas: tuple[tuple[str, ...], ...]  # of earlier versions, which are still read
    page_size: int  # bytes
    from_version_1: tuple[str, ...]  # statements that make version 2 of a table of version 1

    def doubtful(self, path: str | os.PathLike) -> Iterable[str]:
        """Hashes whose rows are not taken over from version 1."""
        ...


def make(path: str | os.PathLike, layout: Layout) -> bool:
    """Make an empty database; False if it was there already, then it is left as it is."""
    make_folder(os.path.dirname(os.path.abspath(path)))
    connection = connect(path, "rwc")
    try:
        if not _is_empty(connection, path):
            verify(connection, path, layout)
            return False
        connection.execute(f"PRAGMA page_size = {layout.page_size}")
        _enter_wal(connection)
        return _create_tables(connection, path, layout)
    finally:
        connection.close()


def delete(path: str | os.PathLike, layout: Layout) -> None:
    """Delete a database, after making sure that it is ours. Raises InUse while anybody else has it open: what
    they would write next would be lost, or end in the next database of that name."""
    connection = connect(path, "rw")
    try:
        verify(connection, path, layout)
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


def connect(path: str | os.PathLike, mode: str) -> sqlite3.Connection:
    """Nothing is verified; `mode` as in SQLite's URIs: ro, rw, rwc. Raises Refused if it cannot be opened."""
    try:
        connection = sqlite3.connect(
            f"{Path(path).absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level="IMMEDIATE",
            check_same_thread=False,  # the thread that closes a table closes the connections of the others
        )
    except sqlite3.OperationalError as error:
        raise Refused(f"cannot open the database {path}: {error}") from None
    connection.row_factory = sqlite3.Row
    if sys.version_info >= (3, 11):  # what a file from anybody may make SQLite allocate for one value
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    return connection


def verify(connection: sqlite3.Connection, path: str | os.PathLike, layout: Layout) -> int:
    """Its version. Raises Refused for a database that is somebody else's, of a newer version, or acts when
    written to."""
    try:
        connection.execute("PRAGMA trusted_schema = OFF")  # the file may come from anybody
        connection.execute("PRAGMA synchronous = NORMAL")  # with WAL, a power cut costs one batch at most
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        contents = connection.execute(CONTENTS).fetchall()
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None
    if application == 0 and _is_empty(connection, path):
        raise Missing(f"no such database: {path}; it is only being made")
    if application != APPLICATION_ID:
        raise Refused(
            f"{path} was not made by these tools (caches of older ones hold pickles and are not read); "
            "name another file")
    if not OLDEST_VERSION <= version <= SCHEMA_VERSION:
        raise Refused(
            f"{path} has version {version} of the tables, this program knows version {SCHEMA_VERSION}; "
            "name another file")
    _verify_contents(contents, path, layout)
    return version


def _verify_contents(contents: list[sqlite3.Row], path: str | os.PathLike, layout: Layout) -> None:
    """SQLite keeps the statements as they were written."""
    tables = {row["name"]: row["sql"] for row in contents if row["type"] == "table"}
    schemas = (layout.schema, *layout.older_schemas)
    made_by = {layout.name: {schema[0] for schema in schemas}, "skipped": {SKIPPED_SCHEMA}}
    for name, statements in made_by.items():
        if name not in tables:
            raise Refused(f"{path} holds no table {name}; it is another cache of these tools")
        if tables[name] not in statements:
            raise Refused(f"{path} holds a table {name} that these tools did not make; name another file")
    own = {statement for schema in schemas for statement in schema}
    for row in contents:
        acting = row["type"] in ("trigger", "index")  # our own writing would set it off
        if acting and row["sql"] not in own:
            name = f"the {row['type']} {row['name']}"
            raise Refused(f"{path} holds {name}, which these tools did not make; name another file")


def _is_empty(connection: sqlite3.Connection, path: str | os.PathLike) -> bool:
    """Without any table: new, or made by a run that was killed before it got further."""
    try:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None


def _enter_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for who is doing the same to a new database at this moment: so we wait."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


def _create_tables(connection: sqlite3.Connection, path: str | os.PathLike, layout: Layout) -> bool:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (layout.name,)).fetchone():
            return False  # another process was faster
        for statement in (*layout.schema, SKIPPED_SCHEMA):
            connection.execute(statement)
        make_home(connection, path)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return True


def make_home(connection: sqlite3.Connection, path: str | os.PathLike) -> None:
    """Within the caller's transaction."""
    connection.execute(HOME_SCHEMA)
    connection.execute("INSERT INTO home VALUES (?)", (printable(home_of(path)),))


def home_of(path: str | os.PathLike) -> str:
    """The folder that a database lies in."""
    return os.path.dirname(absolute_path(path))


def _unreadable(path: str | os.PathLike, error: sqlite3.DatabaseError) -> Refused:
    if isinstance(error, sqlite3.OperationalError):  # of the disk, or who holds the file, not of its content
        hint = "; is the disk full?" if "disk" in str(error) else ""
        return Refused(f"cannot open the database {path}: {error}{hint}")
    advice = "if it was one of yours, delete it, and it is made anew"
    return Refused(f"{path} is not a readable database: {error}; {advice}")
