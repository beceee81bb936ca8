"""Where pictures lie: from the file cache beside the metadata, or from the metadata itself."""
import json
import os
from pathlib import Path

import pytest

from cache import FileCache
from cache.files.json_file import JsonFormat
from cache.stores.file_table import FileTable
from cache.stores.picture_paths import picture_paths
from tests.drawing import png, write, zipped

METADATA = "./output/input-metadata.json"


def hash_ids() -> dict[str, str]:
    """{file_path as stage 1 was given it: hash_id}"""
    metadata = json.loads(Path(METADATA).read_text())
    return {record["file_path"]: hash_id for hash_id, record in metadata.items()}


def absolute(here: Path, hash_of: dict[str, str]) -> dict[str, str]:
    """{hash_id: absolute path}"""
    return {hash_id: str(here / path) for path, hash_id in hash_of.items()}


def test_pictures_on_disk_and_in_zips_are_found_under_their_absolute_paths(here, stage1):
    inner = zipped({"3.png": png(3)})
    write(here / "photos/cats", {"1.png": png(1), "z.zip": zipped({"a/2.png": png(2), "inner.zip": inner})})
    stage1()
    hash_of = hash_ids()
    expected = absolute(here, hash_of)
    assert sorted(hash_of) == [
        "photos/cats/1.png", "photos/cats/z.zip/a/2.png", "photos/cats/z.zip/inner.zip/3.png"]
    assert picture_paths(METADATA, [*expected, "unknown"]) == expected
    assert list(picture_paths(METADATA, list(expected)[::-1])) == list(expected)[::-1]
    os.remove("output/file_cache.sqlite")
    assert picture_paths(METADATA, [*expected, "unknown"]) == expected


def test_what_the_file_cache_does_not_know_is_looked_up_in_the_metadata(photos, stage1, here):
    stage1()
    hash_of = hash_ids()
    FileCache.clear_cache("output/file_cache.sqlite")
    write(here / "elsewhere", {"copy.png": (here / "photos/cats/00.png").read_bytes()})
    FileCache.add_folder_to_file_cache("elsewhere", "output")
    expected = {**absolute(here, hash_of), hash_of["photos/cats/00.png"]: str(here / "elsewhere/copy.png")}
    assert picture_paths(METADATA, hash_of.values()) == expected


def test_a_clip_cache_has_its_paths_in_the_file_cache_alone(photos, stage1, here):
    stage1()
    hash_of = hash_ids()
    assert picture_paths("output/clip_cache.sqlite", hash_of.values()) == absolute(here, hash_of)
    os.remove("output/file_cache.sqlite")
    assert picture_paths("output/clip_cache.sqlite", hash_of.values()) == {}


def test_the_metadata_is_not_read_if_the_file_cache_knows_all(photos, stage1, monkeypatch):
    stage1()
    hash_of = hash_ids()
    monkeypatch.setattr(JsonFormat, "members", None)
    assert len(picture_paths(METADATA, hash_of.values())) == 12


def test_a_path_that_is_no_text_is_passed_over(photos, stage1, here):
    stage1()
    hash_of = hash_ids()
    update = "UPDATE file_cache SET absolute_path"
    with FileTable("output/file_cache.sqlite") as table, table.connection as connection:
        connection.execute(f"{update} = CAST(x'ff' AS TEXT) WHERE path LIKE '%cats/00.png'")
        connection.execute(f"{update} = x'ff' WHERE path LIKE '%cats/01.png'")
    assert picture_paths(METADATA, hash_of.values()) == absolute(here, hash_of)


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\x00" + bytes(5000)])
def test_a_damaged_file_cache_is_passed_over(photos, stage1, here, damage):
    stage1()
    for path in here.glob("output/file_cache.sqlite*"):
        path.unlink()
    (here / "output/file_cache.sqlite").write_bytes(damage)
    assert picture_paths(METADATA, hash_ids().values()) == absolute(here, hash_ids())


@pytest.mark.parametrize("content", [
    None, "{", "[]", '{"a": 1, "b": {}, "c": {"file_path": 5}}', '{\n"a": {},\n'])
def test_metadata_without_paths_gives_none(here, content):
    if content is not None:
        (here / "m.json").write_text(content)
    assert picture_paths("m.json", ["a", "b", "c"]) == {}


def test_the_metadata_is_read_no_further_than_needed(here):
    (here / "m.json").write_text('{\n"a": {"file_path": "1.png"},\n"b": broken')
    assert picture_paths("m.json", ["a"]) == {"a": str(here / "1.png")}
    assert picture_paths("m.json", ["a", "b"]) == {"a": str(here / "1.png")}
