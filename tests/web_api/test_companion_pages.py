"""The seam for companions: a toy brings pages; the web app finds, guards, frames and links them."""
import sys
import threading
from pathlib import Path

import pytest
from flask import Blueprint
from werkzeug.serving import make_server

import companions
from cache.serving.served_pages import ServedPages
from tests.conftest import ROOT
from tests.drawing import write
from tests.html_tree import Element, parse_page
from web_api.cache_web_api import create_app

TOYS = Path(__file__).parent / "toy_companions"
AS_JSON = {"Accept": "application/json"}
OTHER_SITES = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Referer": "http://evil.example/"},
)


@pytest.fixture
def toys(here, monkeypatch):
    """The folder of companions holds two more: one that is whole, and one that lacks what it needs."""
    monkeypatch.setattr(companions, "__path__", [*companions.__path__, str(TOYS)])
    yield
    for name in [name for name in sys.modules if name.startswith("companions.")]:
        del sys.modules[name]


@pytest.fixture
def client(toys):
    return create_app().test_client()


def page_of(response, status: int = 200) -> Element:
    assert (response.status_code, response.mimetype) == (status, "text/html")
    return parse_page(response.get_data(as_text=True))


def notes_of(client) -> list[str]:
    return [note.text for note in page_of(client.get("/companions/toy/")).all("li")]


def test_the_home_page_leads_to_companions_and_says_what_others_lack(client):
    entries = page_of(client.get("/")).one("dl", "companions")
    links = [(link.text, link.attributes["href"]) for link in entries.all("a")]
    assert ("Notes", "/companions/toy/") in links
    assert [words.text for words in entries.all("dd")][-2:] == [
        "Notes of <pictures>, a line each.",
        "needs more than is installed: pip install 'no-such-package-of-anybody>=2.0' 'no-other[extra]'"]
    assert client.get("/companions/lacking/").status_code == 404


def test_a_companions_page_stands_in_the_frame_of_all_pages(client):
    own, home = (page_of(client.get(path)) for path in ("/companions/toy/", "/"))
    assert own.one("title").text == "Notes · image-tagging-tools"
    assert own.one("header").text == "image-tagging-tools › Notes"
    assert own.one("main").one("h1").text == "Notes"
    styles = [[link.attributes for link in page.all("link")] for page in (own, home)]
    assert styles[0] == styles[1]


def test_what_a_person_sends_is_done_and_what_another_site_sends_is_not(client):
    assert client.post("/companions/toy/note", data={"path": "a.png"}).status_code == 302
    for headers in OTHER_SITES:
        refused = page_of(client.post("/companions/toy/note", data={"path": "b.png"}, headers=headers), 403)
        assert refused.one("h1").text == "another site may not change anything here"
    assert notes_of(client) == ["a.png"]


def test_a_path_outside_the_roots_is_refused_with_a_page(client):
    refused = client.post("/companions/toy/note", data={"path": "/etc/passwd"})
    assert page_of(refused, 403).one("h1").text == "/etc/passwd lies outside the allowed folders"
    assert notes_of(client) == []


def test_errors_are_pages_for_people_and_json_for_scripts_that_ask_for_it(client):
    assert page_of(client.get("/companions/toy/refused"), 400).one("h1").text == "the toy has enough of it"
    answer = client.get("/companions/toy/refused", headers=AS_JSON)
    assert (answer.status_code, answer.get_json()) == (
        400, {"error": {"code": "refused", "message": "the toy has enough of it"}})
    gone = client.get("/companions/toy/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page_of(gone, 404).one("h1").text.startswith("The requested URL was not found on the server.")


def test_the_guard_stands_before_companions_too(toys):
    client = create_app(token="s3cret").test_client()
    refused = page_of(client.get("/companions/toy/"), 403)
    assert refused.one("h1").text == "a token is needed: Authorization: Bearer <token>, or /login"
    assert client.get("/companions/toy/static/toy.js").status_code == 403
    assert client.get("/companions/toy/", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    open_to_all = create_app().test_client()
    assert open_to_all.get("/companions/toy/", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 403
    assert open_to_all.get("/companions/toy/", headers={"Host": "evil.example"}).status_code == 403


def test_only_companions_pages_may_run_scripts_and_only_files_of_the_server(client):
    policies = [client.get(path).headers["Content-Security-Policy"] for path in ("/", "/companions/toy/")]
    assert ["script-src 'self'" in policy for policy in policies] == [False, True]
    assert [policy for policy in policies if "unsafe" in policy] == []


def test_a_companions_page_works_in_a_browser(client, page):
    server = make_server("127.0.0.1", 0, client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        page.goto(f"http://127.0.0.1:{server.port}")
        page.get_by_role("link", name="Notes").click()
        page.get_by_label("Path").fill("a.png")
        page.get_by_role("button", name="Add").click()
        page.wait_for_selector("li")
        assert page.locator("li").all_text_contents() == ["a.png"]
        page.get_by_text("the toy has enough of it").wait_for()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_blueprint_bears_the_name_of_its_companion(here):
    wrong = ServedPages("toy", "Toy", "", lambda roots: Blueprint("other", __name__))
    with pytest.raises(ValueError, match="the blueprint of toy is called other"):
        create_app(companions=[wrong])


@pytest.mark.parametrize("rule", [None, "/<path:name>"])
def test_a_blueprint_without_a_view_to_link_to_is_refused_at_the_start(here, rule):
    blueprint = Blueprint("toy", __name__)
    if rule:
        blueprint.add_url_rule(rule, "index", lambda name: name)
    with pytest.raises(ValueError, match="^the blueprint of toy has no view index to link to$"):
        create_app(companions=[ServedPages("toy", "Toy", "", lambda roots: blueprint)])


def test_pages_that_cannot_be_loaded_are_left_out_and_named_and_the_others_served(
        toys, tmp_path_factory, monkeypatch):
    files = {
        "broken/pages.py": b"raise ImportError('a version\\nof long ago')\n",
        "without/pages.py": b"",
        "unread/pages.py": b"",
        "unread/requirements.txt": b"-r more.txt\n",
    }
    mains = {f"{verb}/__main__.py": b"" for verb in ("broken", "without", "unread")}
    folder = write(tmp_path_factory.mktemp("more"), {**files, **mains})
    monkeypatch.setattr(companions, "__path__", [str(TOYS), str(folder)])
    client = create_app().test_client()
    entries = page_of(client.get("/")).one("dl", "companions")
    names, words = ([entry.text for entry in entries.all(kind)] for kind in ("dt", "dd"))
    reasons = dict(zip(names, words, strict=True))
    assert sorted(reasons) == ["Notes", "broken", "lacking", "unread", "without"]
    assert reasons["broken"] == "cannot be loaded: ImportError: a version\\nof long ago"
    assert reasons["unread"].startswith("cannot be loaded: InvalidRequirement: ")
    assert reasons["without"] == (
        "cannot be loaded: AttributeError: module 'companions.without.pages' has no attribute 'PAGES'")
    assert client.get("/companions/toy/").status_code == 200


def test_templates_of_companions_lie_in_a_folder_of_their_name():
    """Flask looks for a template in one blueprint after the other: equal names would meet."""
    folder = ROOT / "companions"
    templates = [path.relative_to(folder).parts for path in folder.rglob("templates/**/*.html")]
    assert [parts for parts in templates if parts[2] != parts[0]] == []
