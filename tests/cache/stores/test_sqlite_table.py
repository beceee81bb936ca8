"""What every database of ours keeps and refuses."""
import os
import pickle
import random
import sqlite3
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from cache.reader.source_file import Skipped
from cache.refusal import Refused
from cache.stores import sqlite_file
from cache.stores.clip_table import ClipTable
from cache.stores.dataset_table import DatasetTable
from cache.stores.file_table import FileTable
from cache.stores.score_table import ScoreTable, Stage3Table, Stage4Table, ZipScoreTable
from cache.stores.sqlite_file import APPLICATION_ID
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable

TABLES = [FileTable, ClipTable, TagTable, DatasetTable, Stage3Table, Stage4Table, ZipScoreTable]


class Numbers(Table):
    name = "numbers"
    schema = ("CREATE TABLE numbers(value INTEGER, absolute_path TEXT)",)

    def fill(self, values, path="/x/{}") -> None:
        with self.connection:
            self.connection.executemany("INSERT INTO numbers VALUES (?, ?)", ((value, path.format(value)) for value in values))

    def values(self) -> list[int]:
        return [row["value"] for row in self.connection.execute("SELECT value FROM numbers ORDER BY value")]


@pytest.mark.parametrize("table", TABLES)
def test_every_database_is_marked_versioned_in_wal_mode_and_has_a_table_of_skipped_files(here, table):
    table.create("a.sqlite")
    with closing(sqlite3.connect("a.sqlite")) as connection:
        one = {pragma: connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in (
            "application_id", "user_version", "journal_mode", "page_size")}
        skipped = [row[1] for row in connection.execute("PRAGMA table_info(skipped)")]
        own = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (table.name,)).fetchone()[0]
    assert one == {"application_id": APPLICATION_ID, "user_version": 1, "journal_mode": "wal",
                   "page_size": 16384 if issubclass(table, (ClipTable, ScoreTable)) else 4096}
    assert skipped == ["file_path", "reason", "detail"]
    assert own == 1


@pytest.mark.parametrize(("table", "columns"), [
    (FileTable, "file_name path hash_id type is_archive n_content container_archive "
                "absolute_path size_bytes mtime_ns width height old_hash_id"),
    (ClipTable, "hash_id model precision clip_vector"),
    (TagTable, "hash_id tag path absolute_path"),
    (DatasetTable, "file_name file_path type hash_id absolute_path"),
    (Stage3Table, "file_name file_path type hash_id model_type tag_name tag_prob decision absolute_path"),
    (Stage4Table, "file_name file_path archive_path type n_img_content hash_id model_type tag_name tag_prob decision absolute_path"),
    (ZipScoreTable, "file_name file_path archive_path type n_img_content hash_id model_type tag_name tag_prob decision absolute_path"),
])
def test_columns_are_a_contract(here, table, columns):
    with table("a.sqlite", create=True) as opened:
        assert [row[1] for row in opened.connection.execute(f"PRAGMA table_info({table.name})")] == columns.split()


@pytest.mark.parametrize(("table", "digest"), [
    (FileTable, "fc2cf8e3ad0ff903"), (ClipTable, "c5370a8474094d24"), (TagTable, "e264e40fc11c7229"),
    (DatasetTable, "0a2ee9a6911dcc1a"), (Stage3Table, "cd49541094076672"), (Stage4Table, "0170f24f5626eaa4"),
    (ZipScoreTable, "738bf530fb7ce0f2"),
])
def test_a_statement_stays_as_it_is_to_the_last_blank(table, digest):
    """Databases are known by the statements that made them: another blank, and those of today would be refused."""
    assert sha256("\n".join(table.schema).encode()).hexdigest()[:16] == digest


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


def foreign(name: str, *statements: str) -> str:
    connection = sqlite3.connect(name)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return name


