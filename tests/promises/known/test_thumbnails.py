"""Thumbnails are kept: of every picture that is decoded, whoever decodes it; pages draw from them and open
nothing."""
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from cache import ClipCache, FileCache, TagCache
from cache.refusal import InUse, Refused
from cache.results import scoring
from cache.stores.thumbnail_table import ThumbnailTable
from stage2.train import main as train
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import FILES, hash_of, rows
from tests.drawing import drawn, encoded, png, tag_folders, write, zipped
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture

THUMBNAILS = "output/thumbnail_cache.sqlite"
METADATA, TAGS = "./output/input-metadata.json", "./output/input-tag-to-image-hash-list.json"


def kept(path: str = THUMBNAILS) -> dict[str, Image.Image]:
    """By hash, in the order they came in."""
    return {
        hash_id: Image.open(io.BytesIO(jpeg))
        for hash_id, jpeg in rows(path, "SELECT hash_id, jpeg FROM thumbnail_cache ORDER BY rowid")}


def add_files(tiny: dict) -> Callable:
    return FileCache.add_folder_to_file_cache


def add_vectors(tiny: dict) -> Callable:
    return ClipCache(**tiny).add_folder_to_clip_cache


def add_tags(tiny: dict) -> Callable:
    return TagCache.add_folder_to_tag_cache


@pytest.mark.parametrize("adding", [add_files, add_vectors, add_tags])
def test_every_cache_keeps_them_and_none_where_none_are_wanted(photos, tiny, adding):
    add = adding(tiny)
    add(photos, "without", thumbnails=False)
    assert len(os.listdir("without")) == 1
    add(photos)
    pictures = kept()
    assert list(pictures) == [hash_of(100 * tag + number, ("cats", "dogs")[tag])
                              for tag in range(2) for number in range(6)]
    assert {picture.size for picture in pictures.values()} == {(48, 40)}
    add(photos)
    assert list(kept()) == list(pictures)


def test_a_thumbnail_is_small_upright_and_never_enlarged(here, stage1):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    write(here / "photos/cats", {
        "sideways.jpg": encoded(drawn(1, size=(600, 400)), "JPEG", exif=exif),
        "small.png": png(2),
        "tall.png": encoded(drawn(3, size=(30, 900)))})
    stage1()
    names = rows(FILES, "SELECT file_name, hash_id FROM file_cache")
    by_name = {name: kept()[hash_id] for name, hash_id in names}
    assert {name: picture.size for name, picture in by_name.items()} == {
        "sideways.jpg": (171, 256), "small.png": (48, 40), "tall.png": (9, 256)}
    assert {picture.format for picture in by_name.values()} == {"JPEG"}
    upright = drawn(1, size=(600, 400)).rotate(-90, expand=True).resize((171, 256))
    assert np.abs(np.asarray(by_name["sideways.jpg"], int) - np.asarray(upright, int)).mean() < 4


@pytest.mark.parametrize("tagged", [True, False])
def test_stage_1_keeps_one_of_each_picture_in_both_its_forms(photos, stage1, tagged):
    write(Path(photos), {"dogs/copy.png": png(0), "cats/more.zip": zipped({"z.png": png(77)})})
    stage1(tagged_dataset=tagged)
    pictures = kept(THUMBNAILS if tagged else "output/clip-cache/thumbnail_cache.sqlite")
    assert len(pictures) == 13
    assert hash_of(77) in pictures


def test_known_pictures_are_not_decoded_for_their_thumbnails(photos, stage1, monkeypatch):
    stage1(thumbnails=False)
    assert not os.path.exists(THUMBNAILS)
    monkeypatch.setattr("cache.decoder.decoder_process.WORKER", ["/bin/false"])
    assert stage1()["unchanged"] == 12
    assert kept() == {}


def test_stages_3_and_4_keep_those_of_new_pictures_beside_their_vectors(here, ready):  # noqa: F811
    Path("elsewhere").mkdir()
    for name in ("input-metadata.json", "thumbnail_cache.sqlite", "clip_cache.sqlite"):
        shutil.move(f"output/{name}", "elsewhere")
    write(here, {"new/a.png": png(500), "new/known.png": png(0), "zips/z.zip": zipped({"b.png": png(501)})})
    beside = ["--metadata_json", "elsewhere/input-metadata.json"]
    assert ready(classify, "new", *beside) == 0
    assert list(kept()) == [hash_of(500)], "the known one has its own beside the metadata"
    assert ready(classify_zip, "zips", *beside) == 0
    assert list(kept()) == [hash_of(500), hash_of(501)]
    assert len(kept("elsewhere/thumbnail_cache.sqlite")) == 12


