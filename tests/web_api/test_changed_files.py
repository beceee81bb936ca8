"""An address that names pixels shows these pixels or an error, whatever became of the files since."""
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from cache import FileCache
from cache.stores.file_table import FileTable
from stage3.classify import main as classify
from tests.drawing import drawn, encoded, png, write, zipped
from tests.web_api.asking import error

CACHE = "output/file_cache.sqlite"
CALLS = ("image", "thumbnail")
OF_FILES = ("file_cache.sqlite", "tag_cache.sqlite", "stage1.db", "stage3.db")  # databases that know files


def add_folder() -> None:
    """Without thumbnails: what is shown is opened. (Those that are kept: test_kept_thumbnails.py.)"""
    FileCache.add_folder_to_file_cache("x", thumbnails=False)


def hash_of(path: str, cache: str = CACHE) -> str:
    """Of the picture that lay there when it was read."""
    with FileTable(cache) as table:
        return next(row["hash_id"] for row in table.page() if row["path"] == path)


def shows(client, call: str, hash_id: str, seed: int, db_path: str = CACHE) -> bool:
    """Whether an address gives the picture drawn with this seed; others are 20 and more away."""
    response = client.get(f"/{call}/{hash_id}?db_path={db_path}")
    assert response.status_code == 200, response.get_json()
    assert response.headers["Cache-Control"] == "private, max-age=86400"
    shown, right = Image.open(io.BytesIO(response.data)).convert("RGB"), drawn(seed)
    expected = right if call == "image" else ImageOps.fit(right, (40, 40))
    small, small_expected = (np.asarray(picture.resize((8, 8)), int) for picture in (shown, expected))
    return np.abs(small - small_expected).mean() < 12


def changed_places(one: str, other: str) -> None:
    """Each gets the other's content, and both keep their times."""
    contents, times = {}, {}
    for path in (one, other):
        contents[path], times[path] = Path(path).read_bytes(), os.stat(path).st_mtime_ns
    for path, source in ((one, other), (other, one)):
        Path(path).write_bytes(contents[source])
        os.utime(path, ns=(times[path], times[path]))


@pytest.mark.parametrize("call", CALLS)
def test_with_the_first_of_two_copies_deleted_the_other_is_shown(client, here, call):
    write(here, {"x/a.png": png(1), "x/b.png": png(1), "x/other.png": png(2)})
    add_folder()
    hash_id = hash_of("x/a.png")
    os.remove("x/a.png")
    assert shows(client, call, hash_id, 1)
    write(here, {"x/a.png": png(2)})
    assert shows(client, call, hash_id, 1)
    os.remove("x/b.png")
    assert error(client, f"/{call}/{hash_id}?db_path={CACHE}") == (
        404, "not_found", f"another picture lies there by now: {here}/x/a.png")


@pytest.mark.parametrize("call", CALLS)
def test_two_pictures_that_changed_places_are_not_shown_as_each_other(client, here, call):
    write(here, {f"x/{name}.bmp": encoded(drawn(seed), "BMP") for name, seed in (("a", 1), ("b", 2))})
    os.utime("x/a.bmp", ns=(10**18, 10**18))
    os.utime("x/b.bmp", ns=(10**18, 10**18))
    add_folder()
    one, other = hash_of("x/a.bmp"), hash_of("x/b.bmp")
    assert shows(client, call, one, 1)  # and is kept in memory
    changed_places("x/a.bmp", "x/b.bmp")
    for hash_id in (one, other):
        assert error(client, f"/{call}/{hash_id}?db_path={CACHE}")[:2] == (404, "not_found")
    add_folder()
    assert shows(client, call, one, 1)
    assert shows(client, call, other, 2)


@pytest.mark.parametrize("call", CALLS)
def test_a_member_that_was_replaced_under_the_old_size_and_time_of_its_zip_is_not_shown(client, here, call):
    one, other = (zipped({"m.bmp": encoded(drawn(seed), "BMP")}) for seed in (1, 2))
    write(here, {"x/a.zip": one})
    os.utime("x/a.zip", ns=(10**18, 10**18))
    add_folder()
    hash_id = hash_of("x/a.zip/m.bmp")
    assert shows(client, call, hash_id, 1)
    write(here, {"new.zip": other})
    os.utime("new.zip", ns=(10**18, 10**18))
    os.replace("new.zip", "x/a.zip")
    assert error(client, f"/{call}/{hash_id}?db_path={CACHE}") == (
        404, "not_found", f"another picture lies there by now: {here}/x/a.zip/m.bmp")
    add_folder()
    assert shows(client, call, hash_of("x/a.zip/m.bmp"), 2)


@pytest.fixture
def scored(client, trained) -> str:
    """Everything that knows the 12 pictures, but no thumbnails; the hash of the first cat."""
    classify("photos", "scored")
    os.remove("output/thumbnail_cache.sqlite")
    return hash_of("photos/cats/00.png")


@pytest.mark.parametrize("name", OF_FILES)
def test_every_database_shows_the_pixels_or_says_why_not(client, scored, name):
    """All that know files; the picture of cats/00.png is drawn with seed 0."""
    database = f"output/{name}"
    for call in CALLS:
        assert shows(client, call, scored, 0, database)
    os.replace("photos/cats/01.png", "photos/cats/00.png")
    for call in CALLS:
        assert error(client, f"/{call}/{scored}?db_path={database}")[2].startswith("another picture")
    os.remove("photos/cats/00.png")
    for call in CALLS:
        assert error(client, f"/{call}/{scored}?db_path={database}")[2].startswith("no longer there")


@pytest.mark.parametrize("name", OF_FILES)
def test_pictures_and_output_that_were_moved_together_are_shown_before_any_run(client, scored, here, name):
    (here / "disk").mkdir()
    for folder in ("photos", "output"):
        shutil.move(folder, "disk")
    for call in CALLS:
        assert shows(client, call, scored, 0, f"disk/output/{name}")
    page = client.get(f"/picture/{scored}?db_path=disk/output/{name}").get_data(as_text=True)
    assert "moved or deleted" not in page
    assert f"/image/{scored}" in page


def test_the_page_of_a_picture_names_the_copy_that_is_there(client, trained):
    shutil.copy("photos/cats/00.png", "photos/cats/copy.png")
    classify("photos", "scored")
    os.remove("photos/cats/00.png")
    page = client.get(f"/picture/{hash_of('photos/cats/copy.png')}?db_path=output/stage3.db")
    assert "<h1>copy.png</h1>" in page.get_data(as_text=True)


def test_the_similar_pictures_of_a_page_are_there(client, scored):
    gone = hash_of("photos/cats/01.png")
    address = f"/picture/{scored}?db_path={CACHE}"
    assert f"/thumbnail/{gone}" in client.get(address).get_data(as_text=True)
    os.remove("photos/cats/01.png")
    page = client.get(address).get_data(as_text=True)
    assert f"/thumbnail/{gone}" not in page
    assert page.count("/thumbnail/") == 10
