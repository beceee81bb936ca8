"""Databases of version 1 are brought up to date when they are opened for use: nothing wrong is taken over."""
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cache import ClipCache, FileCache
from cache.encoders.clip_encoder import ClipEncoder
from cache.stores import opened_database
from cache.stores.clip_table import ClipTable
from cache.stores.databases import KINDS
from cache.stores.file_table import FileTable
from cache.stores.score_table import ScoreTable
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable
from tests.cache.stores.version_1 import caches_drawn_anew, draw, drawn_anew, rows_of, schemas_of, version
from tests.drawing import drawn, encoded, png, write

NEW_COLUMNS = {"file_cache": ["stamp"], "clip_cache": ["checksum"], "tag_cache": [], "stage1": []}
FILES, CLIPS = "output/file_cache.sqlite", "output/clip_cache.sqlite"
ROOT = Path(__file__).resolve().parents[3]


def a_row(kind: type[Table]) -> dict:
    """Of any values: each column has its own name in it, or a number."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(schemas_of(kind)[0][0])
        columns = connection.execute(f"PRAGMA table_info({kind.name})").fetchall()
    values = {"TEXT": "text of {}", "INTEGER": 7, "REAL": 0.5, "BLOB": bytes(8)}
    return {name: str(values[sort]).format(name) if sort == "TEXT" else values[sort]
            for _, name, sort, *_ in columns}


def contents(path: str) -> tuple[int, list, list]:
    """Version, statements and rows of `skipped`, without opening it for use."""
    with closing(sqlite3.connect(path)) as connection:
        statements = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        rows = [connection.execute(f"SELECT * FROM {name}").fetchall() for name, in tables.fetchall()]
        return version(path), statements, rows


VERSION_1 = [(kind, schema) for kind in KINDS for schema in schemas_of(kind)]
KINDS_OF_VERSION_1 = list(dict(VERSION_1))


@pytest.mark.parametrize(("kind", "schema"), VERSION_1)
def test_a_database_of_version_1_has_version_2_with_its_rows_once_it_was_opened(here, kind, schema):
    row = a_row(kind)
    draw("a.db", kind, [row], schema)
    new = ["checksum"] if issubclass(kind, ScoreTable) else NEW_COLUMNS[kind.name]
    assert rows_of("a.db", kind) == [{**row, **dict.fromkeys(new)}]
    assert version("a.db") == 2
    with kind("a.db") as table:
        assert [tuple(home) for home in table.connection.execute("SELECT * FROM home")] == [(str(here),)]


@pytest.mark.parametrize("kind", KINDS_OF_VERSION_1)
def test_what_fails_on_the_way_leaves_version_1(here, monkeypatch, kind):
    def killed(connection: sqlite3.Connection, path: str) -> None:
        raise KeyboardInterrupt

    draw("a.db", kind, [a_row(kind)])
    before = contents("a.db")
    with monkeypatch.context() as patched:
        patched.setattr(opened_database, "make_home", killed)
        with pytest.raises(KeyboardInterrupt):
            kind("a.db")
    assert contents("a.db") == before
    assert len(rows_of("a.db", kind)) == 1
    assert version("a.db") == 2


def test_who_finds_that_another_process_was_faster_does_nothing(here, monkeypatch):
    """Both have seen version 1."""
    verify, seen = opened_database.verify, []

    def overtaken(connection: sqlite3.Connection, path: str, layout: type[Table]) -> int:
        seen.append(verify(connection, path, layout))
        if len(seen) == 1:
            FileTable(path).close()
        return seen[0]

    draw("a.db", FileTable, [a_row(FileTable)])
    with monkeypatch.context() as patched:
        patched.setattr(opened_database, "verify", overtaken)
        FileTable("a.db").close()
    assert seen == [1, 1]
    assert version("a.db") == 2
    assert len(rows_of("a.db", FileTable)) == 1


def test_two_processes_bring_the_caches_of_one_folder_up_to_date_at_once(here):
    row = {**a_row(ClipTable), "hash_id": "h"}
    draw("clip_cache.sqlite", ClipTable, [row])
    draw("file_cache.sqlite", FileTable, [a_row(FileTable)])
    code = "from cache.stores.clip_table import ClipTable; print(ClipTable('clip_cache.sqlite').row_count())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == ["1\n", "1\n"]
    assert (version("clip_cache.sqlite"), version("file_cache.sqlite")) == (2, 2)


def test_a_file_known_to_version_1_is_decoded_once_more_and_then_known(here):
    write(here / "photos", {"a.png": png(1)})
    FileCache.add_folder_to_file_cache("photos")
    drawn_anew(FILES, FileTable)
    assert [FileCache.add_folder_to_file_cache("photos")["processed"] for _ in range(2)] == [1, 0]


@pytest.fixture
def embedded(monkeypatch) -> list[int]:
    """How many pictures each call of the encoder was about."""
    numbers, encode = [], ClipEncoder.encode

    def counting(encoder: ClipEncoder, crops: np.ndarray) -> np.ndarray:
        numbers.append(len(crops))
        return encode(encoder, crops)

    monkeypatch.setattr(ClipEncoder, "encode", counting)
    return numbers


def test_vectors_whose_hash_has_not_changed_are_kept(photos, stage1, embedded):
    stage1()
    before = Path("output/input-metadata.json").read_bytes()
    caches_drawn_anew()
    embedded.clear()
    assert stage1()["processed"] == 12
    assert embedded == []
    assert Path("output/input-metadata.json").read_bytes() == before


def turned(picture: Image.Image) -> bytes:
    """The same pixels, to be seen turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture, exif=exif)


