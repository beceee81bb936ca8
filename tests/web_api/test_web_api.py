"""The web API with Flask's own client: every endpoint, and every refusal."""
import io
import json
import os
import re
import sqlite3
import threading
from contextlib import closing

import pytest
from PIL import Image

from cache import ClipCache, FileCache, TagCache
from cache.stores.file_table import FileTable
from cache.stores.sqlite_file import APPLICATION_ID
from tests.cache.test_caches import CLIPS, FILES, TAGS, hash_of
from tests.conftest import ROOT, run_python
from tests.drawing import drawn, encoded, png, tag_folders, tree, write, zipped
from tests.stages_3_and_4.test_stages_3_and_4 import set_thresholds
from web_api import jobs
from web_api.cache_web_api import create_app
from web_api.endpoints import cache_endpoints

GETTERS = {
    "get_random_file_hash": FILES, "get_random_img": FILES, "get_random_clip_hash": CLIPS, "get_random_clip": CLIPS,
    "get_random_tag_hash": TAGS, "get_random_tag": TAGS,
}


@pytest.fixture
def client(photos, tiny, monkeypatch):
    """A client of an app whose root is the clean directory, with the tiny encoder, as the environment names it."""
    monkeypatch.setenv("ITT_CLIP_MODEL", tiny["clip_model"])
    monkeypatch.setenv("ITT_PRETRAINED", tiny["pretrained"])
    return create_app().test_client()


def answer(client, path: str, method: str = "get", **options) -> tuple[int, object]:
    response = getattr(client, method)(path, **options)
    return response.status_code, response.get_json()


def error(client, path: str, method: str = "get", **options) -> tuple[int, str, str]:
    status, body = answer(client, path, method, **options)
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message"]
    return status, body["error"]["code"], body["error"]["message"]


def test_every_call_answers_with_the_dict_of_the_python_method(client, tiny):
    clips = ClipCache(**tiny)
    for name, path in (("file", FILES), ("clip", CLIPS), ("tag", TAGS)):
        assert answer(client, f"/create_{name}_cache") == (200, {"db_path": path, "created": True, "message": f"created {path}"})
        assert answer(client, f"/add_folder_to_{name}_cache?data_dir=photos&wait=true") == (
            200, {"db_path": path, "processed": 12 if name != "tag" else 0, "unchanged": 0 if name != "tag" else 12, "skipped": 0})
    one = hash_of(0)
    assert answer(client, f"/get_img_by_hash?db_path={FILES}&hash_id={one}") == (200, FileCache.get_img_by_hash(FILES, one))
    assert answer(client, f"/get_tag_by_hash?db_path={TAGS}&hash_id={one}") == (200, TagCache.get_tag_by_hash(TAGS, one))
    clip = clips.get_clip_by_hash(CLIPS, one)
    expected = {**clip, "clip_vector": json.loads(json.dumps(clip["clip_vector"].tolist()))}
    assert answer(client, f"/get_clip_by_hash?db_path={CLIPS}&hash_id={one}") == (200, expected)
    for name, path in GETTERS.items():
        status, body = answer(client, f"/{name}?db_path={path}")
        assert (status, "hash_id" in body) == (200, True)
    for name, path in (("file", FILES), ("clip", CLIPS), ("tag", TAGS)):
        assert answer(client, f"/clear_{name}_cache?db_path={path}") == (200, {"db_path": path, "cleared": 12, "deleted": False})
        assert answer(client, f"/clear_{name}_cache?db_path={path}&delete_cache=True")[1]["deleted"] is True
    assert os.listdir("output") == []


def test_post_takes_a_query_a_form_or_json(client):
    assert answer(client, "/create_file_cache?db_name=a.sqlite", "post")[1]["db_path"] == "./output/a.sqlite"
    assert answer(client, "/create_file_cache", "post", data={"db_name": "b.sqlite"})[1]["db_path"] == "./output/b.sqlite"
    assert answer(client, "/create_file_cache", "post", json={"db_name": "c.sqlite"})[1]["db_path"] == "./output/c.sqlite"
    answer(client, "/clear_file_cache", "post", json={"db_path": "output/c.sqlite", "delete_cache": True})
    assert sorted(os.listdir("output")) == ["a.sqlite", "b.sqlite"]


