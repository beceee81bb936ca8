"""The doctor examines what is ours: databases, metadata, models, results; and changes nothing."""
import os
import re
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from cache.__main__ import main as compare
from cache.cache_file import FileCache
from cache.doctor import database_check
from cache.doctor.findings import Finding
from cache.doctor.own_files import OwnFiles
from cache.files.json_file import write_json_object
from cache.models.tag_models import save_model
from cache.reader.batches import Batch
from cache.reader.image_source import images
from cache.reader.source_file import SetAside
from cache.stores import database_examination
from cache.stores.clip_table import ClipTable
from tests.cache.doctor.test_doctor import found, report
from tests.drawing import png, write, zipped

ENCODER = {"model": "tiny", "pretrained": "w"}


def vectors(path: str, model: str = "tiny:w", rows: int = 6, width: int = 16) -> str:
    with ClipTable(path, create=True) as table:
        table.add(Batch([], {f"{number:0128}": np.ones(width, np.float32) for number in range(rows)}), model, "fp32")
    return path


def metadata(path: str, width: int = 16) -> str:
    write_json_object(path, [("0" * 128, {"hash_id": "0" * 128, **ENCODER, "embeddings_vector": np.ones(width, np.float32)})])
    return path


def model(folder: str, encoder: str = "tiny:w", width: int = 16) -> str:
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression().fit(np.eye(2, width), [0, 1])
    return save_model(folder, "ovr-logistic-regression", "cats", estimator, {"model": encoder})


def changed(path: str, statement: str, *values) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_what_the_stages_wrote_is_whole(trained, capsys):
    from stage3.classify import command as classify

    assert classify(["--directory", "photos", "--output", "./output/scored", "--csv"]) == 0
    assert compare(["compare", "output/scored", "output/scored", "--csv", "./output/none changed.csv"]) == 0
    capsys.readouterr()
    assert found(capsys, "output") == [{"kind": "results", "path": "output/scored", "detail": ""}]
    assert report(capsys, "output")[1].splitlines()[0] == "5 databases, 1 metadata JSON, 4 models"
    assert report(capsys, "output/clip_cache.sqlite") == (0, "1 database\n\nno problems, nothing to note\n")
    assert report(capsys, "output/scored")[1].splitlines()[-1].startswith("no problems, ")
    assert report(capsys, "output/scored/pictures")[1].splitlines()[0] == "12 pictures"


