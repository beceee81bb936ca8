"""Pictures and output moved together, one file under many spellings: one file is one row that is there."""
import os
import re
from pathlib import Path

import pytest

from cache import FileCache, TagCache
from stage2.train import main as train
from stage3 import classify
from tests.cache.test_caches import hash_of
from tests.drawing import png, tag_folders, write, zipped
from tests.promises.known.outcome import expect_as_fresh, rows
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture
from web_api.cache_web_api import create_app

FILES, TAGS = "output/file_cache.sqlite", "output/tag_cache.sqlite"
SAME_FOLDER = ("new", "./new", "new/", "new/../new")


@pytest.fixture
def moved(here, stage1, monkeypatch) -> Path:
    """Pictures, one of them in a ZIP, and the output, made in one place, moved to another, where we stand."""
    write(here / "old place/photos", {**tag_folders(4), "dogs/x.zip": zipped({"in.png": png(50, "dogs")})})
    monkeypatch.chdir(here / "old place")
    stage1()
    (here / "disk").mkdir()
    os.rename(here / "old place", here / "disk/new place")
    monkeypatch.chdir(here / "disk/new place")
    return here / "disk/new place"


def test_look_ups_before_any_run_answer_with_the_new_paths(moved):
    image = FileCache.get_img_by_hash(FILES, hash_of(0))
    assert image["absolute_path"] == str(moved / "photos/cats/00.png")
    assert os.path.samefile(image["path"], "photos/cats/00.png")
    member = FileCache.get_img_by_hash(FILES, hash_of(50, "dogs"))
    assert member["absolute_path"] == str(moved / "photos/dogs/x.zip/in.png")
    assert TagCache.get_tag_by_hash(TAGS, hash_of(0))["tags"] == ["cats"]
    client = create_app().test_client()
    assert client.get(f"/image/{hash_of(0)}?db_path={FILES}").data == png(0)
    assert client.get(f"/image/{hash_of(50, 'dogs')}?db_path={FILES}").data == png(50, "dogs")


def pictures_of_a_report() -> set[str]:
    train("output/input-metadata.json", "output/input-tag-to-image-hash-list.json", "output", 0.2)
    return set(re.findall(r"data:image/jpeg;base64,[\w+/=]+", Path("output/reports/index.html").read_text()))


def test_the_report_made_there_shows_the_pictures_it_showed_before(moved, monkeypatch, here):
    shown = pictures_of_a_report()
    os.rename(here / "disk/new place", here / "old place")
    monkeypatch.chdir(here / "old place")
    assert shown
    assert shown == pictures_of_a_report()


def test_one_run_there_decodes_each_once_and_leaves_what_a_fresh_output_has(moved, stage1):
    result = stage1()
    assert (result["processed"] + result["unchanged"], result["skipped"]) == (9, 0)
    stage1(output_folder="fresh")
    expect_as_fresh("output", "fresh")


def test_scores_move_along(ready, here, monkeypatch):  # noqa: F811
    assert ready(classify, "photos") == 0
    before = rows("output/stage3.db", "SELECT file_name, hash_id, tag_prob FROM stage3 ORDER BY rowid")
    (here / "disk").mkdir()
    for name in ("photos", "output"):
        os.rename(name, f"disk/{name}")
    monkeypatch.chdir(here / "disk")
    assert ready(classify, "photos", output="again") == 0
    query = "SELECT file_name, hash_id, tag_prob FROM stage3 ORDER BY rowid"
    assert rows("output/stage3.db", query) == before
    [count] = rows("output/stage3.db", "SELECT count(DISTINCT absolute_path) AS files FROM stage3")
    assert count == {"files": 12}


def test_one_file_is_one_row_however_the_source_is_spelled(ready, here):  # noqa: F811
    write(here / "new", {"a.png": png(9)})
    for number, source in enumerate((*SAME_FOLDER, str(here / "new"), "new/a.png", "./new/a.png")):
        assert ready(classify, source, output=f"scored {number}") == 0
        FileCache.add_folder_to_file_cache(source)
    query = "SELECT file_path, model_type, tag_name FROM stage3 WHERE absolute_path = ? ORDER BY 2, 3"
    assert rows("output/stage3.db", query, str(here / "new/a.png")) == [
        {"file_path": "./new/a.png", "model_type": model_type, "tag_name": tag}
        for model_type in ("ovr-logistic-regression", "ovr-svm") for tag in ("cats", "dogs")]
    [count] = rows("output/stage3.db", "SELECT count(DISTINCT absolute_path) AS files FROM stage3")
    assert count == {"files": 1}
    [row] = rows(FILES, "SELECT path FROM file_cache WHERE file_name = 'a.png'")
    assert row == {"path": "./new/a.png"}


def test_a_path_over_a_link_and_up_again_is_looked_up_on_the_disk(here):
    write(here, {"photos/cats/a.png": png(1), "far/photos/dogs/b.png": png(2), "far/inside/c.png": png(3)})
    os.symlink(here / "far/inside", "link")
    TagCache.add_folder_to_tag_cache("link/../photos")
    FileCache.add_folder_to_file_cache("link/../photos")
    assert rows(TAGS, "SELECT absolute_path, tag FROM tag_cache") == [
        {"absolute_path": str(here / "far/photos/dogs/b.png"), "tag": "dogs"}]
    image = FileCache.get_img_by_hash(FILES, hash_of(2))
    assert Path(image["path"]).read_bytes() == png(2)


def test_an_address_shows_the_copy_that_is_left_and_never_another_picture(here):
    write(here / "photos", {"a.png": png(1), "b.png": png(1)})
    FileCache.add_folder_to_file_cache("photos", thumbnails=False)
    client = create_app().test_client()
    address = f"/image/{hash_of(1)}?db_path={FILES}"
    os.remove("photos/a.png")
    assert client.get(address).data == png(1)
    assert FileCache.get_img_by_hash(FILES, hash_of(1))["path"] == "photos/b.png"
    write(here / "photos", {"b.png": png(2)})
    for call in ("image", "thumbnail"):
        response = client.get(f"/{call}/{hash_of(1)}?db_path={FILES}")
        assert response.status_code == 404
        assert "max-age=86400" not in response.headers.get("Cache-Control", "")
    assert FileCache.get_img_by_hash(FILES, hash_of(1)) is None


def test_pictures_that_moved_away_from_their_caches_and_got_another_tag_there_have_that_tag_only(here):
    write(here, {"photos/cats/a.png": png(1), "photos/dogs/b.png": png(2)})
    for old, new in (("", "photos"), ("photos", "mount/photos")):
        if old:
            os.renames(old, new)
        FileCache.add_folder_to_file_cache(new)
        TagCache.add_folder_to_tag_cache(new)
    os.rename("mount/photos/cats/a.png", "mount/photos/dogs/a.png")
    TagCache.add_folder_to_tag_cache("mount/photos")
    assert TagCache.get_tag_by_hash(TAGS, hash_of(1)) == {
        "hash_id": hash_of(1), "tag": "dogs", "tags": ["dogs"]}
    assert FileCache.get_img_by_hash(FILES, hash_of(1)) is None  # the file cache has not been told yet
    FileCache.add_folder_to_file_cache("mount/photos")
    assert FileCache.get_img_by_hash(FILES, hash_of(1))["path"] == "mount/photos/dogs/a.png"
    os.rename("mount", "unplugged")
    assert TagCache.get_tag_by_hash(TAGS, hash_of(1))["tags"] == ["cats", "dogs"]