def test_a_bad_argument_is_named(client):
    assert error(client, "/get_img_by_hash?db_path=x") == (400, "missing_argument", "get_img_by_hash needs the argument hash_id")
    assert error(client, "/get_random_img?db_path=x&colour=red") == (400, "unknown_argument", "get_random_img has no argument colour")
    unclear = error(client, "/clear_file_cache?db_path=x&delete_cache=maybe")
    assert unclear == (400, "bad_argument", "delete_cache is neither true nor false")
    assert error(client, "/create_file_cache?db_name=../x") == (400, "bad_name", "db_name is a plain file name")
    assert error(client, "/create_file_cache", "post", json={"db_name": 7}) == (400, "bad_argument", "db_name is not a text")
    assert error(client, "/create_file_cache", "post", json=[1]) == (400, "bad_body", "the body is not a JSON object")
    assert error(client, "/create_file_cache", "post", data="{", content_type="application/json")[:2] == (400, "bad_request")
    assert error(client, "/add_folder_to_file_cache?data_dir=photos&wait=soon") == (400, "bad_argument", "wait is neither true nor false")
    assert error(client, "/get_random_img?db_path=") == (400, "bad_path", "a path is empty or has a zero byte in it")


def test_what_is_not_there_is_404_and_what_is_foreign_400(client, here):
    (here / "text.sqlite").write_text("text " * 100)
    assert error(client, "/get_random_img?db_path=none.sqlite") == (404, "not_found", "no such database: none.sqlite")
    assert error(client, "/add_folder_to_file_cache?data_dir=nowhere") == (404, "not_found", "no such file or folder: nowhere")
    assert error(client, "/get_random_img?db_path=text.sqlite") == (
        400, "refused",
        "text.sqlite is not a readable database: file is not a database; if it was one of yours, delete it, and it is made anew")
    client.get("/create_file_cache")
    assert error(client, f"/get_random_img?db_path={FILES}") == (404, "not_found", "get_random_img: nothing there")
    assert error(client, "/jobs/none") == (404, "not_found", "no such job: none")
    assert error(client, "/no_such_call")[:2] == (404, "not_found")
    assert error(client, "/get_random_img", "delete")[:2] == (405, "method_not_allowed")


@pytest.mark.parametrize(("value", "message"), [
    ("x'ff00'", "the database holds bytes where text belongs; python -m cache doctor says more"),
    ("CAST(x'ff00' AS TEXT)", "the database: Could not decode to UTF-8 column 'hash_id' with text '\ufffd'"),
])
def test_rows_that_are_no_text_are_refused_in_a_sentence(client, here, value, message):
    client.get("/add_folder_to_file_cache?data_dir=photos&wait=true")
    with closing(sqlite3.connect(FILES)) as connection, connection:
        connection.execute(f"UPDATE file_cache SET hash_id = {value}")
    assert error(client, f"/get_random_img?db_path={FILES}") == (400, "refused", message)


@pytest.mark.parametrize("path", [
    "/get_random_img?db_path=../x.sqlite", "/get_random_img?db_path=/etc/passwd", "/create_file_cache?out_dir=/tmp",
    "/add_folder_to_file_cache?data_dir=/etc", "/clear_file_cache?db_path=link/x.sqlite&delete_cache=true", "/files?db_path=/etc/passwd",
    "/thumbnail/x?db_path=/etc/passwd", "/scores?db_path=/etc/passwd&tag=x",
])
def test_paths_outside_the_roots_are_forbidden_also_through_links(client, here, path):
    os.symlink("/", here / "link")
    response = client.get(path)
    assert response.status_code == 403
    assert "lies outside the allowed folders" in response.get_data(as_text=True)


def test_clearing_deletes_nothing_that_is_not_a_cache_of_its_kind(client, here):
    write(here, {"precious.sqlite": b"mine"})
    client.get("/create_tag_cache")
    before = tree(here)
    assert error(client, "/clear_file_cache?db_path=precious.sqlite&delete_cache=true")[0] == 400
    assert error(client, f"/clear_file_cache?db_path={TAGS}&delete_cache=true")[0] == 400
    assert tree(here) == before


