"""Who may ask the server what: strangers, other sites, paths outside the roots, long requests."""
import os

import pytest

from cache import FileCache
from tests.cache.test_caches import FILES, hash_of
from tests.drawing import png, write
from tests.web_api.asking import answer, error
from web_api.cache_web_api import create_app

OTHER_SITES = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
)


@pytest.mark.parametrize("path", [
    "/get_random_img?db_path=../x.sqlite",
    "/get_random_img?db_path=/etc/passwd",
    "/create_file_cache?out_dir=/tmp",
    "/add_folder_to_file_cache?data_dir=/etc",
    "/clear_file_cache?db_path=link/x.sqlite&delete_cache=true",
    "/files?db_path=/etc/passwd",
    "/thumbnail/x?db_path=/etc/passwd",
    "/scores?db_path=/etc/passwd&tag=x",
])
def test_paths_outside_the_roots_are_forbidden_also_through_links(client, here, path):
    os.symlink("/", here / "link")
    response = client.get(path)
    assert response.status_code == 403
    assert "lies outside the allowed folders" in response.get_data(as_text=True)


def test_a_row_that_leads_out_of_the_roots_is_not_followed(client, here, tmp_path_factory):
    outside = write(tmp_path_factory.mktemp("outside"), {"secret.png": png(9)})
    write(here, {"x/a.png": png(1)})
    os.symlink(outside / "secret.png", here / "x" / "link.png")
    FileCache.add_folder_to_file_cache("x")  # a person at the shell may follow the link, a client may not
    assert error(client, f"/image/{hash_of(9)}?db_path={FILES}")[:2] == (403, "outside_root")


def test_links_in_a_folder_do_not_lead_out_of_the_roots(client, here, tmp_path_factory):
    outside = write(tmp_path_factory.mktemp("outside"), {"secret.png": png(9), "deep/er.png": png(8)})
    write(here, {"x/a.png": png(1)})
    os.symlink(outside / "secret.png", here / "x" / "link.png")
    os.symlink(outside / "deep", here / "x" / "folder")
    os.symlink(here / "photos" / "cats" / "00.png", here / "x" / "inside.png")
    counts = {"processed": 2, "unchanged": 0, "skipped": 2}
    assert answer(client, "/add_folder_to_file_cache?data_dir=x")[1] == {"db_path": FILES, **counts}


def test_a_link_to_a_cache_is_followed_to_the_cache_and_the_link_left_alone(client, here):
    client.get("/create_file_cache")
    os.symlink(here / "output" / "file_cache.sqlite", here / "link.sqlite")
    write(here, {"link.sqlite-wal": b"somebody else's"})
    _, cleared = answer(client, "/clear_file_cache?db_path=link.sqlite&delete_cache=true")
    assert cleared["db_path"] == str(here / FILES)
    assert (here / "link.sqlite").is_symlink()
    assert (here / "link.sqlite-wal").read_bytes() == b"somebody else's"
    assert not (here / FILES).exists()


def test_only_this_machine_may_ask_without_a_token(client):
    stranger = {"REMOTE_ADDR": "192.0.2.7"}
    assert error(client, "/get_random_img?db_path=x", environ_base=stranger)[:2] == (403, "no_token")
    assert client.get("/", environ_base=stranger).status_code == 403
    assert answer(client, "/healthz", environ_base=stranger) == (200, {"status": "ok"})


def test_with_a_token_everybody_needs_it_and_a_browser_gets_it_by_login(photos):
    client = create_app(token="s3cret").test_client()
    assert error(client, "/create_file_cache")[:2] == (403, "no_token")
    assert error(client, "/create_file_cache", headers={"Authorization": "Bearer wrong"})[:2] == (
        403, "no_token")
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
    named = create_app(names=["photos.home"]).test_client()
    assert named.get("/healthz", headers={"Host": "photos.home:80"}).status_code == 200


def test_another_site_may_look_up_nothing_of_consequence_and_change_nothing(client):
    for headers in OTHER_SITES:
        assert error(client, "/create_file_cache", headers=headers)[:2] == (403, "cross_site")
        assert error(client, "/create_file_cache", "post", headers=headers)[:2] == (403, "cross_site")
    assert not os.path.exists("output")
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert answer(client, "/create_file_cache", headers=own)[0] == 200


def test_a_page_on_another_port_is_another_site_even_without_fetch_metadata(client):
    assert error(client, "/create_file_cache", headers={"Referer": "http://localhost:8080/page"})[:2] == (
        403, "cross_site")
    assert error(client, "/create_file_cache", headers={"Origin": "http://["})[:2] == (403, "cross_site")


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
