"""Pictures of which a thumbnail is kept: shown without being opened, whatever became of their files."""
import io
import os
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from cache import FileCache
from cache.reader.source_file import Thumbnail
from cache.serving import opened_pictures, pictures
from cache.stores.thumbnail_table import ThumbnailTable
from tests.cache.test_caches import FILES, hash_of
from tests.drawing import drawn, encoded, png, write
from tests.html_tree import parse_page
from tests.web_api.asking import error
from web_api.cache_web_api import create_app

KEPT = "output/thumbnail_cache.sqlite"
SIZES = {"wide": (600, 200), "small": (48, 40), "large": (640, 480)}


@pytest.fixture
def folder(here) -> dict[str, str]:
    """Three pictures that are known; their hashes by name."""
    write(here, {f"x/{name}.png": encoded(drawn(5, size=size)) for name, size in SIZES.items()})
    FileCache.add_folder_to_file_cache("x")
    return {name: hash_of_file(f"x/{name}.png") for name in SIZES}


def hash_of_file(path: str) -> str:
    with closing(sqlite3.connect(FILES)) as connection:
        [(hash_id,)] = connection.execute("SELECT hash_id FROM file_cache WHERE path = ?", [path])
        return hash_id


def opened(response) -> Image.Image:
    assert (response.status_code, response.mimetype) == (200, "image/jpeg"), response.get_data()
    return Image.open(io.BytesIO(response.data))


def tile(client, hash_id: str) -> Image.Image:
    return opened(client.get(f"/thumbnail/{hash_id}?db_path={FILES}&size=160&square=false"))


def square(client, hash_id: str, size: int) -> Image.Image:
    return opened(client.get(f"/thumbnail/{hash_id}?db_path={FILES}&size={size}"))


def rows() -> int:
    with ThumbnailTable(KEPT) as table:
        return table.row_count()


@pytest.fixture
def nothing_is_opened(monkeypatch) -> None:
    monkeypatch.setattr(pictures, "stored_file", None)


@pytest.fixture
def no_decoder(monkeypatch) -> None:
    monkeypatch.setattr(opened_pictures.DecoderPool, "map", None)


def test_a_tile_is_what_is_kept_as_it_is(client, folder, nothing_is_opened, no_decoder):
    assert {name: tile(client, hash_id).size for name, hash_id in folder.items()} == {
        "wide": (256, 85), "small": (48, 40), "large": (256, 192)}
    response = client.get(f"/thumbnail/{folder['large']}?db_path={FILES}&square=false")
    with ThumbnailTable(KEPT) as table:
        assert response.data == table.jpeg(folder["large"])
    assert response.headers["Cache-Control"] == "private, max-age=86400"


def test_a_grid_asks_for_tiles_as_they_are_kept(client, folder, nothing_is_opened, no_decoder):
    page = parse_page(client.get(f"/files?db_path={FILES}").get_data(as_text=True))
    sources = [image.attributes["src"] for image in page.all("img")]
    assert len(sources) == 3
    for source in sources:
        assert opened(client.get(source)).size in ((256, 85), (48, 40), (256, 192))


@pytest.mark.parametrize(("name", "size"), [
    ("large", 96), ("large", 192), ("large", 288), ("wide", 127), ("small", 192), ("small", 512)])
def test_a_square_is_cut_out_of_what_is_kept_if_that_is_large_enough(
    client, folder, nothing_is_opened, name, size,
):
    picture = square(client, folder[name], size)
    assert picture.size == (size, size)
    width, height = SIZES[name]
    left, top = (width - min(SIZES[name])) / 2, (height - min(SIZES[name])) / 2
    centre = drawn(5, size=SIZES[name]).crop((left, top, width - left, height - top))
    small, right = (np.asarray(one.resize((8, 8)), int) for one in (picture, centre))
    assert np.abs(small - right).mean() < 8


@pytest.mark.parametrize(("name", "size"), [("large", 289), ("wide", 128), ("wide", 192)])
def test_a_larger_one_is_made_of_the_picture_itself_and_enlarged_if_that_is_gone(client, folder, name, size):
    sharp = square(client, folder[name], size)
    os.remove(f"x/{name}.png")
    enlarged = square(create_app().test_client(), folder[name], size)  # an app that has opened nothing yet
    assert sharp.size == enlarged.size == (size, size)
    assert sharp != enlarged
    small, right = (np.asarray(one.resize((8, 8)), int) for one in (enlarged, sharp))
    assert np.abs(small - right).mean() < 8


def test_of_what_is_gone_a_thumbnail_that_does_not_decode_is_no_square(client, folder):
    with ThumbnailTable(KEPT) as table:
        table.clear()
        table.add([Thumbnail(folder["wide"], None, b"\xff\xd8\xff and then nothing")])
    os.remove("x/wide.png")
    assert error(client, f"/thumbnail/{folder['wide']}?db_path={FILES}")[:2] == (404, "not_found")


def test_what_is_kept_shows_the_pixels_whatever_lies_there_now(client, here):
    write(here, {"x/a.png": png(1), "x/b.png": png(2)})
    FileCache.add_folder_to_file_cache("x")
    write(here, {"x/a.png": png(2)})
    os.remove("x/b.png")
    for seed in (1, 2):
        shown = np.asarray(tile(client, hash_of(seed)), int)
        assert np.abs(shown - np.asarray(drawn(seed), int)).mean() < 12
    assert error(client, f"/image/{hash_of(1)}?db_path={FILES}")[1] == "not_found"


def test_the_page_of_a_picture_that_is_gone_says_so_and_shows_what_is_kept(client, folder):
    os.remove("x/large.png")
    page = parse_page(client.get(f"/picture/{folder['large']}?db_path={FILES}").get_data(as_text=True))
    [image] = page.one("div", "picture").all("img")
    assert page.one("p", "missing").text == "moved or deleted"
    assert opened(client.get(image.attributes["src"])).size == (256, 192)


@pytest.mark.parametrize("flag", ["", "&square=false"])
def test_what_is_not_kept_is_opened_once_and_then_kept(client, folder, monkeypatch, flag):
    with ThumbnailTable(KEPT) as table:
        table.clear()
    address = f"/thumbnail/{folder['large']}?db_path={FILES}&size=96{flag}"
    first = opened(client.get(address))
    assert rows() == 1
    monkeypatch.setattr(pictures, "stored_file", None)
    assert opened(client.get(address)).size == first.size == ((256, 192) if flag else (96, 96))
    assert tile(client, folder["large"]).size == (256, 192)


def test_where_no_thumbnails_are_kept_a_look_makes_no_database(client, here):
    write(here, {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x", thumbnails=False)
    for flag in ("", "&square=false"):
        assert opened(client.get(f"/thumbnail/{hash_of(1)}?db_path={FILES}&size=40{flag}")).size[1] == 40
    assert os.listdir("output") == ["file_cache.sqlite"]


def test_a_damaged_thumbnail_is_made_anew(client, folder):
    right = tile(client, folder["large"])
    with closing(sqlite3.connect(KEPT)) as connection, connection:
        connection.execute("UPDATE thumbnail_cache SET checksum = checksum + 1")
    assert tile(client, folder["large"]) == right
    assert rows() == 3
    with ThumbnailTable(KEPT) as table:
        assert table.jpeg(folder["large"])


def test_a_link_beside_a_database_leads_nowhere(client, folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "thumbnails.sqlite"
    os.replace(KEPT, elsewhere)
    os.symlink(elsewhere, KEPT)
    os.remove("x/small.png")
    assert error(client, f"/thumbnail/{folder['small']}?db_path={FILES}&square=false")[:2] == (
        404, "not_found")


def test_what_lies_beside_no_database_of_ours_is_not_asked(client, folder):
    for name in ("output/none.sqlite", "x/large.png"):
        assert error(client, f"/thumbnail/{folder['large']}?db_path={name}")[:2] == (404, "not_found")


def test_clearing_the_file_cache_clears_what_is_kept(client, folder):
    assert client.post(f"/clear_file_cache?db_path={FILES}").get_json()["cleared"] == 3
    assert rows() == 0
    client.post(f"/clear_file_cache?db_path={FILES}&delete_cache=true")
    assert os.listdir("output") == []
