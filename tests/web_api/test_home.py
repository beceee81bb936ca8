"""The page a person begins at: tags with pictures, the newest scores, and what to run where there is none."""
import os

import pytest

from cache import FileCache, TagCache
from cache.stores.score_table import Stage3Table, Stage4Table
from tests.cache.test_caches import FILES, TAGS, hash_of
from tests.conftest import ROOT
from tests.drawing import png, tag_folders, write
from tests.html_tree import Element, parse_page
from web_api.cache_web_api import create_app

HOSTILE = "<script>alert('x')</script>&\u202e"


def home(*companions) -> Element:
    response = create_app(companions=companions).test_client().get("/")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    return parse_page(response.get_data(as_text=True)).one("main")


def headings(page: Element) -> list[str]:
    return [heading.text for heading in page.all("h2")]


def strips(section: Element) -> dict[str, list[str]]:
    """{heading: the names and notes of its pictures}"""
    return {
        strip.one("h3").text: [
            " ".join([tile.one("img").attributes["alt"], *[note.text for note in tile.all("span", "note")]])
            for tile in strip.all("li")]
        for strip in section.all("article")}


def score(table, rows: list[tuple[str, str, str, float, str | None]]) -> None:
    """rows: file name, model, tag, probability, decision."""
    columns = "file_name, file_path, type, hash_id, model_type, tag_name, tag_prob, decision, absolute_path"
    statement = f"INSERT INTO {table.name}({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    with table.connection:
        table.connection.executemany(statement, [
            (name, f"new/{name}", "png", f"hash of {name}", *facts, f"/new/{name}") for name, *facts in rows])


def test_without_anything_two_lines_say_what_to_run(here):
    page = home()
    assert headings(page) == ["To begin", "Databases"]
    begin, databases = page.all("section")
    assert [line.text for line in begin.all("p")] == [
        "itt embed photos reads pictures in folders named after your tags; "
        "from a clone python ./stage1/ImageDatasetProcessor.py photos.",
        "itt train, then itt classify new-pictures; "
        "from a clone python ./stage2/train.py and python ./stage3/classify.py new-pictures."]
    assert databases.one("p").text == f"None lies under {here}."


def test_the_scripts_that_it_names_are_there(here):
    scripts = [word for line in home().all("p") for word in line.text.split() if word.startswith("./")]
    assert [name for name in scripts if not (ROOT / name).is_file()] == []
    assert len(scripts) == 3


def test_tags_come_first_with_their_pictures_the_largest_first(photos, here):
    write(here / "photos", {"birds/1.png": png(0), "cats/copy of 0.png": png(0)})
    TagCache.add_folder_to_tag_cache("photos")
    page = home()
    assert headings(page) == ["Tags all 3 tags", "To score new pictures", "Databases"]
    section = next(page.all("section"))
    names = ["00.png", "01.png", "02.png", "03.png", "04.png"]
    assert strips(section) == {"cats 7 files": names, "dogs 6 files": names, "birds 1 file": ["1.png"]}
    links = [link.attributes["href"] for link in section.all("a")]
    assert links[:3] == [
        "/tags?db_path=output/tag_cache.sqlite", "/tag?db_path=output/tag_cache.sqlite&tag=cats",
        f"/picture/{hash_of(0)}?db_path=output/tag_cache.sqlite"]


def test_of_many_tags_the_twelve_largest_are_shown(here):
    files = {f"tag {number:02}/a.png": png(0) for number in range(15)}
    write(here / "photos", {**files, "tag 07/b.png": png(1)})
    TagCache.add_folder_to_tag_cache("photos")
    page = home()
    section = next(page.all("section"))
    first_by_name = [f"tag {number:02} 1 file" for number in range(12) if number != 7]
    assert section.one("h2").text == "Tags all 15 tags"
    assert list(strips(section)) == ["tag 07 2 files", *first_by_name]


def test_copies_of_a_picture_take_one_tile(here):
    write(here / "photos", {f"cats/{number}.png": png(max(0, number - 3)) for number in range(7)})
    TagCache.add_folder_to_tag_cache("photos")
    assert strips(home()) == {"cats 7 files": ["0.png", "4.png", "5.png", "6.png"]}


def test_the_newest_scores_stand_by_tag_the_likeliest_picture_first_under_whichever_model(here):
    with Stage3Table("output/stage3.db", create=True) as table:
        score(table, [("old.png", "ovr-svm", "cats", 0.9, "yes")])
    with Stage4Table("output/stage4.db", create=True) as table:
        score(table, [
            ("a.png", "ovr-svm", "cats", 0.5, None), ("a.png", "ovr-linear", "cats", 0.75, "yes"),
            ("b.png", "ovr-svm", "cats", 0.625, "unsure"), ("b.png", "ovr-svm", "dogs", 0.875, "yes")])
    os.utime("output/stage3.db", (1, 1))
    page = home()
    assert headings(page) == ["Newest scores all of output/stage4.db", "To begin", "Databases"]
    section = next(page.all("section"))
    assert strips(section) == {
        "dogs ovr-svm": ["b.png 0.875 yes"],
        "cats ovr-linear · ovr-svm": ["a.png 0.750 yes", "b.png 0.625 unsure"],
    }
    assert [link.attributes["href"] for link in section.all("a")][1:3] == [
        "/bins?db_path=output/stage4.db&tag=dogs&model_type=ovr-svm",
        "/bins?db_path=output/stage4.db&tag=dogs&model_type=ovr-svm"]
    os.utime("output/stage4.db", (0, 0))
    assert headings(home())[0] == "Newest scores all of output/stage3.db"


def test_pictures_without_tags_are_shown_as_they_are(photos):
    FileCache.add_folder_to_file_cache("photos")
    page = home()
    assert headings(page) == ["Without tags all pictures", "To begin", "Databases"]
    assert len(list(next(page.all("section")).all("img"))) == 12


def test_databases_stand_below_with_what_they_hold(photos):
    FileCache.add_folder_to_file_cache("photos")
    TagCache.add_folder_to_tag_cache("photos")
    rows = [[cell.text for cell in row.all("td")] for row in home().one("tbody").all("tr")]
    assert rows == [
        [FILES.removeprefix("./"), "file_cache", "12 pictures, 0 archives"],
        [TAGS.removeprefix("./"), "tag_cache", "2 tags"],
        ["output/thumbnail_cache.sqlite", "thumbnail_cache", "12 rows"]]


@pytest.mark.parametrize("name", [HOSTILE, "x" * 200, "caf\u00e9 \u05d0\u05d1 100%"])
def test_hostile_names_are_text(here, name):
    write(here / "photos", tag_folders(1))
    os.rename("photos/cats", f"photos/{name.replace('/', '-')}")
    TagCache.add_folder_to_tag_cache("photos")
    assert f"{name.replace('/', '-')} 1 file" in strips(home())


@pytest.mark.parametrize("value", ["x'ff00'", "CAST(x'ff00' AS TEXT)", "'likely'"])
def test_a_score_that_is_no_number_takes_nothing_else_from_the_page(photos, value):
    TagCache.add_folder_to_tag_cache("photos")
    with Stage3Table("output/stage3.db", create=True) as table:
        score(table, [("a.png", "ovr-svm", "cats", 0.5, None)])
        with table.connection:
            table.connection.execute(f"UPDATE stage3 SET tag_prob = {value}")
    assert headings(home()) == ["Tags all 2 tags", "To score new pictures", "Databases"]
