"""A database of ours opened for use: brought up to date where it is older, only read where the disk allows no
more."""
import os
import sqlite3

from cache.stores import sqlite_file
from cache.stores.sqlite_file import SCHEMA_VERSION, Layout, make_home, verify
from cache.stores.untouched_database import is_quiet, opened_untouched


def opened(path: str | os.PathLike, layout: Layout) -> sqlite3.Connection:
    """A connection to read and write what verify() has found to be ours; only to read what lies on an archive
    disc, or a drive that others share for reading."""
    writable = may_be_written(path)
    connection = sqlite_file.connect(path, "rw") if writable else _for_reading(path)
    try:
        if verify(connection, path, layout) < SCHEMA_VERSION:
            _bring_up_to_date(connection, path, layout)
        if not writable:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def may_be_written(path: str | os.PathLike) -> bool:
    """SQLite writes beside a database, too."""
    return all(os.access(place, os.W_OK) for place in (path, os.path.dirname(os.path.abspath(path))))


def _for_reading(path: str | os.PathLike) -> sqlite3.Connection:
    """The file as it lies there. What a killed run or an older version left is read from a copy, in a
    nameless database of SQLite's that goes with the connection."""
    if is_quiet(path):
        connection = sqlite_file.connect(path, "ro&immutable=1")
        if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return connection
        connection.close()
    copy = sqlite3.connect("", isolation_level="IMMEDIATE", check_same_thread=False)
    copy.row_factory = sqlite3.Row
    with opened_untouched(os.fspath(path)) as original:
        original.backup(copy)
    return copy


def _bring_up_to_date(connection: sqlite3.Connection, path: str | os.PathLike, layout: Layout) -> None:
    """From version 1, in one transaction. What is older keeps NULL in the new column: a file without a stamp
    is not known, and is decoded once more; a row without a checksum is believed."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return  # another process was faster
        for statement in layout.from_version_1:
            connection.execute(statement)
        doubtful = ((hash_id,) for hash_id in layout.doubtful(path))
        connection.executemany(f"DELETE FROM {layout.name} WHERE hash_id = ?", doubtful)
        make_home(connection, path)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
