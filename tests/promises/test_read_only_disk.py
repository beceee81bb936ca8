"""Caches on a disk that cannot be written to, an archive disc or a shared drive, answer as anywhere else."""
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cache import ClipCache, FileCache, TagCache
from cache.__main__ import main as tools
from cache.encoders.clip_encoder import ClipEncoder
from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.file_table import FileTable
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable
from cache.stores.thumbnail_table import ThumbnailTable
from stage1.ImageDatasetProcessor import main as stage1_command
from stage3 import classify
from stage4 import classify_zip
from tests.cache.stores.version_1 import caches_drawn_anew
from tests.drawing import png, tag_folders, tree, write, zipped
from web_api.cache_web_api import create_app

CACHES = {
    "file_cache": FileTable, "clip_cache": ClipTable, "tag_cache": TagTable,
    "thumbnail_cache": ThumbnailTable,
}
FILES, CLIPS, TAGS, THUMBNAILS = (f"disk/output/{name}.sqlite" for name in CACHES)


def of_today() -> None:
    pass


def of_version_1() -> None:
    caches_drawn_anew()


def left_by_a_killed_run() -> None:
    """What was last written lies in the log."""
    for name, kind in CACHES.items():
        _killed(f"output/{name}.sqlite", kind, ("", "-wal", "-shm"))


def left_without_its_index() -> None:
    for name, kind in CACHES.items():
        _killed(f"output/{name}.sqlite", kind, ("", "-wal"))


def _killed(path: str, kind: type[Table], suffixes: tuple[str, ...]) -> None:
    """All rows are written once more."""
    with kind(path) as table:
        table.connection.execute("PRAGMA wal_autocheckpoint = 0")
        with table.connection as connection:
            rows = connection.execute(f"SELECT * FROM {kind.name}").fetchall()
            connection.execute(f"DELETE FROM {kind.name}")
        with table.connection as connection:
            places = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {kind.name} VALUES ({places})", rows)
        for suffix in suffixes:
            shutil.copyfile(path + suffix, f"kept{suffix}")
    for suffix in suffixes:
        os.replace(f"kept{suffix}", path + suffix)


