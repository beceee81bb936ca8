"""The page of a comparison: the thumbnails it shows and where they lead."""
import os
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from cache.reader.source_file import SourceFile
from cache.reader.stored_file import stored_file
from stage3 import classify
from stage4 import classify_zip
from tests.cache.compare.results import CATS, compare, record, result
from tests.drawing import png, write, zipped
from tests.html_tree import Element, read_page
from tests.stages_3_and_4.scoring import ready, set_thresholds  # noqa: F401  a fixture

PAGE = "output/comparison.html"
NO_THEN_YES = {"before": {"yes_from": None, "no_below": 1}, "after": {"yes_from": 0, "no_below": None}}


def links(part: Element) -> list[str]:
    return [link.attributes["href"] for tile in part.all("li") for link in tile.all("a")]


def thumbnail_count() -> int:
    return Path(PAGE).read_text().count("data:image/jpeg")


def test_the_page_shows_the_changed_pictures_and_leads_to_their_copies(here, ready, capsys):  # noqa: F811
    pictures = {f"{folder}/same name.png": png(number) for number, folder in enumerate("abc")}
    write(here / "new", pictures)
    write(here, {"<i>.zip": zipped({"<b>.png": png(50)})})
    for output, limits in NO_THEN_YES.items():
        set_thresholds(limits)
        assert ready(classify, "new", output=output) == 0
    shutil.rmtree("new")
    assert compare(capsys, "before", "after")[:2] == (0, """
tag   model type               no → yes
cats  ovr-logistic-regression         3
cats  ovr-svm                         3
dogs  ovr-logistic-regression         3
dogs  ovr-svm                         3

wrote ./output/comparison.html
3 pictures changed, 0 only in the first, 0 only in the second
""")
    page = read_page(PAGE)
    [section] = page.all("section")
    for group in section.all("article"):
        copies = [Path("output", unquote(link)) for link in links(group)]
        assert sorted(copy.read_bytes() for copy in copies) == sorted(pictures.values())
        assert {str(copy.parent) for copy in copies} == {"output/../after/pictures"}
    assert thumbnail_count() == 3
    shutil.rmtree("after/pictures")
    shutil.rmtree("before/pictures")
    back, another = {"new/a/same name.png": png(0)}, {"new/b/same name.png": png(99)}
    write(here, {**back, **another})
    assert compare(capsys, "before", "after")[0] == 0
    assert thumbnail_count() == 3, "those that are kept"
    assert set(links(read_page(PAGE))) == {"../new/a/same%20name.png"}
    os.remove("output/thumbnail_cache.sqlite")
    assert compare(capsys, "before", "after")[0] == 0
    assert thumbnail_count() == 1
    assert set(links(read_page(PAGE))) == {"../new/a/same%20name.png"}


@pytest.mark.parametrize(("flags", "link"), [
    ([], "../after/pictures/{}.png"), (["--place", "none"], "../new/{}.png")])
def test_no_picture_is_opened_that_is_kept(  # noqa: PLR0917
    here, ready, capsys, monkeypatch, flags, link,  # noqa: F811
):
    write(here / "new", {f"{number}.png": png(number + 600) for number in range(3)})
    for output, limits in NO_THEN_YES.items():
        set_thresholds(limits)
        assert ready(classify, "new", *flags, output=output) == 0
    monkeypatch.setattr("cache.pages.thumbnails.stored_file", None)
    assert compare(capsys, "before", "after")[0] == 0
    assert thumbnail_count() == 3
    assert set(links(read_page(PAGE))) == {link.format(number) for number in range(3)}


@pytest.mark.parametrize("kept", [True, False])
def test_a_picture_in_a_doubtful_place_is_opened_once(  # noqa: PLR0917
    here, ready, capsys, monkeypatch, kept,  # noqa: F811
):
    write(here / "new", {"0.png": png(600)})
    for output, limits in NO_THEN_YES.items():
        set_thresholds(limits)
        assert ready(classify, "new", "--place", "none", output=output) == 0
    os.remove("output/file_cache.sqlite")
    if not kept:
        os.remove("output/thumbnail_cache.sqlite")
    opened = []

    def noted(path: str) -> SourceFile:
        file = stored_file(path)
        opened.append(file.file_name)
        return file

    monkeypatch.setattr("cache.pages.thumbnails.stored_file", noted)
    assert compare(capsys, "before", "after")[0] == 0
    assert opened == ["0.png"]
    assert thumbnail_count() == 1
    assert set(links(read_page(PAGE))) == {"../new/0.png"}


def test_pictures_in_zips_have_a_thumbnail_and_names_do_nothing(here, ready, capsys):  # noqa: F811
    write(here, {"<i>.zip": zipped({"<b>.png": png(0)})})
    for output, limits in NO_THEN_YES.items():
        set_thresholds(limits)
        assert ready(classify_zip, "<i>.zip", "--place", "none", output=output) == 0
    assert compare(capsys, "before", "after")[0] == 0
    page = read_page(PAGE)
    assert {tile.one("span", "name").text for tile in page.all("li")} == {"<b>.png"}
    assert [list(page.all(tag)) for tag in ("b", "i")] == [[], []]
    assert [list(tile.all("a")) for tile in page.all("li")] == [[]] * 4
    assert thumbnail_count() == 1


def test_of_many_changes_those_that_are_largest_are_shown(here, capsys):
    before, after = {}, {}
    for number in range(500):
        before[str(number)] = record(f"{number}.png", (CATS, 0.4, "no"))
        after[str(number)] = record(f"{number}.png", (CATS, 0.5 + number / 1000, "yes"))
    assert compare(capsys, result("first", before), result("second", after))[0] == 0
    page = read_page(PAGE)
    assert page.one("h2").text == "no → yes 500 changes"
    names = [tile.one("span", "name").text for tile in page.all("li")]
    assert names == [f"{number}.png" for number in range(499, 199, -1)]
    assert page.one("article").one("p").text == "ovr-svm · 300 and 200 more"
