"""What SQLite itself says when a disk, a right or a file is at fault, and when we are."""
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.sqlite_errors import is_busy, is_trouble


def database(name: str = "a.sqlite", rows: int = 0) -> str:
    with closing(sqlite3.connect(name)) as connection, connection:
        connection.execute("CREATE TABLE note(text TEXT)")
        connection.executemany("INSERT INTO note VALUES (?)", [("x" * 1000,)] * rows)
    return name


def full() -> None:
    with closing(sqlite3.connect(database())) as connection:
        connection.execute("PRAGMA max_page_count = 3")
        connection.executemany("INSERT INTO note VALUES (?)", [("x" * 1000,)] * 100)


def read_only() -> None:
    with closing(sqlite3.connect(f"file:{database()}?mode=ro", uri=True)) as connection:
        connection.execute("DELETE FROM note")


def not_there() -> None:
    sqlite3.connect("file:missing.sqlite?mode=ro", uri=True)


def damaged() -> None:
    path = Path(database(rows=100))
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM note").fetchall()


def locked() -> None:
    with closing(sqlite3.connect(database(), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect("a.sqlite", timeout=0)) as other:
            other.execute("SELECT * FROM note")


def no_text() -> None:
    with closing(sqlite3.connect(database())) as connection:
        connection.execute("SELECT CAST(x'ff' AS TEXT)").fetchall()


def too_large() -> None:
    with closing(sqlite3.connect(database())) as connection:
        connection.execute("SELECT zeroblob(2000000000)").fetchall()


def no_such_table() -> None:
    with closing(sqlite3.connect(database())) as connection:
        connection.execute("SELECT * FROM other")


@pytest.mark.parametrize(("fault", "message", "trouble", "busy"), [
    (full, "database or disk is full", True, False),
    (read_only, "attempt to write a readonly database", True, False),
    (not_there, "unable to open database file", True, False),
    (damaged, "database disk image is malformed", True, False),
    (locked, "database is locked", True, True),
    (no_text, "Could not decode to UTF-8 column 'CAST(x'ff' AS TEXT)' with text '\ufffd'", True, False),
    (too_large, "string or blob too big", True, False),
    (no_such_table, "no such table: other", False, False),
], ids=lambda fault: getattr(fault, "__name__", ""))
def test_trouble_is_of_the_disk_or_the_file_and_all_else_a_bug(
    here: Path, fault: Callable[[], None], message: str, trouble: bool, busy: bool,
):
    with pytest.raises(sqlite3.DatabaseError) as caught:
        fault()
    assert (str(caught.value), is_trouble(caught.value), is_busy(caught.value)) == (message, trouble, busy)
