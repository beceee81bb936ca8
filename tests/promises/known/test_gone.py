"""Files that moved, went or became others: after a run nothing is said that a fresh output would not say."""
import os
import shutil

import pytest

from cache import ClipCache, FileCache, TagCache
from stage3 import classify
from stage4 import classify_zip
from tests.promises.known.changes import change_all, write_before
from tests.promises.known.outcome import expect_as_fresh, tables
from tests.stage1.test_stage1 import json_files
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture

TAG_LISTS = ["input-tag-to-image-hash-list.json", "input-image-hash-to-tag-list.json"]


def test_what_stage_1_leaves_is_as_in_a_fresh_output(here, stage1):
    write_before(here / "photos")
    stage1()
    change_all(here / "photos")
    stage1()
    stage1(output_folder="fresh")
    expect_as_fresh("output", "fresh")
    for name in TAG_LISTS:
        assert json_files()[name] == json_files("fresh")[name]


def test_what_the_caches_say_is_as_in_fresh_ones(here, tiny):
    clips = ClipCache(**tiny)

    def add(output: str) -> None:
        FileCache.add_folder_to_file_cache("photos", output)
        TagCache.add_folder_to_tag_cache("photos", output)
        clips.add_folder_to_clip_cache("photos", output)

    write_before(here / "photos")
    add("output")
    change_all(here / "photos")
    add("output")
    add("fresh")
    expect_as_fresh("output", "fresh")


@pytest.mark.parametrize("stage", [classify, classify_zip])
def test_the_scores_are_as_in_fresh_tables(ready, here, stage):  # noqa: F811
    shutil.rmtree("photos")
    write_before(here / "photos")
    assert ready(stage, "photos", output="first") == 0
    change_all(here / "photos")
    assert ready(stage, "photos", output="second") == 0
    os.mkdir("used")
    for name in stage.STAGE.tables:
        os.rename(f"output/{name}", f"used/{name}")
    assert ready(stage, "photos", output="fresh") == 0
    used, fresh = tables("used"), tables("output")
    assert used == {name: fresh[name] for name in used}