def test_images_and_thumbnails_come_from_folders_and_from_inside_zips(client, here):
    write(here, {"x/a.png": png(1), "x/b.zip": zipped({"in.zip": zipped({"c.gif": encoded(drawn(2).quantize(), "GIF")})})})
    write(here, {"x/t.tif": encoded(drawn(3), "TIFF")})
    FileCache.add_folder_to_file_cache("x")
    rows = {row["file_name"]: row["hash_id"] for row in (FileCache.get_random_image(FILES) for _ in range(60))}
    for name, kind, size in (("a.png", "image/png", (48, 40)), ("c.gif", "image/gif", (48, 40)), ("t.tif", "image/jpeg", (1024, 1024))):
        response = client.get(f"/image/{rows[name]}?db_path={FILES}")
        assert (response.status_code, response.mimetype, response.headers["X-Content-Type-Options"]) == (200, kind, "nosniff")
        assert opened(response.data).size == size
        thumbnail = client.get(f"/thumbnail/{rows[name]}?db_path={FILES}&size=64")
        assert (thumbnail.mimetype, opened(thumbnail.data).size) == ("image/jpeg", (64, 64))
    assert client.get(f"/image/{rows['a.png']}?db_path={FILES}").data == png(1)
    assert error(client, f"/image/{'0' * 128}?db_path={FILES}") == (404, "not_found", "no image with this hash")
    assert error(client, f"/thumbnail/{rows['a.png']}?db_path={FILES}&size=5000")[:2] == (400, "bad_argument")
    os.remove("x/a.png")
    assert error(client, f"/image/{rows['a.png']}?db_path={FILES}") == (404, "not_found", f"no longer there: {here}/x/a.png")
    write(here, {"x/a.png": b"<svg onload='alert(1)'>"})
    assert error(client, f"/image/{rows['a.png']}?db_path={FILES}") == (400, "refused", "not a picture any more: not_an_image")


IMG = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"  # what Chromium asks for an <img>
NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"


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
        assert ">not in the database<" in tile.get_data(as_text=True)
        page = client.get(address, headers={"Accept": NAVIGATION})
        assert (page.status_code, page.mimetype) == (404, "text/html")


