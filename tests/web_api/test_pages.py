"""The pages, as Flask's own client gets them."""
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from unicodedata import normalize
from urllib.parse import quote

import pytest

from cache import FileCache
from cache.stores.file_table import FileTable
from cache.stores.score_table import Stage3Table
from cache.stores.sqlite_file import APPLICATION_ID
from cache.stores.tag_table import TagTable
from tests.cache.test_caches import FILES, TAGS, hash_of
from tests.drawing import png, write, zipped
from tests.html_tree import Element, parse_page
from tests.stages_3_and_4.scoring import set_thresholds
from tests.web_api.asking import IMG, NAVIGATION, error


def test_pages_show_what_there_is(client, trained, here):
    from stage3.classify import main
    from stage4.classify_zip import main as classify_zips

    set_thresholds({"yes_from": 0, "no_below": None})
    main("photos", "scored")
    write(here, {"zips/a.zip": zipped({"again.png": png(0)})})
    classify_zips("zips", "scored-zips")
    write(here, {"photos/cats/<script>.png": png(700)})
    FileCache.add_folder_to_file_cache("photos")
    one = hash_of(0)

    def page(path: str) -> str:
        response = client.get(path)
        assert (response.status_code, response.mimetype) == (200, "text/html"), path
        assert "<script>" not in response.get_data(as_text=True)
        return response.get_data(as_text=True)

    kinds = ("file_cache", "clip_cache", "tag_cache", "stage1", "stage3", "stage4", "zip_score_cache",
             "thumbnail_cache")
    assert [kind for kind in kinds if f"<td>{kind}</td>" not in page("/")] == []
    assert page(f"/files?db_path={FILES}").count("<img") == 14
    assert "2 tags" in page("/")
    assert page(f"/tags?db_path={TAGS}").count("/tag?") == 2
    assert page(f"/tag?db_path={TAGS}&tag=dogs").count("<img") == 6
    picture = page(f"/picture/{one}?db_path={FILES}")
    assert picture.count("</meter> yes") == 4
    assert picture.count('"name">cosine') == 11
    assert ">cats</a>" in picture
    bins = page("/bins?db_path=output/stage3.db&tag=cats&model_type=ovr-svm")
    assert (bins.count("<section>"), len(re.findall(r"\d\.\d{3} yes<", bins))) == (10, 12)


def test_the_grid_is_paged_by_key(client, here):
    write(here, {f"x/{number:03}.png": png(number) for number in range(70)})
    FileCache.add_folder_to_file_cache("x")
    first = client.get(f"/files?db_path={FILES}").get_data(as_text=True)
    assert first.count("<img") == 60
    assert "after=60" in first
    last = client.get(f"/files?db_path={FILES}&after=60").get_data(as_text=True)
    assert (last.count("<img"), "Next page" in last) == (10, False)


def test_an_error_on_a_page_is_a_page(client):
    response = client.get("/files?db_path=none.sqlite")
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "no such database: none.sqlite" in response.get_data(as_text=True)


