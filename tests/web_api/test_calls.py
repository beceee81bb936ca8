"""The calls of the caches over HTTP, with Flask's own client: what they answer, and what they refuse."""
import json
import os
import sqlite3
import threading
from contextlib import closing

import pytest

from cache import ClipCache, FileCache, TagCache
from cache.stores.file_table import FileTable
from tests.cache.test_caches import CLIPS, FILES, TAGS, hash_of
from tests.drawing import tag_folders, tree, write
from tests.web_api.asking import IMG, NAVIGATION, answer, error
from web_api.endpoints import cache_endpoints

GETTERS = {
    "get_random_file_hash": FILES,
    "get_random_img": FILES,
    "get_random_clip_hash": CLIPS,
    "get_random_clip": CLIPS,
    "get_random_tag_hash": TAGS,
    "get_random_tag": TAGS,
}


def test_every_call_answers_with_the_dict_of_the_python_method(client, tiny):
    clips = ClipCache(**tiny)
    new, known = {"processed": 12, "unchanged": 0}, {"processed": 0, "unchanged": 12}
    counts = {"file": new, "clip": new, "tag": known}
    for name, path in (("file", FILES), ("clip", CLIPS), ("tag", TAGS)):
        assert answer(client, f"/create_{name}_cache") == (
            200, {"db_path": path, "created": True, "message": f"created {path}"})
        assert answer(client, f"/add_folder_to_{name}_cache?data_dir=photos&wait=true") == (
            200, {"db_path": path, **counts[name], "skipped": 0})
    one = hash_of(0)
    assert answer(client, f"/get_img_by_hash?db_path={FILES}&hash_id={one}") == (
        200, FileCache.get_img_by_hash(FILES, one))
    assert answer(client, f"/get_tag_by_hash?db_path={TAGS}&hash_id={one}") == (
        200, TagCache.get_tag_by_hash(TAGS, one))
    clip = clips.get_clip_by_hash(CLIPS, one)
    expected = {**clip, "clip_vector": json.loads(json.dumps(clip["clip_vector"].tolist()))}
    assert answer(client, f"/get_clip_by_hash?db_path={CLIPS}&hash_id={one}") == (200, expected)
    for name, path in GETTERS.items():
        status, body = answer(client, f"/{name}?db_path={path}")
        assert (status, "hash_id" in body) == (200, True)
    for name, path in (("file", FILES), ("clip", CLIPS), ("tag", TAGS)):
        assert answer(client, f"/clear_{name}_cache?db_path={path}") == (
            200, {"db_path": path, "cleared": 12, "deleted": False})
        assert answer(client, f"/clear_{name}_cache?db_path={path}&delete_cache=True")[1]["deleted"] is True
    assert os.listdir("output") == []


def test_post_takes_a_query_a_form_or_json(client):
    by_query = answer(client, "/create_file_cache?db_name=a.sqlite", "post")
    by_form = answer(client, "/create_file_cache", "post", data={"db_name": "b.sqlite"})
    by_json = answer(client, "/create_file_cache", "post", json={"db_name": "c.sqlite"})
    paths = [created["db_path"] for _, created in (by_query, by_form, by_json)]
    assert paths == ["./output/a.sqlite", "./output/b.sqlite", "./output/c.sqlite"]
    answer(client, "/clear_file_cache", "post", json={"db_path": "output/c.sqlite", "delete_cache": True})
    assert sorted(os.listdir("output")) == ["a.sqlite", "b.sqlite"]


def test_a_bad_argument_is_named(client):
    assert error(client, "/get_img_by_hash?db_path=x") == (
        400, "missing_argument", "get_img_by_hash needs the argument hash_id")
    assert error(client, "/get_random_img?db_path=x&colour=red") == (
        400, "unknown_argument", "get_random_img has no argument colour")
    unclear = error(client, "/clear_file_cache?db_path=x&delete_cache=maybe")
    assert unclear == (400, "bad_argument", "delete_cache is neither true nor false")
    assert error(client, "/create_file_cache?db_name=../x") == (
        400, "bad_name", "db_name is a plain file name")
    assert error(client, "/create_file_cache", "post", json={"db_name": 7}) == (
        400, "bad_argument", "db_name is not a text")
    assert error(client, "/create_file_cache", "post", json=[1]) == (
        400, "bad_body", "the body is not a JSON object")
    assert error(client, "/create_file_cache", "post", data="{", content_type="application/json")[:2] == (
        400, "bad_request")
    assert error(client, "/add_folder_to_file_cache?data_dir=photos&wait=soon") == (
        400, "bad_argument", "wait is neither true nor false")
    assert error(client, "/get_random_img?db_path=") == (
        400, "bad_path", "a path is empty or has a zero byte in it")


