"""A database file is made whole, and what is not ours is refused and not touched."""
import os
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cache.refusal import Refused
from cache.stores import sqlite_file
from cache.stores.file_table import FileTable
from cache.stores.sqlite_file import APPLICATION_ID
from tests.cache.stores.numbers_table import Numbers

MARKS = (f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 1")
NEWER = (f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 9")
NOT_OURS = (
    "was not made by these tools (caches of older ones hold pickles and are not read); name another file")
NO_DATABASE = (
    "is not a readable database: file is not a database; "
    "if it was one of yours, delete it, and it is made anew")


def test_creating_twice_leaves_the_rows_alone(here):
    assert Numbers.create("deep/er/a.sqlite") is True
    with Numbers("deep/er/a.sqlite") as table:
        table.fill([7])
    assert Numbers.create("deep/er/a.sqlite") is False
    with Numbers("deep/er/a.sqlite", create=True) as table:
        assert table.values() == [7]


def test_who_finds_a_new_database_locked_for_a_moment_tries_again(here, monkeypatch):
    """Two processes make one at once: SQLite tells the slower one that it is locked, without waiting."""
    def impatient(path: str, mode: str) -> sqlite3.Connection:
        connection = connect(path, mode)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        other.execute("ROLLBACK")

    Path("new.sqlite").touch()
    connect, waits = sqlite_file.connect, []
    monkeypatch.setattr(sqlite_file, "connect", impatient)
    monkeypatch.setattr(sqlite_file.time, "sleep", sleep)
    with closing(sqlite3.connect("new.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # others can read, but nobody can change the journal's mode
        assert FileTable.create("new.sqlite") is True
    assert waits == [0.01]


def test_an_empty_file_left_by_a_killed_run_becomes_a_database(here):
    (here / "a.sqlite").touch()
    assert Numbers.create("a.sqlite") is True


def test_a_database_whose_making_was_cut_off_is_made_to_its_end(here):
    with closing(sqlite3.connect("a.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # writes the first page
    assert os.path.getsize("a.sqlite") > 0
    assert Numbers.create("a.sqlite") is True


def test_a_file_where_a_folder_should_be_is_named(here):
    (here / "output").touch()
    with pytest.raises(Refused, match="output cannot be a folder: there is a file of that name"):
        Numbers.create("output/a.sqlite")


def foreign(name: str, *statements: str) -> None:
    with closing(sqlite3.connect(name)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_databases_that_are_not_ours_are_refused_and_not_touched(here):
    foreign("other.sqlite", "CREATE TABLE numbers(value)")
    foreign("forged.sqlite", "CREATE TABLE numbers(value)", *MARKS)
    foreign("newer.sqlite", "CREATE TABLE numbers(value)", *NEWER)
    foreign("older-tool.sqlite", "CREATE TABLE numbers(hash_id, clip_vector)")
    with closing(sqlite3.connect("older-tool.sqlite")) as connection, connection:
        connection.execute("INSERT INTO numbers VALUES ('h', ?)", (pickle.dumps([1.0]),))
    (here / "text.sqlite").write_text("not a database, but long enough to be looked at by SQLite " * 30)
    FileTable.create("files.sqlite")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    messages = {}
    for name in ("other", "forged", "newer", "older-tool", "text", "files", "missing"):
        for create in (False, True) if name != "missing" else (False,):
            with pytest.raises(Refused) as caught:
                Numbers(f"{name}.sqlite", create=create)
            messages[name] = str(caught.value)
    assert messages == {
        "other": f"other.sqlite {NOT_OURS}",
        "forged": "forged.sqlite holds a table numbers that these tools did not make; name another file",
        "newer": "newer.sqlite has version 9 of the tables, this program knows version 2; name another file",
        "older-tool": f"older-tool.sqlite {NOT_OURS}",
        "text": f"text.sqlite {NO_DATABASE}",
        "files": "files.sqlite holds no table numbers; it is another cache of these tools",
        "missing": "no such database: missing.sqlite",
    }
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_deleting_takes_the_side_files_along_and_nothing_foreign(here):
    Numbers.create("a.sqlite")
    Numbers.delete_file("a.sqlite")
    foreign("other.sqlite", "CREATE TABLE numbers(value)")
    with pytest.raises(Refused):
        Numbers.delete_file("other.sqlite")
    assert [path.name for path in here.iterdir()] == ["other.sqlite"]


def test_a_database_without_its_table_of_skipped_files_is_not_ours(here):
    Numbers.create("a.sqlite")
    foreign("a.sqlite", "DROP TABLE skipped")
    with pytest.raises(Refused, match="a.sqlite holds no table skipped"):
        Numbers("a.sqlite")
