"""index.html and thresholds.html of a result in a real browser, opened from disk: filters, what is kept, the
slider, keys, light and dark, a phone."""
import os

import pytest

from cache.stores.kept_thumbnails import KeptThumbnails
from companions.cluster.methods.method import Pair
from companions.cluster.page import write_result_page
from companions.cluster.threshold_page import write_suggestion
from companions.cluster.thresholds import Suggestion
from tests.companions.cluster.drawn_result import MARKUP, PAIRS, drawn_result

OFFERED = sorted([*PAIRS, Pair(7, 8, 0.1), Pair(0, 7, 0.1234)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """The address of a folder with both pages. b/1.png is about to move there."""
    folder = tmp_path_factory.mktemp("pages")
    result = drawn_result(folder)
    output = folder / "output/clusters"
    kept = KeptThumbnails()
    moved_to = {f"{folder}/photos/b/1.png": os.path.abspath("sorted/1.png")}
    write_result_page(
        output / "index.html", result, source="photos", kept=kept, lies_in=output, moved_to=moved_to)
    offered = Suggestion("photos", "orb", 0.2, 0.1, result.members, OFFERED, len(result.members))
    write_suggestion(output, offered, kept=kept, lies_in=output)
    return output.as_uri()


def opened(page, folder: str, name: str = "index.html"):
    page.goto(f"{folder}/{name}")
    return page


def clusters(page) -> list[str]:
    return page.locator("article h3 .name").all_text_contents()


def names(page) -> list[str]:
    """Of the pictures of clusters, as they stand there."""
    return page.locator("article a .file").all_text_contents()


def kept(page) -> list[str]:
    """The names of those that are marked."""
    marked = page.locator("li", has=page.locator("button.keep[aria-pressed=true]:visible"))
    return marked.locator("a .file").all_text_contents()


def focused(page) -> str:
    """The name of the cluster or picture that keys act on."""
    return page.evaluate("document.activeElement.querySelector('.name, .file').textContent")


def test_clusters_stand_there_with_their_figures_chains_in_two_parts_outliers_behind(page, folder):
    opened(page, folder)
    assert clusters(page) == ["cluster_1", "cluster_2", "cluster_3"]
    assert page.locator("article .about").all_text_contents() == [
        "4 pictures · weakest link 0.250 · diameter 0.900",
        "1 picture in 3 files: copies",
        "2 pictures in 3 files · weakest link 0.900 · diameter 0.100",
    ]
    assert page.locator("article", has=page.locator(".badge")).locator("h3").all_text_contents() == [
        "cluster_1chain"]
    assert page.locator(".link").all_text_contents() == ["0.250: only these two join both sides"]
    parts = page.locator("#cluster_1 .tiles").all()
    assert [part.locator("a .file").all_text_contents() for part in parts] == [
        ["2.png", "1.png"], ["3.png", "4.png"]]
    assert page.locator("#cluster_1 .linked a .file").all_text_contents() == ["2.png", "3.png"]
    assert page.locator("#cluster_3 .facts").all_inner_texts() == [
        "4000 × 3000\n6.0 kB", "4000 × 3000\n5.0 kB"]
    assert page.locator("#alone a .file").all_text_contents() == ["z.png", "صورة.png"]
    assert page.complaints == []


def test_names_that_are_html_are_names_and_links_lead_to_the_pictures(page, folder):
    opened(page, folder)
    assert names(page)[-2:] == ["50% off?#.png", MARKUP]
    links = [link.get_attribute("href") for link in page.locator("#cluster_3 a").all()]
    assert links[1] == "../../photos/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.png"
    page.goto(page.evaluate("document.querySelector('#cluster_3 a').href"))
    assert page.locator("img").evaluate("picture => picture.naturalWidth") == 48
    assert page.complaints == []


def test_copies_are_listed_when_they_are_asked_for(page, folder):
    opened(page, folder)
    page.get_by_text("and 2 copies").click()
    copies = page.locator("#cluster_2 details")
    assert copies.locator("li").all_text_contents() == ["backup/a.png", "Old.zip/a.png"]
    assert [link.get_attribute("href") for link in copies.locator("a").all()] == ["../../photos/backup/a.png"]


def test_filters_leave_clusters_of_a_name_a_size_or_chains(page, folder):
    opened(page, folder)
    page.get_by_label("Find").fill("BACKUP")
    assert clusters(page) == ["cluster_2"]
    assert page.locator("#matching").text_content() == "1 of 3"
    assert not page.locator("#alone li").count()
    page.get_by_label("Find").fill("صورة")
    assert clusters(page) == []
    assert page.get_by_text("No cluster is like this.").is_visible()
    assert page.locator("#alone a .file").all_text_contents() == ["صورة.png"]
    page.get_by_label("Find").fill("")
    page.locator("select[name=files]").select_option("only 2")
    assert clusters(page) == []
    page.locator("select[name=files]").select_option("3 or more")
    page.locator("select[name=chains]").select_option("only")
    assert clusters(page) == ["cluster_1"]
    page.locator("select[name=chains]").select_option("without")
    page.locator("select[name=order]").select_option("weakest link")
    assert clusters(page) == ["cluster_3", "cluster_2"]
    assert page.complaints == []


def test_the_best_of_each_is_kept_and_the_others_are_a_list_to_copy_or_to_save(page, folder):
    opened(page, folder)
    assert kept(page) == []
    page.locator("select[name=keep]").select_option("the largest")
    assert kept(page) == ["2.png", "a.png", "50% off?#.png"]
    assert page.locator("#kept").inner_text().splitlines()[0] == (
        "Of 3 clusters 3 files are kept; the others: 4 files, 9.0 kB "
        "2 files in archives not listed; 1 name that no list can hold")
    page.get_by_role("button", name="List the others").click()
    others = ["photos/b/3.png", "photos/backup/a.png", f"photos/{MARKUP}", "sorted/1.png"]
    text = page.locator("#list-text").input_value()
    assert sorted(text.splitlines()) == sorted(others)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as others.txt").click()
    assert download.value.suggested_filename == "others.txt"
    assert download.value.path().read_text() == text
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.keyboard.press("Escape")
    page.locator("select[name=keep]").select_option("the sharpest")
    assert kept(page) == ["2.png", "a.png", MARKUP]  # 2.png is nearly as sharp as 4.png, and larger
    assert page.complaints == []


def test_a_person_may_know_better_but_something_of_each_stays(page, folder):
    opened(page, folder)
    page.locator("select[name=keep]").select_option("the largest")
    page.get_by_label("Find").fill("b/")
    marks = page.locator("#cluster_1 .keep")
    marks.nth(0).click()
    assert kept(page) == ["2.png"]
    marks.nth(3).click()
    assert kept(page) == ["2.png", "4.png"]
    marks.nth(0).click()
    marks.nth(3).click()
    assert kept(page) == ["4.png"]
    assert page.locator("#kept-line").text_content() == (
        "Of 1 cluster 1 file is kept; the others: 3 files, 6.0 kB")
    page.get_by_label("Find").fill("")
    assert kept(page) == ["4.png", "a.png", "50% off?#.png"]


def test_all_of_it_goes_by_keys(page, folder):
    opened(page, folder)
    page.keyboard.press("?")
    assert page.locator("#keys dt").all_inner_texts() == [
        "n p", "← →", "Enter", "k", "b", "l", "c", "/", "o", "Esc", "?"]
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    page.keyboard.press("c")
    assert clusters(page) == ["cluster_1"]
    page.keyboard.press("c")
    assert clusters(page) == ["cluster_2", "cluster_3"]
    page.keyboard.press("c")
    page.keyboard.press("n")
    page.keyboard.press("b")
    assert focused(page) == "cluster_1"
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("p")
    assert focused(page) == "cluster_2"
    page.keyboard.press("n")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focused(page) == MARKUP
    page.keyboard.press("k")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("k")
    assert kept(page) == ["2.png", "a.png", MARKUP]
    page.keyboard.press("l")
    assert page.locator("#list").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "z.png"
    page.keyboard.press("/")
    page.keyboard.type("bc")
    assert page.get_by_label("Find").input_value() == "bc"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    assert page.complaints == []


def test_what_has_no_thumbnail_is_shown_from_disk_or_has_no_preview(page, folder):
    opened(page, folder)
    images = page.locator("#alone img")
    assert [image.get_attribute("src")[:22] for image in images.all()] == [
        "../../photos/z.png", "data:image/jpeg;base64"]
    images.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#alone img').naturalWidth === 48")
    missing = page.locator("article li", has=page.locator(".thumbnail.missing"))
    assert missing.locator("a .file").all_text_contents() == ["4.png"]
    page.locator("#alone img").first.evaluate("image => { image.src = 'data:image/png;base64,'; }")
    page.locator("#alone .missing").wait_for()


def test_the_slider_shows_counts_and_the_pairs_on_both_sides_of_a_threshold(page, folder):
    opened(page, folder, "thresholds.html")

    def shown() -> dict:
        figures = page.locator("figcaption output").all_text_contents()
        above, below = (
            page.locator(f"{name} .similarity").all_text_contents() for name in ("#above", "#below"))
        threshold = page.locator("#value").text_content()
        return {"threshold": threshold, "figures": figures, "above": above, "below": below}

    assert shown() == {
        "threshold": "0.200", "figures": ["4", "3", "10", "4"],
        "above": ["0.250", "0.500", "0.800", "0.900"], "below": ["0.123", "0.100"]}
    page.locator("#threshold").fill("0.501")
    assert shown() == {
        "threshold": "0.501", "figures": ["2", "3", "8", "3"],
        "above": ["0.800", "0.900"], "below": ["0.500", "0.250", "0.123", "0.100"]}
    assert page.locator("#flags").text_content() == "--method orb --threshold 0.501"
    assert page.locator("#above li").first.locator(".file").all_text_contents() == ["1.png", "2.png"]
    page.keyboard.press("p")
    assert shown()["above"] == ["0.500", "0.800", "0.900"]
    page.keyboard.press("n")
    page.keyboard.press("n")
    assert (shown()["threshold"], shown()["above"]) == ("0.801", ["0.900"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    assert shown()["threshold"] == "0.812"
    page.keyboard.press("n")
    assert page.get_by_text("No pair is as alike as this.").is_visible()
    page.keyboard.press("d")
    assert shown()["threshold"] == "0.200"
    for _ in range(3):
        page.keyboard.press("p")
    assert (shown()["threshold"], shown()["figures"]) == ("0.100", ["6", "3", "12", "5"])
    assert page.get_by_text("No pair is less alike than this, of those looked for.").is_visible()
    width = page.locator(".plot").first.bounding_box()["width"]
    page.locator(".plot").first.click(position={"x": width / 2, "y": 50})
    assert shown()["threshold"] == "0.550"
    assert page.complaints == []


@pytest.mark.parametrize(("name", "scheme", "background"), [
    ("index.html", "dark", "rgb(21, 23, 26)"),
    ("thresholds.html", "light", "rgb(255, 255, 255)"),
])
def test_pages_follow_light_and_dark_fit_a_phone_and_ask_for_nothing_else(
    page, folder, name, scheme, background,
):
    asked = []
    page.on("request", lambda request: asked.append(request.url.split(":")[0]))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, folder, name)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("?")
    assert page.locator("#keys").bounding_box()["width"] <= 390
    assert set(asked) <= {"file", "data"}


def test_without_a_script_both_pages_say_where_the_figures_are(browser, folder):
    plain = browser.new_page(java_script_enabled=False)
    said = {}
    for name in ("index.html", "thresholds.html"):
        plain.goto(f"{folder}/{name}")
        said[name] = plain.locator("noscript").inner_text()
    assert said == {
        "index.html": "This page shows its clusters by a script, and here none may run: they stand in "
        "clusters.json beside it.",
        "thresholds.html": "Without a script the curves do not move; all figures stand in thresholds.json "
        "beside this page.",
    }
    assert plain.locator(".plot path").count() == 4
    plain.close()
