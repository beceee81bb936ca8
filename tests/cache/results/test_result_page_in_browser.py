"""index.html of stages 3 and 4 in a real browser, opened from disk: filters, keyboard, light and dark, a
phone, and without scripts."""

from functools import partial

import numpy as np
import pytest

from cache.limits import Limits
from cache.models.decisions import Thresholds
from cache.models.tag_models import TagModel
from cache.pixels.pixel_hash import hash_ids
from cache.reader.batches import Batch, Counts
from cache.reader.source_file import Picture, SourceFile
from cache.results.result_folder import ResultFolder
from cache.results.result_page import write_result_page
from cache.stores.kept_thumbnails import KeptThumbnails
from cache.stores.score_listing import ScoreListing
from tests.drawing import drawn, png, write

TAGS = ["cats", "<script>alert(1)</script>", "x" * 200, "كلب وقطة", "  two  spaces "]
NAMES = ["<img src=x onerror=alert(1)>.png", "صورة.png", "x" * 180 + ".png", "50% off?#.png", "🐈.png"]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """A result with every tag under two models, of which one decides: five pictures score 0.05, 0.25 ...
    0.85 under each."""
    folder = tmp_path_factory.mktemp("page")
    write(folder, {name: png(number) for number, name in enumerate(NAMES)})
    models = [
        TagModel("", model_type, tag, None, 0, None, limits)
        for tag in TAGS
        for model_type, limits in (("ovr-logistic-regression", None), ("ovr-svm", Thresholds(0.8, 0.2)))
    ]
    files = [
        SourceFile(name, str(folder / name), None, None, 10_000, 1, "1", partial(open, folder / name, "rb"))
        for name in NAMES
    ]
    pictures = [
        Picture(file, *hash_ids(drawn(number)), "png", 48, 40) for number, file in enumerate(files)]
    scores = np.repeat([[0.05], [0.25], [0.45], [0.65], [0.85]], len(models), axis=1)
    with ScoreListing(models) as listing, ResultFolder(str(folder / "scored"), models, 10, True) as result:
        listing.add(Batch(pictures), scores, result.place(pictures, scores))
        write_result_page(
            "new", listing, models, result,
            kept=KeptThumbnails(), counts=Counts(len(pictures)), limits=Limits())
    return (folder / "scored/index.html").as_uri()


def shown(page) -> dict[str, tuple[str, int]]:
    """Of every section that is to be seen: its count, and how many groups of it are."""
    return {
        section.get_attribute("id"): (
            section.locator(".count").text_content(),
            section.locator("article:visible").count(),
        )
        for section in page.locator("section:visible").all()
    }


SECTIONS = ["0.8–0.9", "0.6–0.7", "0.4–0.5", "0.2–0.3", "0.0–0.1"]


def test_filters_show_what_has_all_they_ask_for_and_count_it(page, address):
    page.goto(address)
    assert shown(page) == dict.fromkeys(SECTIONS, ("10 scores", 10))
    for tag in TAGS:
        page.select_option("select[name=tag]", tag)
        assert shown(page) == dict.fromkeys(SECTIONS, ("2 scores", 2)), tag
    page.select_option("select[name=decision]", "yes")
    assert shown(page) == {"0.8–0.9": ("1 score", 1)}
    assert page.locator("nav a:visible").all_text_contents() == ["0.8–0.9"]
    page.select_option("select[name=tag]", "")
    assert shown(page) == {"0.8–0.9": ("5 scores", 5)}
    assert not page.get_by_text("nothing of this kind").is_visible()
    page.select_option("select[name=model]", "ovr-logistic-regression")
    assert shown(page) == {}
    assert page.get_by_text("nothing of this kind").is_visible()
    page.select_option("select[name=decision]", "none")
    assert shown(page) == dict.fromkeys(SECTIONS, ("5 scores", 5))
    assert page.complaints == []


def test_a_person_gets_from_the_filters_to_a_picture_with_the_keyboard_alone(page, address):
    page.goto(address)
    focused = []
    for _ in range(9):
        page.keyboard.press("Tab")
        focused.append(page.evaluate("document.activeElement.name || document.activeElement.textContent"))
    assert focused == ["Skip to the content", "tag", "model", "decision", *SECTIONS]
    page.locator("select[name=tag]").focus()
    page.keyboard.type("cats")
    page.keyboard.press("Tab")
    assert shown(page) == dict.fromkeys(SECTIONS, ("2 scores", 2))
    page.locator("article:visible a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/pictures/*.png")
    assert page.locator("img").evaluate("picture => picture.naturalWidth") == 48
    assert page.complaints == []


def test_without_a_script_everything_is_there_but_the_filters(browser, address):
    plain = browser.new_page(java_script_enabled=False)
    plain.goto(address)
    assert shown(plain) == dict.fromkeys(SECTIONS, ("10 scores", 10))
    assert not plain.locator("select").first.is_visible()
    plain.get_by_role("link", name="0.0–0.1").click()
    assert plain.url.endswith("#0.0%E2%80%930.1")
    plain.close()


@pytest.mark.parametrize(
    ("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(21, 23, 26)")]
)
def test_the_page_follows_light_and_dark_fits_a_phone_and_asks_for_nothing_else(
    page, address, scheme, background
):
    asked = []
    page.on("request", lambda request: asked.append(request.url.split(":")[0]))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(address)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).backgroundColor") == background
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("getComputedStyle(document.querySelector('.thumbnail')).backgroundImage").startswith(
        'url("data:image/jpeg'
    )
    page.mouse.wheel(0, 3000)
    page.wait_for_function("window.scrollY > 1000")
    assert page.locator(".bar").bounding_box()["y"] == 0  # the filters stay
    assert asked == ["file"]
    assert page.complaints == []


def test_on_paper_pictures_are_there_and_filters_are_not(page, address):
    page.emulate_media(media="print")
    page.goto(address)
    assert (
        page.locator(".thumbnail").first.evaluate("each => getComputedStyle(each).printColorAdjust")
        == "exact"
    )
    assert not page.locator(".bar").is_visible()
