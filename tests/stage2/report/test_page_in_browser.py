"""The report of stage 2 in a real browser, opened from disk: links into closed sections, the keyboard, light
and dark, a phone."""
import pytest

from cache.stores.kept_thumbnails import KeptThumbnails
from stage2.judging.results import Contradiction, CurvePoint
from stage2.report.page import tag_sections, write_report_page
from tests.drawing import png, write
from tests.stage2.report.drawn_results import HASHES, HOSTILE, ROWS, every, report, tag_result


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("report")
    write(folder, {f"{row}.png": png(row) for row in range(ROWS)})
    results = [
        tag_result(tag, every(place, len(HOSTILE)), place, targets=True)
        for place, tag in enumerate(HOSTILE)
    ]
    first, second = HOSTILE[:2]
    paths = {hash_id: str(folder / f"{row}.png") for row, hash_id in enumerate(HASHES[:ROWS])}
    curve = [CurvePoint(images, 1, 0.5, 0.4, 0.6, {first: 0.5}) for images in (1, 2, 5, 10, 20, 50)]
    facts = report(
        results, paths, shared={(first, second): 3}, learning_curve=curve,
        to_check=[Contradiction(0, {first: 0.1}, {second: 0.9})])
    write_report_page(folder / "index.html", facts, tag_sections(facts), KeptThumbnails())
    return (folder / "index.html").as_uri()


def test_a_link_of_the_ranking_opens_the_section_of_its_tag_where_a_person_sees_it(page, address):
    page.goto(address)
    sections = page.locator("details")
    is_open = [section.get_attribute("open") is not None for section in sections.all()]
    assert is_open == [True] + [False] * (len(HOSTILE) - 1)
    link = page.locator(".ranking tbody th a").nth(3)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('details')[3].open")
    assert sections.nth(3).locator("h3").text_content() == link.text_content()
    below_the_bar = page.locator("main > nav").bounding_box()
    box = sections.nth(3).locator("h3").bounding_box()
    assert below_the_bar["y"] + below_the_bar["height"] <= box["y"] < 300
    assert sections.nth(3).locator("svg").count() == 3
    page.locator("summary").nth(4).focus()
    page.keyboard.press("Enter")
    assert sections.nth(4).get_attribute("open") is not None
    assert page.complaints == []


@pytest.mark.parametrize(("scheme", "background", "second"), [
    ("light", "rgb(255, 255, 255)", "rgb(194, 87, 12)"),
    ("dark", "rgb(21, 23, 26)", "rgb(242, 163, 94)"),
])
def test_plots_and_text_take_the_colours_of_light_and_dark_and_nothing_is_asked_for(
        page, address, scheme, background, second):
    asked = []
    page.on("request", lambda request: asked.append(request.url.split(":")[0]))
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    colour = "getComputedStyle(document.querySelector('details svg [style*=\"--series-2\"]')).stroke"
    assert page.evaluate(colour) == second
    text = page.locator("details svg text").first
    about = page.locator(".about").first
    ink = about.evaluate("words => getComputedStyle(words).color")
    assert text.evaluate("words => getComputedStyle(words).fill") == ink
    font = page.evaluate("getComputedStyle(document.body).fontFamily")
    assert text.evaluate("words => getComputedStyle(words).fontFamily") == font
    assert asked == ["file"]
    assert page.complaints == []


@pytest.mark.parametrize("width", [360, 480, 720, 1030, 1125, 1280])
def test_nothing_is_wider_than_the_window_with_every_section_open(page, address, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 400, 800, 1280])
def test_every_width_shows_promises_and_metrics_and_an_axis_of_the_same_length(page, address, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address)
    for row in page.locator(".ranking tbody tr").all():
        assert row.locator(".promised").is_visible()
        assert [cell.is_visible() for cell in row.locator(".metric").all()] == [True] * 3
    widths = "axes => axes.map(axis => axis.getBoundingClientRect().width)"
    lengths = page.locator(".whiskers").evaluate_all(widths)
    assert max(lengths) - min(lengths) < 0.1
    assert min(lengths) > 150


@pytest.mark.parametrize("width", [360, 1280])
def test_headings_and_numbers_do_not_break_inside_words(page, address, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    cells = page.locator("table:not(.matrix) thead th, .number, .facts th")
    assert cells.count() > 100
    wraps = cells.evaluate_all("all => all.map(cell => getComputedStyle(cell).overflowWrap)")
    assert set(wraps) == {"normal"}


def test_on_paper_every_section_is_open_and_pictures_are_there(page, address):
    page.emulate_media(media="print")
    page.goto(address)
    assert {plot.is_visible() for plot in page.locator("details svg").all()} == {True}
    for shown in (".thumbnail", ".whiskers span", ".bars"):
        adjust = page.locator(shown).first.evaluate("shown => getComputedStyle(shown).printColorAdjust")
        assert adjust == "exact"
