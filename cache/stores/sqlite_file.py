"""A database file: opened with our settings, and verified to be ours before anything in it is believed."""
import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cache.refusal import Missing, Refused

if TYPE_CHECKING:
    from cache.stores.sqlite_table import Table

APPLICATION_ID = 0x49545431  # "ITT1"
SCHEMA_VERSION = 1
BUSY_SECONDS = 60
SKIPPED_SCHEMA = "CREATE TABLE skipped(file_path TEXT PRIMARY KEY, reason TEXT NOT NULL, detail TEXT NOT NULL)"
LONGEST_VALUE = 16 * 1024 * 1024  # bytes; a vector has some thousand, a path at most as many


def connect(path: str | os.PathLike, mode: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            f"{Path(path).absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS,
            isolation_level="IMMEDIATE",
            check_same_thread=False,  # the thread that closes a table closes the connections of the others
        )
    except sqlite3.OperationalError as error:
        raise Refused(f"cannot open the database {path}: {error}") from None
    connection.row_factory = sqlite3.Row
    if sys.version_info >= (3, 11):  # what a file from anybody may make SQLite allocate for one value
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    return connection


def is_empty(connection: sqlite3.Connection, path: str | os.PathLike) -> bool:
    """Without any table: new, or made by a run that was killed before it got further."""
    try:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None


def verify(connection: sqlite3.Connection, path: str | os.PathLike, table: "type[Table]") -> None:
    try:
        connection.execute("PRAGMA trusted_schema = OFF")  # the file may come from anybody
        connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: a power cut may lose the last batch, never the database
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {row["name"]: row["sql"] for row in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")}
        acting = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql NOT NULL").fetchall()
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None
    if application == 0 and is_empty(connection, path):
        raise Missing(f"no such database: {path}; it is only being made")
    if application != APPLICATION_ID:
        raise Refused(f"{path} was not made by these tools (caches of older ones hold pickles and are not read); name another file")
    if version != SCHEMA_VERSION:
        raise Refused(f"{path} has version {version} of the tables, this program knows version {SCHEMA_VERSION}; name another file")
    for name, statement in ((table.name, table.schema[0]), ("skipped", SKIPPED_SCHEMA)):
        if name not in tables:
            raise Refused(f"{path} holds no table {name}; it is another cache of these tools")
        if tables[name] != statement:  # SQLite keeps the statement as it was written
            raise Refused(f"{path} holds a table {name} that these tools did not make; name another file")
    for row in acting:  # our own writing would set it off
        if row["sql"] not in table.schema:
            raise Refused(f"{path} holds the {row['type']} {row['name']}, which these tools did not make; name another file")


def _unreadable(path: str | os.PathLike, error: sqlite3.DatabaseError) -> Refused:
    if isinstance(error, sqlite3.OperationalError):  # of the disk, or of somebody who holds the file, not of what is in it
        return Refused(f"cannot open the database {path}: {error}{'; is the disk full?' if 'disk' in str(error) else ''}")
    return Refused(f"{path} is not a readable database: {error}; if it was one of yours, delete it, and it is made anew")
