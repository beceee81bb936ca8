"""The pages in a real browser, driven by Playwright."""
import playwright.sync_api as playwright
import pytest

from cache import FileCache, TagCache
from cache.stores.score_table import Stage3Table
from tests.cache.test_caches import FILES, hash_of
from tests.conftest import serving
from tests.drawing import drawn, encoded, write


@pytest.fixture
def address(photos):
    """`python -m web_api` on a free port, over the file and tag cache of the photos."""
    FileCache.add_folder_to_file_cache(photos)
    TagCache.add_folder_to_tag_cache(photos)
    with serving() as address:
        yield address


def test_a_person_finds_the_way_from_the_caches_to_a_picture_with_the_keyboard_alone(page, address):
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_role("link", name="file_cache.sqlite").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/files?**")
    pictures = page.locator("ul.grid img")
    assert pictures.count() == 12
    pictures.first.scroll_into_view_if_needed()
    expect = playwright.expect
    for number in range(6):
        expect(pictures.nth(number)).to_have_js_property("naturalWidth", 48)
    page.locator("ul.grid a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/picture/{hash_of(0)}?**")
    expect(page.locator(".picture img")).to_have_js_property("naturalWidth", 48)
    page.get_by_role("link", name="cats", exact=True).click()
    page.wait_for_url("**/tag?**")
    assert page.locator("ul.grid img").count() == 6
    assert page.complaints == []


def test_the_browser_cuts_the_square_of_a_tile_out_of_the_whole_picture(page, here):
    sizes = {"wide": (600, 200), "tall": (200, 600)}
    write(here, {f"x/{name}.png": encoded(drawn(1, size=size)) for name, size in sizes.items()})
    FileCache.add_folder_to_file_cache("x")
    with serving() as address:
        page.goto(f"{address}/files?db_path={FILES}")
        for name, size in (("wide.png", [256, 85]), ("tall.png", [85, 256])):
            tile = page.get_by_role("img", name=name)
            tile.evaluate("image => image.decode()")
            assert tile.evaluate("image => [image.naturalWidth, image.naturalHeight]") == size
            box = tile.bounding_box()
            assert box["width"] == pytest.approx(box["height"], abs=1)
            assert tile.evaluate("image => getComputedStyle(image).objectFit") == "cover"


@pytest.mark.parametrize(("scheme", "background"), [
    ("light", "rgb(255, 255, 255)"),
    ("dark", "rgb(21, 23, 26)"),
])
def test_pages_follow_light_and_dark_and_fit_a_phone(page, address, scheme, background):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(f"{address}/files?db_path={FILES}")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_long_tag_fits_a_phone_and_headings_and_numbers_stay_whole(page, address):
    tag = "a" * 150
    with Stage3Table("output/stage3.db", create=True) as table, table.connection:
        score = ("a.png", "a.png", "png", hash_of(0), "ovr-logistic-regression", tag, 0.9, "yes", "/a.png")
        statement = f"INSERT INTO stage3({', '.join(Stage3Table.columns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        table.connection.execute(statement, score)
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(f"{address}/picture/{hash_of(0)}?db_path={FILES}")
    headings = page.locator("thead th")
    assert headings.all_text_contents()[:3] == ["Tag", "Model", "Probability"]
    for cell in (*headings.all(), page.locator("td.number")):
        assert cell.evaluate("cell => getComputedStyle(cell).overflowWrap") == "normal"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(f"{address}/bins?db_path=output/stage3.db&tag={tag}&model_type=ovr-logistic-regression")
    assert page.locator("select").first.bounding_box()["width"] <= 320
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_who_has_the_token_logs_in_with_a_browser(page, photos):
    TagCache.add_folder_to_tag_cache(photos)
    with serving("--token", "s3cret") as address:
        page.goto(address)
        page.get_by_role("link", name="Log in").click()
        page.get_by_label("Token").fill("s3cret")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/")
        assert page.locator("h1").text_content() == "Your pictures"
        playwright.expect(page.locator("img").first).to_have_js_property("naturalWidth", 48)