def test_databases_that_are_not_ours_are_refused_and_not_touched(here):
    foreign("other.sqlite", "CREATE TABLE numbers(value)")
    marks = (f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 1")
    foreign("forged.sqlite", "CREATE TABLE numbers(value)", *marks)
    foreign("newer.sqlite", f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 9", "CREATE TABLE numbers(value)")
    connection = sqlite3.connect(foreign("older-tool.sqlite", "CREATE TABLE numbers(hash_id, clip_vector)"))
    connection.execute("INSERT INTO numbers VALUES ('h', ?)", (pickle.dumps([1.0]),))
    connection.commit()
    connection.close()
    (here / "text.sqlite").write_text("not a database, but long enough to be looked at by SQLite " * 30)
    FileTable.create("files.sqlite")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    messages = {}
    for name in ("other", "forged", "newer", "older-tool", "text", "files", "missing"):
        for create in (False, True) if name != "missing" else (False,):
            with pytest.raises(Refused) as caught:
                Numbers(f"{name}.sqlite", create=create)
            messages[name] = str(caught.value)
    not_ours = "was not made by these tools (caches of older ones hold pickles and are not read); name another file"
    assert messages == {
        "other": f"other.sqlite {not_ours}",
        "forged": "forged.sqlite holds a table numbers that these tools did not make; name another file",
        "newer": "newer.sqlite has version 9 of the tables, this program knows version 1; name another file",
        "older-tool": f"older-tool.sqlite {not_ours}",
        "text": "text.sqlite is not a readable database: file is not a database; if it was one of yours, delete it, and it is made anew",
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


def test_a_random_row_is_any_row_and_survives_holes(here):
    random.seed(0)
    with Numbers("a.sqlite", create=True) as table:
        assert table.random_row() is None
        table.fill(range(1000))
        with table.connection:
            table.connection.execute("DELETE FROM numbers WHERE value BETWEEN 2 AND 997")
        assert {table.random_row()["value"] for _ in range(500)} == {0, 1, 998, 999}
        assert {table.random_row("value > 500")["value"] for _ in range(500)} == {998, 999}
        assert table.random_row("value > 5000") is None


def test_a_random_row_reads_no_more_of_a_large_table_than_of_a_small_one(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill(range(100_000))
        steps = []
        table.connection.set_progress_handler(lambda: steps.append(1), 100)  # called every 100 steps of SQLite's virtual machine
        for _ in range(20):
            table.random_row()
    assert len(steps) < 20


def test_many_threads_may_ask_one_table_the_same_at_once(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill(range(50))
        wrong = []

        def ask() -> None:
            for value in list(range(50)) * 40:
                row = table._one("value = ?", value)
                if row is None or row["value"] != value:
                    wrong.append(value)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for number in range(1000, 1200):
            table.fill([number])
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(table.values()) == 250


def test_skipped_files_keep_their_newest_reason_until_they_are_read(here):
    with Numbers("a.sqlite", create=True) as table:
        with table.connection:
            table.record_skips([Skipped("a.png", "empty"), Skipped("b.png", "damaged", "why")])
            table.record_skips([Skipped("a.png", "damaged", "cut")])
            table.forget_skips(["b.png"])
        assert [tuple(row) for row in table.connection.execute("SELECT * FROM skipped")] == [("a.png", "damaged", "cut")]
        table.fill([1, 2])
        assert table.clear() == 2
        assert table.connection.execute("SELECT count(*) FROM skipped").fetchone()[0] == 0


def test_rows_of_vanished_files_are_forgotten_below_the_root_only(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2, 3], "/photos/{}.png")
        table.fill([4], "/photos2/{}.png")
        table.fill([5], "/photos.zip/{}.png")
        table.forget_missing("/photos", ["/photos/2.png"])
        assert table.values() == [2, 4, 5]


def test_everything_may_lie_below_the_root_of_the_disk(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/{}.png")
        table.forget_missing("/", ["/2.png"])
        assert table.values() == [2]


def test_a_listing_that_breaks_off_forgets_nothing_and_the_next_one_does(here):
    def broken():
        yield "/2.png"
        raise RuntimeError("power cut")

    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/{}.png")
        with pytest.raises(RuntimeError, match="power cut"):
            table.forget_missing("/", broken())
        assert table.values() == [1, 2]
        table.forget_missing("/", ["/1.png"])
        assert table.values() == [1]


def test_a_database_without_its_table_of_skipped_files_is_not_ours(here):
    Numbers.create("a.sqlite")
    connection = sqlite3.connect("a.sqlite")
    connection.execute("DROP TABLE skipped")
    connection.close()
    with pytest.raises(Refused, match="a.sqlite holds no table skipped"):
        Numbers("a.sqlite")