@pytest.mark.parametrize(("statement", "values", "detail"), [
    ("UPDATE clip_cache SET clip_vector = ? WHERE rowid = 2", [b"1234567"], "1 row of tiny:w: the vector is no list of float32"),
    ("UPDATE clip_cache SET clip_vector = ? WHERE rowid < 3", [b""], "2 rows of tiny:w: the vector is no list of float32"),
    ("UPDATE clip_cache SET clip_vector = ? WHERE rowid = 2", [bytes(32)], "1 row of tiny:w: the vector has not 16 features, as most have"),
    ("UPDATE clip_cache SET clip_vector = ? WHERE rowid = 2", [np.full(16, np.nan, "<f4").tobytes()],
     "1 row of tiny:w: the vector has numbers that are not finite"),
    ("UPDATE clip_cache SET clip_vector = ? WHERE rowid = 2", ["words"], "1 row: clip_vector is not blob"),
    ("UPDATE clip_cache SET hash_id = ? WHERE rowid = 2", [b"\xff"], "1 row: hash_id is not text"),
    ("UPDATE clip_cache SET model = CAST(? AS TEXT)", [b"a\xff"], "Could not decode to UTF-8 column 'model' with text 'a\ufffd'"),
    ("DROP TABLE clip_cache", [], "holds none of the tables of these tools"),
    ("ALTER TABLE clip_cache ADD COLUMN note TEXT", [], "holds a table clip_cache that these tools did not make; name another file"),
    ("PRAGMA user_version = 7", [], "has version 7 of the tables, this program knows version 1; name another file"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_no_reader_of_a_clip_cache_could_use_is_named(here, capsys, statement, values, detail):
    changed(vectors("clip_cache.sqlite"), statement, *values)
    assert found(capsys, ".") == [{"kind": "damaged", "path": "./clip_cache.sqlite", "detail": detail}]


def test_a_file_cache_with_a_word_for_a_number_is_named(here, capsys):
    write(here, {"photos/1.png": png(1)})
    changed(FileCache.add_folder_to_file_cache("photos")["db_path"], "UPDATE file_cache SET width = 'wide'")
    assert [finding["kind"] for finding in found(capsys, "output")] == ["damaged"]


def in_page(data: bytes, kind: int, change) -> bytes:
    """A changed page, 13 of a table or 10 of an index, which has that number as its first byte."""
    start = next(start for start in range(8 * 16384, len(data), 16384) if data[start] == kind)
    return data[:start] + change(data[start:start + 16384]) + data[start + 16384:]


@pytest.mark.parametrize(("damage", "detail"), [
    (lambda data: in_page(data, 13, lambda page: b"\xa5" * 16384), "malformed|error code 11"),
    (lambda data: in_page(data, 13, lambda page: page[:3] + b"\0\1" + page[5:]), "Fragmentation of [^*]*; wrong # of entries in index"),
    (lambda data: in_page(data, 10, lambda page: page.replace(b"0" * 100, b"1" * 100, 1)),
     "^row .* missing from index"),
    (lambda data: data[:len(data) // 2], "malformed"),
    (lambda data: b"no database" * 99, "file is not a database"),
], ids=["a page overwritten", "a page shortened", "an index that lies", "cut", "without its header"])
def test_a_damaged_database_is_a_problem_in_one_line(here, capsys, damage, detail):
    data = damage((here / vectors("clip_cache.sqlite", rows=3000)).read_bytes())
    (here / "clip_cache.sqlite").write_bytes(data)
    [finding] = found(capsys, ".")
    assert (finding["kind"], finding["path"]) == ("damaged", "./clip_cache.sqlite")
    assert re.search(detail, finding["detail"])  # the words are SQLite's, and differ between its versions
    assert not re.search(r"\n|\*\*\*", finding["detail"])


def test_databases_of_others_and_those_only_begun_are_noted(here, capsys):
    changed("theirs.db", "CREATE TABLE songs(name)")
    changed("begun.sqlite", "PRAGMA journal_mode = WAL")
    write(here, {"empty.sqlite": b""})
    assert found(capsys, ".") == [
        {"kind": "foreign", "path": "./theirs.db", "detail": "not made by these tools"},
        {"kind": "leftover", "path": "./begun.sqlite", "detail": "a database without any table"},
        {"kind": "leftover", "path": "./empty.sqlite", "detail": "a database without any table"},
    ]


@pytest.mark.parametrize("lost", [[], ["-shm"]], ids=["as it was", "without its -shm"])
def test_what_a_killed_run_left_in_its_log_is_read_and_left_there(here, capsys, lost):
    (here / "killed").mkdir()
    with ClipTable("clip_cache.sqlite", create=True) as table:
        with table.connection as connection:
            connection.execute("INSERT INTO clip_cache VALUES ('a', 'tiny:w', 'fp32', 'words')")
        for suffix in {"", "-wal", "-shm"} - set(lost):
            shutil.copyfile(f"clip_cache.sqlite{suffix}", f"killed/clip_cache.sqlite{suffix}")
    assert found(capsys, "killed") == [
        {"kind": "damaged", "path": "killed/clip_cache.sqlite", "detail": "1 row: clip_vector is not blob"}]


def test_a_database_is_examined_while_a_run_is_writing_to_it(here, capsys):
    with ClipTable(vectors("clip_cache.sqlite")) as table:
        connection = table.connection
        with connection:
            connection.execute("INSERT INTO clip_cache VALUES ('a', 'tiny:w', 'fp32', 'words')")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO clip_cache VALUES ('b', 'tiny:w', 'fp32', 'not yet')")
        assert found(capsys, ".") == [
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
    write(here / "photos", {"gone.png": png(1), "new.png": png(2), "same.png": png(3), "a.zip": zipped({"x/4.png": png(4)}),
                            "b.zip": zipped({"5.png": png(5), "in.zip": zipped({"6.png": png(6)})})})
    with open(os.fsencode(here / "photos") + b"/caf\xe9.png", "wb") as file:
        file.write(png(7))
    FileCache.add_folder_to_file_cache("photos")
    assert found(capsys, "output") == []
    os.unlink("photos/gone.png")
    os.unlink("photos/b.zip")
    write(here / "photos", {"new.png": png(20), "a.zip": zipped({"x/4.png": png(40)})})
    for name in ("photos/new.png", "photos/a.zip"):
        os.utime(name, ns=(0, 0))
    assert found(capsys, "output") == [{
        "kind": "stale", "path": "output/file_cache.sqlite", "files": 10, "gone": 5, "changed": 3,
        "detail": "of 10 files 5 gone, 3 changed: photos/a.zip/x/4.png, photos/a.zip, photos/b.zip/5.png and 5 more"}]


def test_a_path_that_cannot_be_one_is_gone(here, capsys):
    write(here, {"photos/1.png": png(1)})
    changed(FileCache.add_folder_to_file_cache("photos")["db_path"], "UPDATE file_cache SET absolute_path = ?", "/a\0b")
    assert [finding["kind"] for finding in found(capsys, "output")] == ["stale"]


@pytest.mark.parametrize(("cached", "mismatch"), [
    ([("tiny:w", 16)], None), ([("tiny:w", 16), ("other:w", 8)], None), ([], None),
    ([("tiny:w", 8)], "tiny:w (8 features)"), ([("other:w", 16)], "other:w (16 features)"),
], ids=["the same", "one of two", "an empty cache", "another width", "another encoder"])
def test_metadata_and_the_clip_cache_beside_it_are_of_one_encoder(here, capsys, cached, mismatch):
    metadata("input-metadata.json")
    ClipTable.create("clip_cache.sqlite")
    for encoder, width in cached:
        vectors("clip_cache.sqlite", encoder, width=width)
    assert found(capsys, ".") == ([] if mismatch is None else [{
        "kind": "mismatch", "path": "./input-metadata.json", "other": "./clip_cache.sqlite",
        "detail": f"has vectors of tiny:w (16 features); ./clip_cache.sqlite has {mismatch}"}])


@pytest.mark.parametrize(("encoder", "width", "needs"), [
    ("tiny:w", 16, None), ("tiny:w", 8, "tiny:w (8 features)"), ("other:w", 16, "other:w (16 features)"),
    ("far:away", 16, "far:away (16 features)")])
@pytest.mark.parametrize("store", [metadata, vectors])
def test_models_fit_the_vectors_above_them(here, capsys, store, encoder, width, needs):
    other = store("input-metadata.json" if store is metadata else "clip_cache.sqlite")
    path = model("models", encoder, width)
    vectors("elsewhere/clip_cache.sqlite", "far:away")
    assert found(capsys, ".") == ([] if needs is None else [{
        "kind": "mismatch", "path": f"./{path}", "other": f"./{other}",
        "detail": f"takes vectors of {needs}; ./{other} has tiny:w (16 features)"}])


def test_a_model_without_its_card_fits_by_width(here, capsys):
    metadata("input-metadata.json")
    os.unlink(model("models").removesuffix("pkl") + "json")
    assert found(capsys, ".") == []
    os.unlink(model("models", width=8).removesuffix("pkl") + "json")
    assert [finding["kind"] for finding in found(capsys, ".")] == ["mismatch"]


def test_a_model_that_could_run_code_is_refused_unread(here, capsys):
    path = "model-ovr-svm-tag-cats.pkl"
    write(here / "models", {path: b"\x80\x04cposix\nsystem\n(S'touch harm'\ntR."})
    assert found(capsys, "models") == [{
        "kind": "damaged", "path": f"models/{path}",
        "detail": "names posix.system, which no model needs; --trust-pickle loads it if you know who made it"}]


def test_broken_metadata_and_tag_lists_are_problems_and_other_json_is_no_picture(here, capsys):
    whole = (here / metadata("photos-metadata.json")).read_bytes()
    write(here, {"photos-metadata.json": whole[:-2], "input-tag-to-image-hash-list.json": b'{"cats": 1}', "theirs.json": b'{"cats": 1}'})
    assert found(capsys, ".") == [
        {"kind": "skipped", "path": "./theirs.json", "detail": "not_an_image", "reason": "not_an_image"},
        {"kind": "damaged", "path": "./input-tag-to-image-hash-list.json",
         "detail": "is not a tag list of stage 1: it should read {tag: [hash_id, ...]}"},
        {"kind": "damaged", "path": "./photos-metadata.json", "detail": "ends in the middle; run stage 1 again"},
    ]


def test_what_runs_leave_behind_is_noted_once_and_not_taken_for_pictures(here, capsys):
    write(here / "output", {".partial-abcd_123": b"half", ".scored.partial-0123abcd/pictures/1.png": png(1), ".run.lock": b"",
                            ".scored.partial-0123abcd/pictures/2.png": png(1), ".scored.partial-0123abcd.lock": b"", ".hidden": b"x"})
    assert found(capsys, "output") == [
        {"kind": "skipped", "path": "output/.hidden", "detail": "not_an_image", "reason": "not_an_image"},
        {"kind": "leftover", "path": "output/.partial-abcd_123", "detail": ""},
        {"kind": "leftover", "path": "output/.scored.partial-0123abcd", "detail": ""},
        {"kind": "leftover", "path": "output/.scored.partial-0123abcd.lock", "detail": ""},
    ]


def test_what_has_gone_since_it_was_told_from_a_picture_is_no_finding(here):
    write(here / "photos", {"kept/1.png": png(1)})
    [picture] = images("photos")
    assert OwnFiles("photos").examine(SetAside(picture.file, "unread")) == []


def test_a_picture_is_a_picture_even_under_the_name_of_a_database(here, capsys):
    write(here / "photos", {f"cats/{name}": png(number) for number, name in enumerate(
        ["1.sqlite", "model-x-tag-y.pkl", "3.png-wal", "3.png"])})
    assert report(capsys, "photos") == (0, "4 pictures\n\nno problems, nothing to note\n")