@pytest.mark.parametrize("accept", [IMG, NAVIGATION])
def test_calls_of_the_api_answer_a_browser_with_json_too(client, accept):
    response = client.get("/get_random_img?db_path=none.sqlite", headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (404, "application/json")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_row_that_leads_out_of_the_roots_is_not_followed(client, here, tmp_path_factory):
    outside = write(tmp_path_factory.mktemp("outside"), {"secret.png": png(9)})
    write(here, {"x/a.png": png(1)})
    os.symlink(outside / "secret.png", here / "x" / "link.png")
    FileCache.add_folder_to_file_cache("x")  # a person at the shell may follow the link, a client of the server may not
    assert error(client, f"/image/{hash_of(9)}?db_path={FILES}")[:2] == (403, "outside_root")


def test_scores_are_paged_by_probability(client, trained, here):
    from stage3.classify import main

    main("photos", "scored")
    status, body = answer(client, "/scores?db_path=output/stage3.db&tag=cats&min=0.5")
    probabilities = [row["tag_prob"] for row in body["scores"]]
    assert (status, body["page"]) == (200, 1)
    assert probabilities == sorted(probabilities, reverse=True)
    assert min(probabilities) >= 0.5
    assert answer(client, "/scores?db_path=output/stage3.db&tag=cats&page=2") == (200, {"page": 2, "scores": []})
    assert error(client, "/scores?db_path=output/stage3.db&tag=cats&page=0") == (400, "bad_argument", "pages are counted from 1")
    assert error(client, "/scores?db_path=output/stage3.db&tag=cats&min=nan")[:2] == (400, "bad_argument")
    assert error(client, f"/scores?db_path={FILES}&tag=cats") == (400, "refused", f"{FILES} holds no scores")


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


def test_a_long_job_is_answered_with_202_watched_and_cancelled(client, here, monkeypatch):
    monkeypatch.setattr("web_api.cache_views.PATIENCE_SECONDS", 0)
    reached, go_on = threading.Event(), threading.Event()
    add = jobs.Job.add

    def slow(self, batch):
        reached.set()
        go_on.wait()
        add(self, batch)

    monkeypatch.setattr(jobs.Job, "add", slow)
    status, job = answer(client, "/add_folder_to_file_cache?data_dir=photos")
    assert (status, job["job"]) == (202, f"/jobs/{job['id']}")
    reached.wait()
    assert answer(client, job["job"])[1]["state"] == "running"
    for spelling in (FILES, "output/file_cache.sqlite", str(here / "output" / "file_cache.sqlite")):
        assert error(client, f"/clear_file_cache?db_path={spelling}&delete_cache=true")[:2] == (409, "busy")
    assert answer(client, job["job"], "delete")[0] == 200
    go_on.set()
    while answer(client, job["job"])[1]["state"] == "running":
        pass
    assert answer(client, job["job"])[1]["state"] == "cancelled"
    assert answer(client, job["job"])[1]["progress"] == {"processed": 12, "unchanged": 0, "skipped": 0}


def test_while_four_clients_wait_the_next_is_answered_at_once(client, monkeypatch):
    """The server has eight threads: adding folders must leave some for look-ups, and for cancelling."""
    monkeypatch.setattr("web_api.cache_views.PATIENCE_SECONDS", 60)
    go_on, add = threading.Event(), jobs.Job.add
    monkeypatch.setattr(jobs.Job, "add", lambda self, batch: go_on.wait() and add(self, batch))
    waiting = [threading.Thread(target=client.application.test_client().get, args=("/add_folder_to_file_cache?data_dir=photos",))
               for _ in range(4)]
    seats = client.application.view_functions["job"].__self__._seats
    for thread in waiting:
        thread.start()
    while seats._value:
        pass
    assert answer(client, "/add_folder_to_file_cache?data_dir=photos")[0] == 202
    assert error(client, "/add_folder_to_file_cache?data_dir=photos&wait=true")[:2] == (409, "busy")
    go_on.set()
    for thread in waiting:
        thread.join()


def test_only_this_machine_may_ask_without_a_token(client):
    stranger = {"REMOTE_ADDR": "192.0.2.7"}
    assert error(client, "/get_random_img?db_path=x", environ_base=stranger)[:2] == (403, "no_token")
    assert client.get("/", environ_base=stranger).status_code == 403
    assert answer(client, "/healthz", environ_base=stranger) == (200, {"status": "ok"})


def test_with_a_token_everybody_needs_it_and_a_browser_gets_it_by_login(photos):
    client = create_app(token="s3cret").test_client()
    assert error(client, "/create_file_cache")[:2] == (403, "no_token")
    assert error(client, "/create_file_cache", headers={"Authorization": "Bearer wrong"})[:2] == (403, "no_token")
    assert answer(client, "/create_file_cache", headers={"Authorization": "Bearer s3cret"})[0] == 200
    assert client.get("/").status_code == 403
    assert client.get("/login").status_code == 200
    assert client.post("/login", data={"token": "wrong"}).status_code == 403
    assert client.post("/login", data={"token": "s3cret"}).headers["Location"] == "/"
    assert client.get("/").status_code == 200


def test_other_host_names_are_refused_unless_configured(client):
    assert error(client, "/create_file_cache", headers={"Host": "evil.example"})[:2] == (403, "unknown_host")
    for host in ("localhost", "127.0.0.1:5000", "[::1]:5000"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
    assert create_app(names=["photos.home"]).test_client().get("/healthz", headers={"Host": "photos.home:80"}).status_code == 200


def test_another_site_may_look_up_nothing_of_consequence_and_change_nothing(client):
    sites = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
    for headers in sites:
        assert error(client, "/create_file_cache", headers=headers)[:2] == (403, "cross_site")
        assert error(client, "/create_file_cache", "post", headers=headers)[:2] == (403, "cross_site")
    assert not os.path.exists("output")
    assert answer(client, "/create_file_cache", headers={"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"})[0] == 200


def test_a_page_on_another_port_is_another_site_even_without_fetch_metadata(client):
    assert error(client, "/create_file_cache", headers={"Referer": "http://localhost:8080/page"})[:2] == (403, "cross_site")
    assert error(client, "/create_file_cache", headers={"Origin": "http://["})[:2] == (403, "cross_site")


def test_texts_that_are_no_texts_are_refused_and_never_an_error_of_the_server(client, here):
    half = {"db_path": FILES, "hash_id": "\ud800"}
    assert error(client, "/get_img_by_hash", "post", json=half) == (400, "bad_argument", "hash_id is not a text")
    deep = error(client, "/create_file_cache", "post", data="[" * 200_000, content_type="application/json")
    assert deep[0] == 400
    assert error(client, f"/create_file_cache?out_dir={'x' * 300}")[:2] == (400, "refused")
    os.mkfifo(here / "pipe.db")
    (here / os.fsdecode(b"caf\xe9.sqlite")).write_bytes(b"x" * 200)
    assert client.get("/").status_code == 200


def test_a_database_that_only_looks_like_ours_breaks_no_page(client, here):
    with closing(sqlite3.connect("fake.sqlite")) as connection:
        connection.executescript(
            f"CREATE TABLE file_cache(x); INSERT INTO file_cache VALUES (1);"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
    assert client.get("/").status_code == 200
    assert client.get("/files?db_path=fake.sqlite").status_code == 400
    assert error(client, "/get_random_img?db_path=fake.sqlite")[:2] == (400, "refused")


def test_a_locked_database_is_409(client, monkeypatch):
    monkeypatch.setattr("cache.stores.sqlite_file.BUSY_SECONDS", 0)
    client.get("/create_file_cache")
    with closing(sqlite3.connect(FILES, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert error(client, f"/clear_file_cache?db_path={FILES}") == (409, "busy", "the database: database is locked")


def test_links_in_a_folder_do_not_lead_out_of_the_roots(client, here, tmp_path_factory):
    outside = write(tmp_path_factory.mktemp("outside"), {"secret.png": png(9), "deep/er.png": png(8)})
    write(here, {"x/a.png": png(1)})
    os.symlink(outside / "secret.png", here / "x" / "link.png")
    os.symlink(outside / "deep", here / "x" / "folder")
    os.symlink(here / "photos" / "cats" / "00.png", here / "x" / "inside.png")
    assert answer(client, "/add_folder_to_file_cache?data_dir=x")[1] == {"db_path": FILES, "processed": 2, "unchanged": 0, "skipped": 2}


def test_a_link_to_a_cache_is_followed_to_the_cache_and_the_link_left_alone(client, here):
    client.get("/create_file_cache")
    os.symlink(here / "output" / "file_cache.sqlite", here / "link.sqlite")
    write(here, {"link.sqlite-wal": b"somebody else's"})
    assert answer(client, "/clear_file_cache?db_path=link.sqlite&delete_cache=true")[1]["db_path"] == str(here / FILES)
    assert (here / "link.sqlite").is_symlink()
    assert (here / "link.sqlite-wal").read_bytes() == b"somebody else's"
    assert not (here / FILES).exists()


def test_head_never_changes_anything(client):
    assert client.head("/create_file_cache").status_code == 405
    assert not os.path.exists("output")
    assert client.head("/healthz").status_code == 200


def test_requests_are_bounded_and_answers_say_what_they_are(client):
    assert error(client, "/get_random_img?db_path=" + "x" * 17_000)[:2] == (414, "query_too_long")
    assert error(client, "/create_file_cache", "post", data={"db_name": "x" * 2_000_000})[0] == 413
    headers = client.get("/healthz").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; img-src 'self'")
    assert client.application.debug is False


def test_openapi_describes_every_call_with_the_defaults_of_python(client):
    status, document = answer(client, "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    served = {rule.rule.replace("<", "{").replace(">", "}") for rule in client.application.url_map.iter_rules()}
    assert set(document["paths"]) <= served
    assert {f"/{name}" for name in cache_endpoints()} <= set(document["paths"])
    assert document["paths"]["/add_folder_to_tag_cache"]["get"]["parameters"] == [
        {"name": "data_dir", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "out_dir", "in": "query", "required": False, "schema": {"type": "string", "default": "./output"}},
        {"name": "db_name", "in": "query", "required": False, "schema": {"type": "string", "default": "tag_cache.sqlite"}},
        {"name": "wait", "in": "query", "schema": {"type": "boolean", "default": False}},
    ]


def test_many_clients_at_once_lose_nothing_and_meet_no_locked_database(client, here):
    for number in range(4):
        write(here / f"many-{number}", {f"{name}": data for name, data in tag_folders(3).items()})
    statuses = []

    def work(number: int) -> None:
        own = client.application.test_client()
        add = f"/add_folder_to_file_cache?data_dir=many-{number}&wait=true"
        for path in ("/create_file_cache", add, f"/get_random_img?db_path={FILES}"):
            statuses.append(own.get(path).status_code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 12
    with FileTable(FILES) as table:
        assert table.counts() == {"pictures": 24, "archives": 0}


def test_a_cache_deleted_while_the_first_page_is_made_is_left_out(client, monkeypatch):
    monkeypatch.setattr("web_api.home.databases", lambda root: [("gone.sqlite", "file_cache")])
    response = client.get("/")
    assert (response.status_code, "gone.sqlite" in response.get_data(as_text=True)) == (200, False)


def test_a_cache_that_somebody_has_open_is_busy_not_wrong(client):
    TagCache.add_folder_to_tag_cache("photos")
    with closing(sqlite3.connect(TAGS)) as other:
        other.execute("SELECT count(*) FROM tag_cache").fetchall()
        assert error(client, f"/clear_tag_cache?db_path={TAGS}&delete_cache=true") == (
            409, "busy", f"{TAGS} is in use; it was not deleted, try again when nobody has it open")


def test_a_short_soak_meets_no_unexpected_answer_and_grows_no_memory(here):
    done = run_python("-m", "benchmarks.soak", "--requests", "500", cwd=ROOT)
    assert (done.returncode, json.loads(done.stdout)["unexpected"]) == (0, []), done.stdout + done.stderr


@pytest.mark.parametrize(("app", "folder"), [("web_api/cache_web_api.py", ROOT), ("cache_web_api.py", ROOT / "web_api")])
def test_the_classic_ways_to_start_it_find_the_app(app, folder):
    done = run_python("-m", "flask", "routes", cwd=folder, FLASK_APP=app)
    assert done.returncode == 0
    assert "add_folder_to_file_cache" in done.stdout

