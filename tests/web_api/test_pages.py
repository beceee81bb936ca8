"""The pages, as Flask's own client gets them."""
import re
import sqlite3
from contextlib import closing

from cache import FileCache
from cache.stores.sqlite_file import APPLICATION_ID
from tests.cache.test_caches import FILES, TAGS, hash_of
from tests.drawing import png, write, zipped
from tests.stages_3_and_4.scoring import set_thresholds
from tests.web_api.asking import error


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

    kinds = ("file_cache", "clip_cache", "tag_cache", "stage1", "stage3", "stage4", "zip_score_cache")
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