def test_a_database_that_only_looks_like_ours_breaks_no_page(client, here):
    with closing(sqlite3.connect("fake.sqlite")) as connection:
        connection.executescript(
            f"CREATE TABLE file_cache(x); INSERT INTO file_cache VALUES (1);"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
    assert client.get("/").status_code == 200
    assert client.get("/files?db_path=fake.sqlite").status_code == 400
    assert error(client, "/get_random_img?db_path=fake.sqlite")[:2] == (400, "refused")


def test_a_cache_deleted_while_the_first_page_is_made_is_left_out(client, monkeypatch):
    monkeypatch.setattr("web_api.home.databases", lambda root: [("gone.sqlite", "file_cache")])
    response = client.get("/")
    assert (response.status_code, "gone.sqlite" in response.get_data(as_text=True)) == (200, False)


def shown(client, path: str) -> Element:
    """A page of which a browser would see the whole."""
    response = client.get(path, headers={"Accept": NAVIGATION})
    assert (response.status_code, response.mimetype) == (200, "text/html")
    return parse_page(response.get_data(as_text=True)).one("main")


def facts_of(page: Element) -> dict[str, str]:
    facts = page.one("dl")
    names, values = ([entry.text for entry in facts.all(kind)] for kind in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def test_a_picture_whose_path_the_system_refuses_keeps_its_page(client, here):
    write(here, {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x", thumbnails=False)
    too_long = f"{here}/x/{'a' * 256}.png"
    with FileTable(FILES) as table, table.connection:
        table.connection.execute("UPDATE file_cache SET absolute_path = ?", [too_long])
    page = shown(client, f"/picture/{hash_of(1)}?db_path={FILES}")
    assert page.one("p", "missing").text == "File name too long"
    assert facts_of(page) == {
        "Path": "x/a.png",
        "Size": f"48 \u00d7 40 png, {len(png(1))} bytes",
        "Tags": "none",
        "Hash": hash_of(1),
    }
    for call in ("image", "thumbnail"):
        assert error(client, f"/{call}/{hash_of(1)}?db_path={FILES}") == (
            400, "refused", "File name too long")


def test_a_picture_in_a_folder_that_may_not_be_entered_says_so_in_its_place(client, here, monkeypatch):
    """Tests may run as root, who may enter any."""
    def refused(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    write(here, {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x", thumbnails=False)
    monkeypatch.setattr("cache.serving.pictures.stored_file", refused)
    page = shown(client, f"/picture/{hash_of(1)}?db_path={FILES}")
    assert (page.one("p", "missing").text, facts_of(page)["Path"]) == ("Permission denied", "x/a.png")
    tile = client.get(f"/thumbnail/{hash_of(1)}?db_path={FILES}", headers={"Accept": IMG})
    assert (tile.status_code, tile.mimetype) == (400, "image/svg+xml")
    assert ">Permission<" in tile.get_data(as_text=True)


@pytest.fixture
def scored(here) -> str:
    """A score table with two scores of one picture, under two models."""
    path = "output/stage3.db"
    with Stage3Table(path, create=True) as table, table.connection:
        table.connection.executemany("INSERT INTO stage3 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", [
            ("a.png", "new/a.png", "png", "of-a", "ovr-lr", "cats", 0.75, "yes", f"{here}/new/a.png"),
            ("a.png", "new/a.png", "png", "of-a", "ovr-svm", "cats", 0.25, None, f"{here}/new/a.png")])
    return path


def test_one_is_counted_as_one(client, scored):
    page = shown(client, f"/bins?db_path={scored}&tag=cats&model_type=ovr-lr")
    counts = [heading.one("small").text for heading in page.all("h2")]
    assert counts == ["0 pictures", "0 pictures", "1 picture", *["0 pictures"] * 7]
    write(Path(), {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x")
    assert shown(client, f"/files?db_path={FILES}").one("p").text == "1 picture, 0 archives"


@pytest.mark.parametrize("value", ["x'ff00'", "'likely'"])
def test_a_probability_that_is_no_number_is_left_out_of_bins_and_of_the_picture(client, scored, value):
    with closing(sqlite3.connect(scored)) as connection, connection:
        connection.execute(f"UPDATE stage3 SET tag_prob = {value} WHERE model_type = 'ovr-svm'")
    assert list(shown(client, f"/bins?db_path={scored}&tag=cats&model_type=ovr-svm").all("img")) == []
    rows = shown(client, f"/picture/of-a?db_path={scored}").one("tbody").all("tr")
    cells = [[cell.text for cell in row.all("td")] for row in rows]
    assert cells == [["cats", "ovr-lr", "0.750", "0.750 yes"]]


@pytest.mark.parametrize("stored", ["NFC", "NFD"])  # as today, and as an older version wrote a tag of a Mac
def test_a_tag_is_found_in_the_spelling_of_the_database_and_in_one_of_a_mac(client, scored, stored):
    name, of_a_mac = normalize(stored, "Vögel"), quote(normalize("NFD", "Vögel"))
    with closing(sqlite3.connect(scored)) as connection, connection:
        connection.execute("UPDATE stage3 SET tag_name = ?", (name,))
    with TagTable(TAGS, create=True) as table, table.connection:
        table.connection.execute("INSERT INTO tag_cache VALUES ('of-a', ?, 'a.png', '/a.png')", (name,))
    scores = client.get(f"/scores?db_path={scored}&tag={of_a_mac}").get_json()["scores"]
    assert [row["tag_prob"] for row in scores] == [0.75, 0.25]
    bins = shown(client, f"/bins?db_path={scored}&tag={of_a_mac}&model_type=ovr-svm")
    assert [heading.text for heading in bins.all("h2") if "1 picture" in heading.text] != []
    assert len(list(shown(client, f"/tag?db_path={TAGS}&tag={of_a_mac}").all("img"))) == 1


def test_bytes_where_text_belongs_are_refused_by_scores(client, scored):
    with closing(sqlite3.connect(scored)) as connection, connection:
        connection.execute("UPDATE stage3 SET decision = x'ff00'")
    assert error(client, f"/scores?db_path={scored}&tag=cats") == (
        400, "refused", "the database holds bytes where text belongs; python -m cache doctor says more")
