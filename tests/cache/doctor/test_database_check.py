"""The doctor examines databases, while others write to them too, and changes nothing."""
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from cache.cache_file import FileCache
from cache.doctor import database_check
from cache.doctor.findings import Finding
from cache.stores import database_examination
from cache.stores.clip_table import ClipTable
from tests.cache.doctor.clip_caches import vectors
from tests.cache.doctor.reported import findings_of
from tests.drawing import png, write, zipped


def changed(path: str, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


SET_VECTOR = "UPDATE clip_cache SET clip_vector = ? WHERE rowid = 2"
NOT_FINITE = np.full(16, np.nan, "<f4").tobytes()
CHANGES = [
    (SET_VECTOR, [b"1234567"], "1 row of tiny:w: the vector is no list of float32"),
    (SET_VECTOR.replace("= 2", "< 3"), [b""], "2 rows of tiny:w: the vector is no list of float32"),
    (SET_VECTOR, [bytes(32)], "1 row of tiny:w: the vector has not 16 features, as most have"),
    (SET_VECTOR, [NOT_FINITE], "1 row of tiny:w: the vector has numbers that are not finite"),
    (SET_VECTOR, ["words"], "1 row: clip_vector is not blob"),
    ("UPDATE clip_cache SET hash_id = ? WHERE rowid = 2", [b"\xff"], "1 row: hash_id is not text"),
    ("UPDATE clip_cache SET model = CAST(? AS TEXT)", [b"a\xff"],
     "Could not decode to UTF-8 column 'model' with text 'a\ufffd'"),
    ("DROP TABLE clip_cache", [], "holds none of the tables of these tools"),
    ("ALTER TABLE clip_cache ADD COLUMN note TEXT", [],
     "holds a table clip_cache that these tools did not make; name another file"),
    ("PRAGMA user_version = 7", [],
     "has version 7 of the tables, this program knows version 2; name another file"),
]


@pytest.mark.parametrize(
    ("statement", "values", "detail"), CHANGES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_no_reader_of_a_clip_cache_could_use_is_named(here, capsys, statement, values, detail):
    changed(vectors("clip_cache.sqlite"), statement, *values)
    assert findings_of(capsys, ".") == [{"kind": "damaged", "path": "./clip_cache.sqlite", "detail": detail}]


def test_a_file_cache_with_a_word_for_a_number_is_named(here, capsys):
    write(here, {"photos/1.png": png(1)})
    changed(FileCache.add_folder_to_file_cache("photos")["db_path"], "UPDATE file_cache SET width = 'wide'")
    assert [finding["kind"] for finding in findings_of(capsys, "output")] == ["damaged"]


def in_page(data: bytes, kind: int, change: Callable[[bytes], bytes]) -> bytes:
    """A changed page, 13 of a table or 10 of an index, which has that number as its first byte."""
    start = next(start for start in range(8 * 16384, len(data), 16384) if data[start] == kind)
    return data[:start] + change(data[start:start + 16384]) + data[start + 16384:]


@pytest.mark.parametrize(("damage", "detail"), [
    (lambda data: in_page(data, 13, lambda page: b"\xa5" * 16384), "malformed|error code 11"),
    (lambda data: in_page(data, 13, lambda page: page[:3] + b"\0\1" + page[5:]),
     "Fragmentation of [^*]*; wrong # of entries in index"),
    (lambda data: in_page(data, 10, lambda page: page.replace(b"0" * 100, b"1" * 100, 1)),
     "^row .* missing from index"),
    (lambda data: data[:len(data) // 2], "malformed"),
    (lambda data: b"no database" * 99, "file is not a database"),
], ids=["a page overwritten", "a page shortened", "an index that lies", "cut", "without its header"])
def test_a_damaged_database_is_a_problem_in_one_line(here, capsys, damage, detail):
    data = damage((here / vectors("clip_cache.sqlite", rows=3000)).read_bytes())
    (here / "clip_cache.sqlite").write_bytes(data)
    [finding] = findings_of(capsys, ".")
    assert (finding["kind"], finding["path"]) == ("damaged", "./clip_cache.sqlite")
    assert re.search(detail, finding["detail"])  # the words are SQLite's, and differ between its versions
    assert not re.search(r"\n|\*\*\*", finding["detail"])


def test_databases_of_others_and_those_only_begun_are_noted(here, capsys):
    changed("theirs.db", "CREATE TABLE songs(name)")
    changed("begun.sqlite", "PRAGMA journal_mode = WAL")
    write(here, {"empty.sqlite": b""})
    assert findings_of(capsys, ".") == [
        {"kind": "foreign", "path": "./theirs.db", "detail": "not made by these tools"},
        {"kind": "leftover", "path": "./begun.sqlite", "detail": "a database without any table"},
        {"kind": "leftover", "path": "./empty.sqlite", "detail": "a database without any table"},
    ]


@pytest.mark.parametrize("lost", [[], ["-shm"]], ids=["as it was", "without its -shm"])
def test_what_a_killed_run_left_in_its_log_is_read_and_left_there(here, capsys, lost):
    (here / "killed").mkdir()
    with ClipTable("clip_cache.sqlite", create=True) as table:
        with table.connection as connection:
            connection.execute("INSERT INTO clip_cache VALUES ('a', 'tiny:w', 'fp32', 'words', NULL)")
        for suffix in {"", "-wal", "-shm"} - set(lost):
            shutil.copyfile(f"clip_cache.sqlite{suffix}", f"killed/clip_cache.sqlite{suffix}")
    assert findings_of(capsys, "killed") == [
        {"kind": "damaged", "path": "killed/clip_cache.sqlite", "detail": "1 row: clip_vector is not blob"}]


def test_a_database_is_examined_while_a_run_is_writing_to_it(here, capsys):
    with ClipTable(vectors("clip_cache.sqlite")) as table:
        connection = table.connection
        with connection:
            connection.execute("INSERT INTO clip_cache VALUES ('a', 'tiny:w', 'fp32', 'words', NULL)")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO clip_cache VALUES ('b', 'tiny:w', 'fp32', 'not yet', NULL)")
        assert findings_of(capsys, ".") == [
            {"kind": "damaged", "path": "./clip_cache.sqlite", "detail": "1 row: clip_vector is not blob"}]
        connection.rollback()


def test_all_that_is_asked_of_a_database_is_about_one_moment(here, monkeypatch):
    path, usual_sizes = vectors("clip_cache.sqlite"), database_examination._usual_sizes

    def overtaken(connection):
        sizes = usual_sizes(connection)
        vectors(path, "another:w", width=8)
        return sizes

    monkeypatch.setattr(database_examination, "_usual_sizes", overtaken)
    with ClipTable(path):
        assert database_check.check_database(path) == database_check.Checked([], {"tiny:w": 16})


@pytest.mark.parametrize(("writes", "kind", "looks"), [(0, "damaged", 1), (2, "damaged", 3), (9, "busy", 3)])
def test_what_is_half_written_is_looked_at_again(here, monkeypatch, writes, kind, looks):
    seen = []

    def look(path):
        seen.append(path)
        if len(seen) <= writes:
            os.utime(path, ns=(0, len(seen)))
        return database_check.Checked([Finding("damaged", path, "half a page")])

    monkeypatch.setattr(database_check, "_checked_once", look)
    [finding] = database_check.check_database(vectors("clip_cache.sqlite")).findings
    assert (finding.kind, len(seen)) == (kind, looks)


def test_a_file_cache_says_how_far_it_is_behind_the_files(here, capsys):
    write(here / "photos", {
        "gone.png": png(1),
        "new.png": png(2),
        "same.png": png(3),
        "a.zip": zipped({"x/4.png": png(4)}),
        "b.zip": zipped({"5.png": png(5), "in.zip": zipped({"6.png": png(6)})}),
    })
    with open(os.fsencode(here / "photos") + b"/caf\xe9.png", "wb") as file:
        file.write(png(7))
    FileCache.add_folder_to_file_cache("photos")
    assert findings_of(capsys, "output") == []
    os.unlink("photos/gone.png")
    os.unlink("photos/b.zip")
    write(here / "photos", {"new.png": png(20), "a.zip": zipped({"x/4.png": png(40)})})
    for name in ("photos/new.png", "photos/a.zip"):
        os.utime(name, ns=(0, 0))
    first = "photos/a.zip/x/4.png, photos/a.zip, photos/b.zip/5.png"
    assert findings_of(capsys, "output") == [{
        "kind": "stale", "path": "output/file_cache.sqlite", "files": 10, "gone": 5, "changed": 3,
        "detail": f"of 10 files 5 gone, 3 changed: {first} and 5 more"}]


@pytest.mark.parametrize("home", [None, "/elsewhere"])
def test_a_path_that_is_no_text_is_damage_and_nothing_to_look_for(here, capsys, home):
    """Neither where the database lies, nor where it was before it was moved."""
    write(here, {"photos/1.png": png(1)})
    path = FileCache.add_folder_to_file_cache("photos")["db_path"]
    changed(path, "UPDATE file_cache SET absolute_path = x'ff01'")
    changed(path, "UPDATE home SET folder = coalesce(?, folder)", home)
    detail = "1 row: absolute_path is not text"
    assert findings_of(capsys, "output") == [
        {"kind": "damaged", "path": "output/file_cache.sqlite", "detail": detail}]


def test_a_path_that_cannot_be_one_is_gone(here, capsys):
    write(here, {"photos/1.png": png(1)})
    path = FileCache.add_folder_to_file_cache("photos")["db_path"]
    changed(path, "UPDATE file_cache SET absolute_path = ?", "/a\0b")
    assert [finding["kind"] for finding in findings_of(capsys, "output")] == ["stale"]