@pytest.fixture
def nothing_is_opened(monkeypatch) -> None:
    monkeypatch.setattr("cache.pages.thumbnails.stored_file", None)


def gallery(flags: list[str] | None = None) -> bytes:
    assert classify.command(["--directory", "photos", "--output", "scored", *(flags or [])]) == 0
    return Path("scored/index.html").read_bytes()


def report() -> bytes:
    train(METADATA, TAGS, "./output", 0.2)
    return Path("output/reports/index.html").read_bytes()


def test_a_gallery_opens_no_picture_and_shows_those_that_are_gone(trained, monkeypatch, nothing_is_opened):
    with_files = gallery()
    assert with_files.count(b"data:image/jpeg") == 12
    write_page = scoring.write_result_page

    def after_all_files_have_gone(*arguments, **options):
        shutil.rmtree("photos")
        write_page(*arguments, **options)

    monkeypatch.setattr(scoring, "write_result_page", after_all_files_have_gone)
    assert gallery(["--place", "none"]).count(b"data:image/jpeg") == 12


@pytest.mark.parametrize("gone", [False, True])
def test_a_report_opens_no_picture_and_shows_those_that_are_gone(trained, nothing_is_opened, gone):
    before = Path("output/reports/index.html").read_bytes()
    if gone:
        shutil.rmtree("photos")
    assert report() == before
    assert before.count(b"data:image/jpeg") == 10


@pytest.mark.parametrize("page", [gallery, report])
def test_a_page_that_opens_the_pictures_is_the_same_to_the_byte_and_keeps_them(trained, monkeypatch, page):
    drawn_from_the_table = page()
    with ThumbnailTable(THUMBNAILS) as table:
        table.clear()
    assert page() == drawn_from_the_table
    assert len(kept()) == drawn_from_the_table.count(b"data:image/jpeg") >= 10
    monkeypatch.setattr("cache.pages.thumbnails.stored_file", None)
    assert page() == drawn_from_the_table


def test_without_them_pages_open_every_picture_and_leave_no_database(trained):
    drawn_from_the_table = gallery()
    os.remove(THUMBNAILS)
    assert gallery(["--no-thumbnails"]) == drawn_from_the_table
    report()
    assert not os.path.exists(THUMBNAILS)


def test_a_run_without_them_leaves_those_alone_that_are_there(here, trained, tiny):
    write(here / "photos", tag_folders(1, ("birds",)))
    before = Path(THUMBNAILS).read_bytes()
    assert gallery(["--no-thumbnails", "--pretrained", tiny["pretrained"]]).count(b"data:image/jpeg") == 13
    assert Path(THUMBNAILS).read_bytes() == before


def test_clearing_the_file_cache_clears_them_and_the_other_caches_leave_them(trained, tiny):
    ClipCache(**tiny).clear_cache("output/clip_cache.sqlite")
    TagCache.clear_cache("output/tag_cache.sqlite")
    assert len(kept()) == 12
    assert FileCache.clear_cache(FILES) == {"db_path": FILES, "cleared": 12, "deleted": False}
    assert kept() == {}
    assert FileCache.clear_cache(FILES, delete_cache=True)["deleted"] is True
    assert not os.path.exists(THUMBNAILS)


def test_what_is_no_file_cache_clears_nothing(trained):
    with pytest.raises(Refused):
        FileCache.clear_cache("output/tag_cache.sqlite")
    assert len(kept()) == 12


def test_thumbnails_that_somebody_has_open_are_said_to_be_in_use_and_all_stay(trained):
    with ThumbnailTable(THUMBNAILS), pytest.raises(InUse, match=r"thumbnail_cache\.sqlite is in use"):
        FileCache.clear_cache(FILES, delete_cache=True)
    assert len(kept()) == 12
    assert rows(FILES, "SELECT count(*) FROM file_cache") == [(12,)]
