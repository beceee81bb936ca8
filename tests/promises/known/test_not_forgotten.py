"""What a run has not seen it does not forget: what lies elsewhere, cannot be read, is not mounted now."""
import os
import shutil
from contextlib import suppress

import pytest

from cache import ClipCache, FileCache, TagCache
from cache.encoders.clip_encoder import ClipEncoder
from cache.refusal import Refused
from stage3 import classify
from stage4 import classify_zip
from tests.drawing import png, write, zipped
from tests.promises.known.outcome import rows, tables
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture

PHOTOS = {
    "cats/a.png": png(1), "cats/b.png": png(2), "cats/wild/d.png": png(4), "dogs/c.png": png(3, "dogs"),
    "cats/x.zip": zipped({"in/e.png": png(5), "f.png": png(6)}),
}


def add_all(source: str) -> None:
    FileCache.add_folder_to_file_cache(source)
    TagCache.add_folder_to_tag_cache(source)


def facts() -> dict[str, set[tuple]]:
    """What the file cache and the tag cache say, whatever the spelling of the source was."""
    files = rows("output/file_cache.sqlite", "SELECT absolute_path, hash_id FROM file_cache")
    tags = rows("output/tag_cache.sqlite", "SELECT absolute_path, hash_id, tag FROM tag_cache")
    return {"files": {tuple(row.values()) for row in files}, "tags": {tuple(row.values()) for row in tags}}


@pytest.mark.parametrize("source", [
    "photos/cats", "./photos/dogs", "photos/cats/a.png", "photos/cats/x.zip", "photos/cats/wild", "other"])
def test_the_caches_keep_what_lies_outside_and_the_tags_that_folders_around_the_source_name(here, source):
    write(here / "photos", PHOTOS)
    write(here / "other", {"birds/g.png": png(7)})
    add_all("photos")
    before = facts()
    add_all(source)
    assert before["files"] <= facts()["files"]
    assert before["tags"] <= facts()["tags"]


def test_stage_1_over_a_tag_folder_or_one_picture_is_refused_and_deletes_nothing(here, stage1):
    write(here / "photos", PHOTOS)
    stage1()
    before = {name: table for name, table in tables().items() if not name.endswith(" skipped")}
    for source in ("photos/dogs", "photos/cats/a.png"):
        with pytest.raises(Refused, match="no readable picture in a tag folder under"):
            stage1(source)
        assert before.items() <= tables().items()


@pytest.mark.parametrize("names", [[], [".not mounted"], ["lost+found"]])
def test_a_folder_whose_disk_is_not_mounted_makes_nobody_forget(here, stage1, names):
    write(here / "photos", PHOTOS)
    stage1()
    before = facts()
    os.rename("photos", "elsewhere")
    os.mkdir("photos")
    for name in names:
        os.mkdir(f"photos/{name}")
    with pytest.raises(Refused, match="no readable picture in a tag folder under photos"):
        stage1()
    add_all("photos")
    assert facts() == before
    shutil.rmtree("photos")
    os.rename("elsewhere", "photos")
    assert stage1()["unchanged"] == 6


def test_a_folder_that_cannot_be_read_is_not_forgotten(here, stage1, monkeypatch):
    write(here / "photos", PHOTOS)
    stage1()
    before = facts()
    scandir = os.scandir

    def failing(path="."):
        if os.path.basename(path) == "cats":
            raise OSError(5, "Input/output error")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    assert stage1()["skipped"] == 1
    add_all("photos")
    assert facts() == before


def test_an_interrupted_run_forgets_nothing(here, stage1, monkeypatch):
    write(here / "photos", PHOTOS)
    stage1()
    os.remove("photos/cats/a.png")
    write(here / "photos", {"zebras/z.png": png(9)})

    def interrupted(self, crops):
        raise KeyboardInterrupt

    before = facts()
    monkeypatch.setattr(ClipEncoder, "encode", interrupted)
    with suppress(KeyboardInterrupt):
        stage1()
    assert facts() == before


def test_stage_3_leaves_alone_what_stage_4_knows_of_zips_and_the_other_way_round(ready, here):  # noqa: F811
    shutil.rmtree("photos")
    write(here / "photos", PHOTOS)
    assert ready(classify_zip, "photos", output="zips") == 0
    of_zips = tables()
    assert ready(classify, "photos", output="loose") == 0
    of_both = tables()
    assert ready(classify_zip, "photos", output="zips again") == 0
    assert ready(classify, "photos", output="loose again") == 0
    for name in ("stage4.db stage4", "zip_score_cache.sqlite zip_score_cache"):
        assert of_zips[name] == of_both[name] == tables()[name]
    assert of_zips["file_cache.sqlite file_cache"] <= of_both["file_cache.sqlite file_cache"]
    assert of_both["file_cache.sqlite file_cache"] == tables()["file_cache.sqlite file_cache"]
    assert of_both["stage3.db stage3"] == tables()["stage3.db stage3"]


def test_stage_3_over_a_part_keeps_the_scores_of_the_rest(ready, here):  # noqa: F811
    write(here / "new", PHOTOS)
    query = "SELECT absolute_path, model_type, tag_name, tag_prob FROM stage3 ORDER BY 1, 2, 3"
    assert ready(classify, "new", output="all") == 0
    before = rows("output/stage3.db", query)
    for number, part in enumerate(("new/cats", "./new/dogs", "new/cats/a.png", str(here / "new/cats/wild"))):
        assert ready(classify, part, output=f"part {number}") == 0
        assert rows("output/stage3.db", query) == before


def test_vectors_stay_when_their_pictures_go(here, tiny):
    write(here / "photos", PHOTOS)
    clips = ClipCache(**tiny)
    clips.add_folder_to_clip_cache("photos")
    shutil.rmtree("photos/cats")
    clips.add_folder_to_clip_cache("photos")
    assert len(rows("output/clip_cache.sqlite", "SELECT * FROM clip_cache")) == 6