@pytest.fixture(params=[of_today, of_version_1, left_by_a_killed_run, left_without_its_index])
def archived(disk, tiny, stage1, request, monkeypatch) -> Iterator[Path]:
    """A dataset with its output, archived; a clean directory to stand in beside it."""
    from stage2.train import main

    write(disk, {f"photos/{path}": data for path, data in tag_folders().items()})
    write(disk, {"new/a.png": png(900), "zips/z.zip": zipped({"cats/00.png": tag_folders()["cats/00.png"]})})
    stage1()
    main("./output/input-metadata.json", "./output/input-tag-to-image-hash-list.json", "./output", 0.2)
    monkeypatch.setenv("ITT_CLIP_MODEL", tiny["clip_model"])
    monkeypatch.setenv("ITT_PRETRAINED", tiny["pretrained"])
    request.param()
    before = tree(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    (disk.parent / "work").mkdir()
    os.chdir(disk.parent / "work")
    os.symlink(disk, "disk")
    yield disk
    assert tree(disk) == before


def hash_ids() -> list[str]:
    return list(json.loads(Path("disk/output/input-metadata.json").read_text()))


def test_look_ups_answer(archived, tiny):
    clips, hash_id = ClipCache(**tiny), hash_ids()[0]
    record = json.loads(Path("disk/output/input-metadata.json").read_text())[hash_id]
    image = FileCache.get_img_by_hash(FILES, hash_id)
    assert image["absolute_path"] == str(archived / "photos/cats/00.png")
    assert TagCache.get_tag_by_hash(TAGS, hash_id) == {"hash_id": hash_id, "tag": "cats", "tags": ["cats"]}
    vector = clips.get_clip_by_hash(CLIPS, hash_id)["clip_vector"]
    assert np.array_equal(vector[0], np.float32(record["embeddings_vector"]))
    assert FileCache.get_random_image(FILES)["hash_id"] in hash_ids()
    assert clips.get_random_clip(CLIPS)["hash_id"] in hash_ids()
    assert TagCache.get_random_tag(TAGS)["hash_id"] in hash_ids()


def test_calls_that_write_are_refused_in_one_line(archived, tiny):
    clips = ClipCache(**tiny)
    calls: list[Callable] = [
        lambda: FileCache.add_folder_to_file_cache("disk/new", "disk/output"),
        lambda: clips.add_folder_to_clip_cache("disk/new", "disk/output"),
        lambda: TagCache.add_folder_to_tag_cache("disk/new", "disk/output"),
        lambda: FileCache.create_file_cache("disk/output", "new.sqlite"),
        lambda: FileCache.clear_cache(FILES),
        lambda: clips.clear_cache(CLIPS, delete_cache=True),
        lambda: TagCache.clear_cache(TAGS, delete_cache=True),
    ]
    for call in calls:
        with pytest.raises(Refused, match=r"^\S*disk/output\S* cannot be written to$"):
            call()


def test_the_pages_and_pictures_of_the_web_app_are_shown(archived, monkeypatch):
    monkeypatch.setenv("ITT_ROOT", str(archived))
    client, hash_id = create_app().test_client(), hash_ids()[0]
    output = archived / "output"
    for page in (
        "/", f"/files?db_path={output}/file_cache.sqlite", f"/tags?db_path={output}/tag_cache.sqlite",
        f"/tag?db_path={output}/tag_cache.sqlite&tag=cats",
        f"/picture/{hash_id}?db_path={output}/file_cache.sqlite",
        f"/image/{hash_id}?db_path={output}/file_cache.sqlite",
        f"/thumbnail/{hash_id}?db_path={output}/tag_cache.sqlite",
        f"/get_random_img?db_path={output}/file_cache.sqlite",
    ):
        assert client.get(page).status_code == 200, page
    for call in (
        f"/clear_file_cache?db_path={output}/file_cache.sqlite",
        f"/clear_tag_cache?db_path={output}/tag_cache.sqlite&delete_cache=true",
        f"/add_folder_to_file_cache?data_dir={archived}/photos&out_dir={output}",
    ):
        response = client.post(call)
        assert response.status_code == 400, call
        message = response.get_json()["error"]["message"]
        assert message.endswith(" cannot be written to"), message


@pytest.mark.parametrize("metadata", ["input-metadata.json", "clip_cache.sqlite"])
def test_stages_3_and_4_score_with_what_lies_there(archived, metadata, monkeypatch):
    monkeypatch.setattr(ClipEncoder, "encode", None)  # all vectors are known
    flags = ["--metadata_json", f"disk/output/{metadata}", "--model", "disk/output/models"]
    assert classify.command(["--directory", "disk/photos", *flags, "--output", "scored"]) == 0
    assert len(json.loads(Path("scored/output.json").read_text())) == 12
    assert classify_zip.command(["--directory", "disk/zips", *flags, "--output", "zips"]) == 0
    assert len(json.loads(Path("zips/output.json").read_text())) == 1


def test_pages_show_the_thumbnails_that_lie_there_and_open_no_picture(archived, monkeypatch):
    for module in ("serving.pictures", "pages.thumbnails"):
        monkeypatch.setattr(f"cache.{module}.stored_file", None)
    monkeypatch.setenv("ITT_ROOT", str(archived))
    address = f"/thumbnail/{hash_ids()[0]}?db_path={archived}/output/tag_cache.sqlite"
    for flag in ("&square=false", "&size=48"):
        assert create_app().test_client().get(f"{address}{flag}").status_code == 200
    flags = ["--metadata_json", "disk/output/input-metadata.json", "--model", "disk/output/models"]
    assert classify.command(["--directory", "disk/photos", *flags, "--output", "scored"]) == 0
    assert Path("scored/index.html").read_text().count("data:image/jpeg") == 12


def test_a_page_that_has_to_open_a_picture_there_shows_it_all_the_same(archived, monkeypatch):
    monkeypatch.setenv("ITT_ROOT", str(archived))
    monkeypatch.setattr(ThumbnailTable, "jpeg", lambda table, hash_id: None)
    address = f"/thumbnail/{hash_ids()[0]}?db_path={archived}/output/tag_cache.sqlite&square=false"
    assert create_app().test_client().get(address).status_code == 200


def test_a_command_that_writes_there_ends_with_one_line(archived, tiny, capsys):
    flags = ["--clip_model", tiny["clip_model"], "--pretrained", tiny["pretrained"]]
    assert stage1_command(["--input_folder", "disk/photos", "--output_folder", "disk/output", *flags]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("disk/output cannot be written to")


def test_the_doctor_finds_nothing_wrong(archived, capsys):
    assert tools(["doctor", "disk/output", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []
