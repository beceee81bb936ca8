"""Pictures, thumbnails and scores over HTTP."""
import io
import os

import pytest
from PIL import Image

from cache import FileCache
from cache.serving import pictures
from cache.stores.file_table import FileTable
from tests.cache.formats.heif_files import heic
from tests.cache.test_caches import FILES, hash_of
from tests.drawing import drawn, encoded, png, write, zipped
from tests.web_api.asking import IMG, NAVIGATION, answer, error

# Name, kind and size as /image gives it: TIFF and HEIC, which not every browser shows, become a JPEG.
SERVED = (
    ("a.png", "image/png", (48, 40)),
    ("c.gif", "image/gif", (48, 40)),
    ("t.tif", "image/jpeg", (1024, 1024)),
    ("h.heic", "image/jpeg", (1024, 1024)),
)


def test_images_and_thumbnails_come_from_folders_and_from_inside_zips(client, here):
    inner = zipped({"c.gif": encoded(drawn(2).quantize(), "GIF")})
    write(here, {
        "x/a.png": png(1), "x/b.zip": zipped({"in.zip": inner}), "x/t.tif": encoded(drawn(3), "TIFF"),
        "x/h.heic": heic(drawn(4))})
    FileCache.add_folder_to_file_cache("x")
    with FileTable(FILES) as table:
        rows = {row["file_name"]: row["hash_id"] for row in table.page()}
    for name, kind, size in SERVED:
        response = client.get(f"/image/{rows[name]}?db_path={FILES}")
        assert (response.status_code, response.mimetype, response.headers["X-Content-Type-Options"]) == (
            200, kind, "nosniff")
        assert opened(response.data).size == size
        thumbnail = client.get(f"/thumbnail/{rows[name]}?db_path={FILES}&size=64")
        assert (thumbnail.mimetype, opened(thumbnail.data).size) == ("image/jpeg", (64, 64))
    assert client.get(f"/image/{rows['a.png']}?db_path={FILES}").data == png(1)
    assert error(client, f"/image/{'0' * 128}?db_path={FILES}") == (
        404, "not_found", "no image with this hash")
    assert error(client, f"/thumbnail/{rows['a.png']}?db_path={FILES}&size=5000")[:2] == (400, "bad_argument")
    os.remove("x/a.png")
    assert error(client, f"/image/{rows['a.png']}?db_path={FILES}") == (
        404, "not_found", f"no longer there: {here}/x/a.png")
    write(here, {"x/a.png": b"<svg onload='alert(1)'>"})
    assert error(client, f"/image/{rows['a.png']}?db_path={FILES}") == (
        400, "refused", "not a picture any more: not_an_image")


def test_only_a_file_that_goes_out_as_it_is_may_be_too_large_for_that(client, here, monkeypatch):
    monkeypatch.setattr(pictures, "LARGEST_FILE", 100)
    write(here, {"x/a.png": png(1), "x/t.tif": encoded(drawn(3), "TIFF")})
    FileCache.add_folder_to_file_cache("x")
    response = client.get(f"/image/{hash_of(3)}?db_path={FILES}")
    assert (response.status_code, opened(response.data).size) == (200, (1024, 1024))
    message = f"not a picture any more: too_large {len(png(1))} bytes"
    assert error(client, f"/image/{hash_of(1)}?db_path={FILES}") == (400, "refused", message)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "image/jpeg"])
def test_a_program_is_told_in_json_why_there_is_no_picture(client, accept):
    client.get("/create_file_cache")
    for call in ("image", "thumbnail"):
        response = client.get(f"/{call}/none?db_path={FILES}", headers={"Accept": accept} if accept else {})
        assert (response.status_code, response.get_json()) == (
            404, {"error": {"code": "not_found", "message": "no image with this hash"}})


def test_an_img_is_told_in_a_picture_and_a_person_on_a_page(client):
    client.get("/create_file_cache")
    for call in ("image", "thumbnail"):
        address = f"/{call}/none?db_path={FILES}"
        tile = client.get(address, headers={"Accept": IMG})
        assert (tile.status_code, tile.mimetype) == (404, "image/svg+xml")
        assert (tile.headers["Cache-Control"], tile.headers["Vary"]) == ("no-store", "Accept")
        assert ">not in the<" in tile.get_data(as_text=True)
        page = client.get(address, headers={"Accept": NAVIGATION})
        assert (page.status_code, page.mimetype) == (404, "text/html")


def test_scores_are_paged_by_probability(client, trained, here):
    from stage3.classify import main

    main("photos", "scored")
    status, body = answer(client, "/scores?db_path=output/stage3.db&tag=cats&min=0.5")
    probabilities = [row["tag_prob"] for row in body["scores"]]
    assert (status, body["page"]) == (200, 1)
    assert probabilities == sorted(probabilities, reverse=True)
    assert min(probabilities) >= 0.5
    assert answer(client, "/scores?db_path=output/stage3.db&tag=cats&page=2") == (
        200, {"page": 2, "scores": []})
    assert error(client, "/scores?db_path=output/stage3.db&tag=cats&page=0") == (
        400, "bad_argument", "pages are counted from 1")
    assert error(client, "/scores?db_path=output/stage3.db&tag=cats&min=nan")[:2] == (400, "bad_argument")
    assert error(client, f"/scores?db_path={FILES}&tag=cats") == (400, "refused", f"{FILES} holds no scores")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
