"""Pictures that cannot be shown: a real browser draws the reason where the picture would be."""
import os
import re

import pytest

from cache import FileCache
from tests.cache.test_caches import FILES
from tests.conftest import serving
from tests.drawing import png, write

GONE, OUTSIDE, DAMAGED, TEXT, WHOLE = "gone.png", "outside.png", "damaged.png", "text.png", "whole.png"
REASONS = {
    GONE: "moved or deleted",
    OUTSIDE: "outside the allowed folders",
    DAMAGED: "damaged",
    TEXT: "no picture any more",
}


@pytest.fixture
def address(here, tmp_path_factory):
    """A server over five pictures of which four cannot be shown any more, each for a reason of its own."""
    names = (GONE, OUTSIDE, DAMAGED, TEXT, WHOLE)
    write(here / "photos", {name: png(number) for number, name in enumerate(names)})
    FileCache.add_folder_to_file_cache("photos", thumbnails=False)
    elsewhere = write(tmp_path_factory.mktemp("elsewhere"), {OUTSIDE: png(1)})
    os.remove(here / "photos" / GONE)
    os.remove(here / "photos" / OUTSIDE)
    os.symlink(elsewhere / OUTSIDE, here / "photos" / OUTSIDE)
    whole = (here / "photos" / DAMAGED).read_bytes()
    (here / "photos" / DAMAGED).write_bytes(whole[:len(whole) // 2])
    (here / "photos" / TEXT).write_text("a note")
    with serving() as address:
        yield address


@pytest.fixture
def answers(page):
    """{address: response} of all pictures that the page asks for."""
    answers = {}
    page.on("response", lambda response: answers.update({response.url: response}))
    return answers


def words_of(answer) -> str:
    """What an SVG says; "" of another picture."""
    if answer.headers["content-type"] != "image/svg+xml; charset=utf-8":
        return ""
    return " ".join(re.findall(">([^<>]+)</text>", answer.text()))


def pictures_of(page) -> dict[str, tuple[str, int]]:
    """{alt: (address, width as drawn by the browser)} of all pictures of the page, when all are there."""
    pictures = {}
    for picture in page.locator("main img").all():
        picture.scroll_into_view_if_needed()
        picture.evaluate("image => image.decode()")
        name, *facts = picture.evaluate("image => [image.alt, image.src, image.naturalWidth]")
        pictures[name] = tuple(facts)
    return pictures


@pytest.mark.parametrize(("path", "drawn"), [("/", 64), (f"/files?db_path={FILES}", 160)])
def test_each_tile_says_why_its_picture_is_not_there(page, answers, address, path, drawn):
    page.goto(f"{address}{path}")
    pictures = pictures_of(page)
    words = {name: words_of(answers[source]) for name, (source, _) in pictures.items()}
    assert words == {**REASONS, WHOLE: ""}
    assert {name: pictures[name][1] for name in REASONS} == dict.fromkeys(REASONS, drawn)
    assert pictures[WHOLE][1] == 48


@pytest.mark.parametrize("name", list(REASONS))
def test_the_page_of_a_picture_says_it_in_its_place(page, address, name):
    page.goto(f"{address}/files?db_path={FILES}")
    page.get_by_role("link", name=name).click()
    page.wait_for_url("**/picture/**")
    assert page.locator(".picture .missing").text_content() == REASONS[name]
    assert page.locator(".picture img").count() == 0


# The colour of the strongest point of a drawing: letters are grey at their edges.
LETTERS = """image => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 160 });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, 160, 160);
  let strongest = 0;
  for (let place = 0; place < data.length; place += 4) {
    if (data[place + 3] > data[strongest + 3]) strongest = place;
  }
  return [...data.slice(strongest, strongest + 3)];
}"""


@pytest.mark.parametrize(("scheme", "colour"), [("light", [92, 99, 112]), ("dark", [154, 163, 178])])
def test_the_letters_of_a_tile_follow_light_and_dark(page, address, scheme, colour):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/files?db_path={FILES}")
    tile = page.get_by_role("img", name=GONE)
    tile.evaluate("image => image.decode()")
    assert tile.evaluate(LETTERS) == colour
