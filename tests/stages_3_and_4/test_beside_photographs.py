"""Folders as a phone and as an export leave them, through all stages: whole rows, whole texts."""
from pathlib import Path

import pytest

from stage1 import ImageDatasetProcessor as stage1
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import rows
from tests.drawing import drawn, encoded, png, tag_folders, write, zipped

LIVE_PHOTO = b"\0\0\0\x14ftypqt  \0\0\0\0qt  "
EDITS = b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"></plist>\n'
SKIPPED = "SELECT * FROM skipped ORDER BY file_path"


def phone(tag: str) -> dict[str, bytes]:
    """Live Photos with their videos, edits beside an edited one, what a PC and a Mac add."""
    return {
        f"{tag}/IMG_0001.JPG": encoded(drawn(700, tag), "JPEG"),
        f"{tag}/IMG_0001.MOV": LIVE_PHOTO,
        f"{tag}/IMG_0002.JPG": encoded(drawn(701, tag), "JPEG"),
        f"{tag}/IMG_0002.AAE": EDITS,
        f"{tag}/MVI_0003.MP4": b"\0\0\0\x14ftypmp42\0\0\0\0mp42",
        f"{tag}/MVI_0003.THM": encoded(drawn(702, tag), "JPEG"),
        f"{tag}/Thumbs.db": b"\xd0\xcf\x11\xe0",
        f"{tag}/desktop.ini": b"[.ShellClassInfo]",
    }


def rows_of(folder: str) -> list[tuple[str, str, str]]:
    return [
        (f"{folder}/IMG_0001.MOV", "other_file", "QuickTime video"),
        (f"{folder}/IMG_0002.AAE", "other_file", ""),
        (f"{folder}/MVI_0003.MP4", "other_file", "MPEG-4 video"),
        (f"{folder}/MVI_0003.THM", "other_file", ""),
        (f"{folder}/Thumbs.db", "hidden", ""),
        (f"{folder}/desktop.ini", "hidden", ""),
    ]


def test_stage_1_counts_them_and_names_none(here, tiny, capsys):
    write(here / "phone", {**phone("cats"), **phone("dogs")})
    encoder = ["--clip_model", tiny["clip_model"], "--pretrained", tiny["pretrained"], "--num_threads", "2"]
    assert stage1.main(["phone", *encoder, "--strict"]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "2 tags: cats 2, dogs 2\n"
        "wrote ./output/input-metadata.json\n"
        "wrote ./output/input-tag-to-image-hash-list.json\n"
        "wrote ./output/input-image-hash-to-tag-list.json\n"
        "wrote ./output/stage1.db\n"
        "skipped: 8 other_file, 4 hidden\n"
        "processed 4, unchanged 0, skipped 12\n")
    said = [line for line in err.splitlines() if not line.startswith("loading the encoder ")]
    assert said == ["left out as hidden: 4; --include_hidden reads them"]
    for database in ("stage1.db", "file_cache.sqlite", "clip_cache.sqlite", "tag_cache.sqlite"):
        assert rows(f"output/{database}", SKIPPED) == rows_of("phone/cats") + rows_of("phone/dogs")
    assert stage1.main(["phone", *encoder, "--strict"]) == 0
    assert capsys.readouterr().out.endswith(
        "skipped: 8 other_file, 4 hidden\nprocessed 0, unchanged 4, skipped 12\n")


def test_a_fault_among_them_is_named_and_ends_a_strict_run(here, tiny, capsys):
    write(here / "photos", {**tag_folders(), "cats/a.MOV": LIVE_PHOTO, "cats/cut.jpg": b"\xff\xd8\xff"})
    encoder = ["--clip_model", tiny["clip_model"], "--pretrained", tiny["pretrained"], "--num_threads", "2"]
    assert stage1.main(["photos", *encoder, "--strict"]) == 3
    out, err = capsys.readouterr()
    assert out.splitlines()[-2:] == [
        "skipped: 1 other_file, 1 damaged", "processed 12, unchanged 0, skipped 2"]
    assert [line for line in err.splitlines() if not line.startswith("loading the encoder ")] == [
        "skipped photos/cats/cut.jpg: damaged (unreadable header)"]


def test_stage_3_scores_a_phone(here, ready, capsys):
    write(here, phone("new"))
    assert ready(classify, "new", "--strict", "--place", "none") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-2:] == [
        "skipped: 4 other_file, 2 hidden", "processed 2, unchanged 0, skipped 6"]
    assert "skipped " not in err
    assert rows("output/stage3.db", SKIPPED) == rows_of("new")
    assert "2 pictures scored under 4 models, 6 skipped (4 other_file, 2 hidden)" in Path(
        "scored/index.html").read_text()


def test_stage_4_scores_an_export_and_tells_nobody_off_for_what_lies_beside_it(here, ready, capsys):
    write(here, {
        "new/takeout.zip": zipped({
            "Takeout/IMG_1.png": png(0),
            "Takeout/IMG_1.png.json": b'{"title": "IMG_1.png"}',
            "Takeout/IMG_1.MOV": LIVE_PHOTO,
        }),
        "new/loose.MOV": LIVE_PHOTO,
        "new/loose.png": png(1),
    })
    assert ready(classify_zip, "new") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-2:] == [
        "skipped: 3 other_file, 1 not_in_archive", "processed 1, unchanged 0, skipped 4"]
    assert [line for line in err.splitlines() if "skipped" in line] == [
        "skipped new/loose.png: not_in_archive"]
    assert rows("output/stage4.db", SKIPPED) == [
        ("new/loose.MOV", "other_file", "QuickTime video"),
        ("new/loose.png", "not_in_archive", ""),
        ("new/takeout.zip/Takeout/IMG_1.MOV", "other_file", "QuickTime video"),
        ("new/takeout.zip/Takeout/IMG_1.png.json", "other_file", ""),
    ]


@pytest.mark.parametrize("source", ["new", "new/a.MOV"])
def test_where_there_is_nothing_else_it_is_said_why(here, ready, capsys, source):
    write(here, {"new/a.MOV": LIVE_PHOTO})
    assert ready(classify, source) == 2
    assert capsys.readouterr().err == f"error: no readable picture to score in {source} (1 other_file)\n"