def test_what_is_not_there_is_404_and_what_is_foreign_400(client, here):
    (here / "text.sqlite").write_text("text " * 100)
    assert error(client, "/get_random_img?db_path=none.sqlite") == (
        404, "not_found", "no such database: none.sqlite")
    assert error(client, "/add_folder_to_file_cache?data_dir=nowhere") == (
        404, "not_found", "no such file or folder: nowhere")
    assert error(client, "/get_random_img?db_path=text.sqlite") == (
        400, "refused",
        "text.sqlite is not a readable database: file is not a database; "
        "if it was one of yours, delete it, and it is made anew")
    client.get("/create_file_cache")
    assert error(client, f"/get_random_img?db_path={FILES}") == (
        404, "not_found", "get_random_img: nothing there")
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


def test_texts_that_are_no_texts_are_refused_and_never_an_error_of_the_server(client, here):
    half = {"db_path": FILES, "hash_id": "\ud800"}
    assert error(client, "/get_img_by_hash", "post", json=half) == (
        400, "bad_argument", "hash_id is not a text")
    deep = error(client, "/create_file_cache", "post", data="[" * 200_000, content_type="application/json")
    assert deep[0] == 400
    assert error(client, f"/create_file_cache?out_dir={'x' * 300}")[:2] == (400, "refused")
    os.mkfifo(here / "pipe.db")
    (here / os.fsdecode(b"caf\xe9.sqlite")).write_bytes(b"x" * 200)
    assert client.get("/").status_code == 200


def test_a_locked_database_is_409(client, monkeypatch):
    monkeypatch.setattr("cache.stores.sqlite_file.BUSY_SECONDS", 0)
    client.get("/create_file_cache")
    with closing(sqlite3.connect(FILES, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert error(client, f"/clear_file_cache?db_path={FILES}") == (
            409, "busy", "the database: database is locked")


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


def test_a_cache_that_somebody_has_open_is_busy_not_wrong(client):
    TagCache.add_folder_to_tag_cache("photos")
    with closing(sqlite3.connect(TAGS)) as other:
        other.execute("SELECT count(*) FROM tag_cache").fetchall()
        assert error(client, f"/clear_tag_cache?db_path={TAGS}&delete_cache=true") == (
            409, "busy", f"{TAGS} is in use; it was not deleted, try again when nobody has it open")


def test_clearing_deletes_nothing_that_is_not_a_cache_of_its_kind(client, here):
    write(here, {"precious.sqlite": b"mine"})
    client.get("/create_tag_cache")
    before = tree(here)
    assert error(client, "/clear_file_cache?db_path=precious.sqlite&delete_cache=true")[0] == 400
    assert error(client, f"/clear_file_cache?db_path={TAGS}&delete_cache=true")[0] == 400
    assert tree(here) == before


@pytest.mark.parametrize("accept", [IMG, NAVIGATION])
def test_calls_of_the_api_answer_a_browser_with_json_too(client, accept):
    response = client.get("/get_random_img?db_path=none.sqlite", headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (404, "application/json")


def test_openapi_describes_every_call_with_the_defaults_of_python(client):
    status, document = answer(client, "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    rules = [rule.rule for rule in client.application.url_map.iter_rules()]
    served = {rule.replace("<", "{").replace(">", "}") for rule in rules}
    assert set(document["paths"]) <= served
    assert {f"/{name}" for name in cache_endpoints()} <= set(document["paths"])
    optional = {"in": "query", "required": False}
    assert document["paths"]["/add_folder_to_tag_cache"]["get"]["parameters"] == [
        {"name": "data_dir", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "out_dir", **optional, "schema": {"type": "string", "default": "./output"}},
        {"name": "db_name", **optional, "schema": {"type": "string", "default": "tag_cache.sqlite"}},
        {"name": "include_hidden", **optional, "schema": {"type": "boolean", "default": False}},
        {"name": "wait", "in": "query", "schema": {"type": "boolean", "default": False}},
    ]
