"""index.html of stages 3 and 4: the likeliest pictures of every bin, model and decision, each embedded
once, with links that lead there."""

import base64
import io
import json
import os
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from cache.models.decisions import DECISIONS
from cache.models.score_bins import bin_name, bin_number, bin_numbers
from cache.pages.contact_sheet import Group, Section, Tile, choose, write_sheet
from cache.pages.thumbnails import page_pictures
from cache.reader.image_source import images
from cache.results.likeliest import Cell, Likeliest
from cache.stores.kept_thumbnails import KeptThumbnails
from cache.text import plural
from stage3 import classify
from stage4 import classify_zip
from tests.drawing import encoded, png, tree, write, zipped
from tests.html_tree import Element, read_page
from tests.stages_3_and_4.scoring import ready, set_thresholds  # noqa: F401  a fixture

probabilities = st.sampled_from([0.0, 0.1, 0.3, 0.1 + 0.2, 0.7, 1.0]) | st.floats(0, 1)


@given(st.lists(probabilities, min_size=1), st.integers(1, 120))
def test_many_probabilities_fall_into_the_bins_of_each(drawn, bins):
    assert bin_numbers(np.array(drawn), bins).tolist() == [
        bin_number(probability, bins) for probability in drawn
    ]


@st.composite
def blocks(draw) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of pictures at growing positions, under 3 models."""
    drawn, position = [], 0
    for size in draw(st.lists(st.integers(1, 6), max_size=4)):
        scores = draw(st.lists(probabilities, min_size=3 * size, max_size=3 * size))
        codes = draw(st.lists(st.integers(0, len(DECISIONS) - 1), min_size=3 * size, max_size=3 * size))
        positions = np.arange(position, position + size)
        codes_by_picture = np.reshape(codes, (size, 3)).astype(np.uint8)
        drawn.append((positions, np.reshape(scores, (size, 3)), codes_by_picture))
        position += size + 1
    return drawn


@given(blocks(), st.integers(1, 4))
def test_cells_count_all_and_keep_the_likeliest_as_a_sorted_list_would(drawn, bins):
    likeliest, expected = Likeliest(bins, 3, most=2), {}
    for positions, scores, codes in drawn:
        likeliest.add(positions, scores, codes)
        for position, *row in zip(positions.tolist(), scores.tolist(), codes.tolist(), strict=True):
            for column, (score, code) in enumerate(zip(*row, strict=True)):
                expected.setdefault((-bin_number(score, bins), column, -code), []).append((-score, position))
    assert likeliest.cells() == [
        Cell(
            -place,
            column,
            DECISIONS[-code],
            len(members),
            {position: -score for score, position in sorted(members)[:2]},
        )
        for (place, column, code), members in sorted(expected.items())
    ]


def test_thumbnails_go_to_the_first_sections_and_there_to_every_group_in_turn():
    sections = [[["a", "b", "c"], ["d"], ["a", "e", "f"]], [["g", "h"], []]]
    assert [list(choose(sections, most)) for most in (0, 3, 6, 9)] == [
        [],
        ["a", "d", "b"],
        ["a", "d", "b", "e", "c", "f"],
        ["a", "d", "b", "e", "c", "f", "g", "h"],
    ]


def test_groups_of_which_no_picture_is_shown_are_named_behind_the_others(here):
    groups = [
        Group({"tag": tag, "model": "svm"}, count, tiles, link)
        for tag, count, tiles, link in (
            ("<b>", 12_345, [], "svm/%3Cb%3E/1.0/"),
            ("cats", 1, [Tile("key", "a.png", "0.99")], None),
            ("dogs", 2, [], None),
        )
    ]
    thumbnails = {"key": "data:image/jpeg;base64,AAAA"}
    write_sheet(
        "page.html", "Title", ["Summary"], [Section("0.9–1.0", groups)], thumbnails=thumbnails, unit="score"
    )
    section = read_page("page.html").one("section")
    assert (section.one("h2").text, section.one("article").one("h3").text) == (
        "0.9–1.0 12,348 scores",
        "cats",
    )
    assert section.one("article").one("span", "thumbnail").attributes["class"] == "thumbnail picture-0"
    assert [
        (item.text, [link.attributes["href"] for link in item.all("a")], item.attributes["data-count"])
        for item in section.one("ul", "unseen").all("li")
    ] == [("<b> svm · 12,345", ["svm/%3Cb%3E/1.0/"], "12345"), ("dogs svm · 2", [], "2")]


def groups_of(section: Element) -> list[tuple]:
    """(tag, model type, decision, count, link to the others, tiles) as the page shows them; a tile is
    (name, note, link)."""
    groups = []
    for group in section.all("article"):
        facts = {
            name.removeprefix("data-"): value
            for name, value in group.attributes.items()
            if name.startswith("data-")
        }
        assert group.one("h3").text.removesuffix(f" {facts['decision']}") == " ".join(facts["tag"].split())
        more = [link.attributes["href"] for link in group.one("p").all("a")]
        tiles = [
            (
                tile.one("span", "name").text,
                tile.one("span", "note").text,
                next((a.attributes["href"] for a in tile.all("a")), None),
            )
            for tile in group.one("ul").all("li")
        ]
        groups.append((facts["tag"], facts["model"], facts["decision"], int(facts["count"]), more, tiles))
    return groups


def expected_groups(number: int, outputs: dict[str, list[dict]], placed: bool = True) -> list[tuple]:
    """Of one bin of ten, from output.json: {file name: classifiers_output}."""
    members: dict[tuple, list[tuple[float, str]]] = {}
    for name, scored in outputs.items():
        for output in scored:
            if bin_number(output["tag_prob"], 10) == number:
                decision = output.get("decision", "none")
                rank = -["none", "no", "unsure", "yes"].index(decision)
                key = (output["tag_name"], output["model_type"], rank, decision)
                members.setdefault(key, []).append((-output["tag_prob"], name))

    def tile(negative_score: float, name: str, decision: str) -> tuple:
        note = f"{-negative_score:.3f}" + ("" if decision == "none" else f" {decision}")
        return name, note, f"pictures/{name}" if placed else None

    groups = []
    for (tag, model_type, _, decision), pictures in sorted(members.items()):
        tiles = [tile(*picture, decision) for picture in sorted(pictures)]
        groups.append((tag, model_type, decision, len(pictures), [], tiles))
    return groups


def headings(numbers: list[int]) -> list[str]:
    """Of the bins that hold something, and the runs of those between them that hold nothing."""
    lines, place = [], 10
    for number in [*sorted(numbers, reverse=True), 0]:
        if place > number:
            lines.append(f"{bin_name(number, 10)}–{bin_name(place, 10)} nothing")
        if number:
            lines.append(f"{bin_name(number - 1, 10)}–{bin_name(number, 10)}")
        place = number - 1
    return lines


@pytest.mark.parametrize("place", ["bins", "none"])
def test_the_page_shows_every_bin_with_its_pictures_and_decisions(here, ready, place):  # noqa: F811
    set_thresholds({"yes_from": 0.5, "no_below": 0.4}, "ovr-svm")
    write(
        here,
        {
            **{f"new/{number}.png": png(number, "cats" if number % 2 else "dogs") for number in range(9)},
            "new/no.txt": b"no",
        },
    )
    assert ready(classify, "new", "--place", place) == 0
    page = read_page("scored/index.html")
    assert page.one("title").text == "Scores of new · image-tagging-tools"
    elements = [child for child in page.one("main").children if isinstance(child, Element)]
    assert [element.text for element in elements if element.tag == "p"][:2] == [
        "9 pictures scored under 4 models, 1 skipped (1 not_an_image)",
        "The likeliest pictures of every bin, at most 12 of each model, and 300 different ones in all.",
    ]
    records = json.loads(Path("scored/output.json").read_bytes()).values()
    outputs = {os.path.basename(record["file_path"]): record["classifiers_output"] for record in records}
    numbers = {bin_number(output["tag_prob"], 10) for scored in outputs.values() for output in scored}
    shown = [element for element in elements if element.tag == "section" or "nothing" in element.text]
    assert [
        element.text if element.tag == "p" else element.one("h2").text.split()[0]
        for element in shown
        if element.attributes.get("class") != "bar"
    ] == headings(list(numbers))
    for number, section in zip(sorted(numbers, reverse=True), page.all("section"), strict=True):
        expected = expected_groups(number, outputs, place == "bins")
        assert groups_of(section) == expected
        assert section.one("h2").one("small").text == plural(sum(group[3] for group in expected), "score")
    decisions = sorted({output.get("decision", "none") for scored in outputs.values() for output in scored})
    filters = {
        filter.attributes["name"]: [option.attributes["value"] for option in filter.all("option")]
        for filter in page.all("select")
    }
    assert filters == {
        "tag": ["", "cats", "dogs"],
        "model": ["", "ovr-logistic-regression", "ovr-svm"],
        "decision": ["", *decisions],
    }
    check_links(page, Path("scored"))


def check_links(page: Element, folder: Path) -> None:
    """They lead to files and folders of the result, or to sections; nothing is loaded from anywhere."""
    sections = {f"#{section.attributes['id']}" for section in page.all("section")}
    for link in page.all("a"):
        url = unquote(link.attributes["href"])
        target = (folder / url).resolve()
        in_the_result = target.is_relative_to(folder.resolve()) and target.exists()
        assert url == "#content" or url in sections or in_the_result
    loading = [
        element for tag in ("img", "link", "iframe", "object", "embed", "base") for element in page.all(tag)
    ]
    assert (loading, [script.attributes for script in page.all("script")]) == ([], [{}])
    assert "http" not in Path(folder, "index.html").read_text()


def test_each_picture_is_embedded_once_and_more_than_are_shown_are_linked_to(here, ready):  # noqa: F811
    write(here, {f"new/{number:02}.png": png(number) for number in range(30)})
    ready(classify, "new", "--output_bins", "1")
    text = Path("scored/index.html").read_text()
    embedded = [
        base64.b64decode(part.split(")")[0]) for part in text.split("url(data:image/jpeg;base64,")[1:]
    ]
    page = read_page("scored/index.html")
    groups = groups_of(page.one("section"))
    assert [(tag, model, count, more, len(tiles)) for tag, model, _, count, more, tiles in groups] == [
        (tag, model, 30, [f"{model}/{tag}/1.0/"], 12)
        for tag in ("cats", "dogs")
        for model in ("ovr-logistic-regression", "ovr-svm")
    ]
    shown = {tile[0] for group in groups for tile in group[5]}
    assert len(embedded) == len(shown) < 30
    assert {Image.open(io.BytesIO(data)).size for data in embedded} == {(112, 93)}  # all of 48 x 40 pixels
    classes = {
        (tile.one("span", "name").text, tile.one("span", "thumbnail").attributes["class"])
        for tile in page.all("li")
    }
    assert (len(classes), {name for name, _ in classes}) == (len(shown), shown)
    check_links(page, Path("scored"))


def test_high_bins_of_a_tag_that_is_much_worse_among_strangers_say_so(here, ready):  # noqa: F811
    path = Path("output/models/model-ovr-svm-tag-cats.json")
    worlds = {"cross_validation": {"average_precision": {"value": 0.9}},
              "among_strangers": {"average_precision": {"value": 0.7}}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **worlds}))
    write(here, {"new/cat.png": png(0), "new/dog.png": png(100, "dogs")})
    assert ready(classify, "new", "--place", "none", "--output_bins", "2") == 0
    page = read_page("scored/index.html")
    assert [line.text for line in page.all("p", "note")][-1] == (
        "high bins hold strangers, too, pictures of kinds that were not taught: cats (ovr-svm)")
    high, low = page.all("section")
    assert {group.one("p").text for group in high.all("article")} == {
        "ovr-svm · 1 · may hold strangers", "ovr-svm · 1", "ovr-logistic-regression · 1"}
    assert "strangers" not in low.text


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("size", "orientation", "expected"),
    [
        ((60, 20), 1, (112, 37)),
        ((60, 20), 6, (37, 112)),
        ((20, 60), 3, (37, 112)),
        ((50, 50), 8, (112, 112)),
        ((3000, 1), 1, (112, 1)),
    ],
)
def test_thumbnails_show_the_whole_picture_upright_and_nothing_around_it(
    here, file_format, size, orientation, expected
):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    write(here, {"a": encoded(Image.new("RGB", size, "red"), file_format, exif=exif)})
    [item] = images("a")
    [shown] = page_pictures({item.hash_id: [str(here / "a")]}, KeptThumbnails()).values()
    picture = Image.open(io.BytesIO(base64.b64decode(shown.uri.split(",")[1])))
    assert picture.size == expected
    assert np.asarray(picture, int) == pytest.approx(np.full((*expected[::-1], 3), (255, 0, 0)), abs=6)


def test_the_page_is_the_same_to_the_byte_whether_pictures_are_new_or_known(here, ready):  # noqa: F811
    write(here, {f"new/{number}.png": png(number + 500) for number in range(6)})
    results = [ready(classify, "new") or tree(here / "scored") for _ in range(2)]
    assert results[0] == results[1]
    assert str(here).encode() not in results[0]["index.html"]  # it can be sent to somebody


def test_names_are_shown_as_they_are_and_do_nothing(here, ready):  # noqa: F811
    names = [
        "<script>alert(1)</script>.png",
        "'\"><img src=x onerror=alert(1)>.png",
        "50% off?#a&amp;.png",
        "صورة.png",
        "🐈‍⬛.png",
        "x" * 190 + ".png",
        "javascript:alert(1).png",
        "{{ 7*7 }}.png",
        "\u202egnp.exe.png",
        "line\nbreak.png",
    ]
    write(
        here,
        {f"new/{name}".replace("</script>", "<script>"): png(number) for number, name in enumerate(names)},
    )
    assert ready(classify, "new") == 0
    page = read_page("scored/index.html")
    shown = {tile.one("span", "name").text for tile in page.all("li")}
    assert shown == {
        name.replace("</script>", "<script>").replace("\u202e", "\\u202e").replace("\n", "\\n")
        for name in names
    }
    assert "\u202e" not in Path("scored/index.html").read_text()
    check_links(page, Path("scored"))


@pytest.mark.parametrize(("flags", "is_missing"), [(["--no-thumbnails"], True), ([], False)])
def test_pictures_in_zips_are_shown_and_those_that_are_gone_if_they_are_kept(
    here, ready, monkeypatch, flags, is_missing  # noqa: F811
):
    from cache.results import scoring

    write_page = scoring.write_result_page

    def goes_first(*arguments, **options):
        os.unlink("zips/gone.zip")
        write_page(*arguments, **options)

    monkeypatch.setattr(scoring, "write_result_page", goes_first)
    write(
        here,
        {
            "zips/a.zip": zipped({"in.zip": zipped({"deep.png": png(0)})}),
            "zips/gone.zip": zipped({"gone.png": png(1)}),
        },
    )
    assert ready(classify_zip, "zips", "--place", "none", *flags) == 0
    page = read_page("scored/index.html")
    assert {
        (tile.one("span", "name").text, "missing" in tile.one("span", "thumbnail").attributes["class"])
        for tile in page.all("li")
    } == {("deep.png", False), ("gone.png", is_missing)}


def test_of_very_many_bins_the_page_shows_hundredths(here, ready):  # noqa: F811
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new", "--output_bins", "1000000") == 0
    page = read_page("scored/index.html")
    for section in page.all("section"):
        low, high = map(float, section.one("h2").text.split()[0].split("–"))
        assert high - low == pytest.approx(0.01)
    check_links(page, Path("scored"))