def vectors() -> dict[str, list[float]]:
    """By path, as the metadata says."""
    records = json.loads(Path("output/input-metadata.json").read_text()).values()
    return {record["file_path"]: record["embeddings_vector"] for record in records}


PLAIN, TURNED = "photos/cats/plain.png", "photos/dogs/turned.png"


@pytest.fixture
def twins(photos, stage1, embedded) -> dict[str, list[float]]:
    """A picture and the same pixels turned, beside others; their right vectors. In the caches, which are of
    version 1, both have one hash, and the vector under it is that of the turned one."""
    write(Path(), {PLAIN: encoded(drawn(50)), TURNED: turned(drawn(50))})
    stage1()
    right = vectors()
    assert not np.allclose(right[PLAIN], right[TURNED], atol=0.01)
    hash_of = {row["path"]: row["hash_id"] for row in rows_of(FILES, FileTable)}
    plain, other = hash_of[PLAIN], hash_of[TURNED]

    def with_one_hash(row: dict) -> dict:
        return row | {"hash_id": plain} if row["hash_id"] == other else row

    drawn_anew(FILES, FileTable, map(with_one_hash, rows_of(FILES, FileTable)))
    of_turned = [row for row in rows_of(CLIPS, ClipTable) if row["hash_id"] != plain]
    drawn_anew(CLIPS, ClipTable, map(with_one_hash, of_turned))
    drawn_anew("output/tag_cache.sqlite", TagTable)
    embedded.clear()
    return right


def test_until_a_run_made_it_anew_no_look_up_gives_the_one_vector_of_both(twins, tiny):
    for row in rows_of_version_1(FILES):
        clip = ClipCache(**tiny).get_clip_by_hash(CLIPS, row["hash_id"])
        assert (clip is None) is (row["path"] in (PLAIN, TURNED))


def assert_right(expected: dict[str, list[float]]) -> None:
    """But for the last digits, which depend on the pictures that shared a batch."""
    found = vectors()
    assert list(found) == list(expected)
    assert np.allclose(list(found.values()), list(expected.values()), atol=1e-6)


def test_of_pictures_that_shared_a_hash_in_version_1_each_gets_its_own_vector(twins, stage1, embedded):
    stage1()
    assert_right(twins)
    assert sum(embedded) == 2


def test_so_it_does_where_the_file_cache_was_brought_up_to_date_long_before(twins, stage1, embedded):
    FileCache.add_folder_to_file_cache("photos")
    stage1()
    assert_right(twins)
    assert sum(embedded) == 2


def test_so_it_does_in_a_clip_cache(twins, tiny, embedded):
    clips = ClipCache(**tiny)
    assert clips.add_folder_to_clip_cache("photos")["processed"] == 14
    assert sum(embedded) == 2
    FileCache.add_folder_to_file_cache("photos")
    for row in rows_of(FILES, FileTable):
        vector = clips.get_clip_by_hash(CLIPS, row["hash_id"])["clip_vector"]
        assert np.allclose(vector, twins[row["path"]], atol=1e-6)


@pytest.mark.parametrize("files_first", [False, True])
def test_a_vector_of_version_1_goes_with_the_file_that_alone_had_its_hash(twins, stage1, files_first):
    """Else the next plain picture of these pixels would get the vector of the turned one."""
    os.remove(PLAIN)
    drawn_anew(FILES, FileTable, [row for row in rows_of_version_1(FILES) if row["path"] != PLAIN])
    if files_first:
        FileCache.add_folder_to_file_cache("photos")
    write(Path(), {PLAIN: encoded(drawn(50))})
    stage1()
    assert_right(twins)


def rows_of_version_1(path: str) -> list[dict]:
    """Without opening it for use."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM file_cache")]
