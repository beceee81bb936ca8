"""Two results compared: the table on stdout, the rows as CSV, the page of thumbnails; and what is no result."""
import csv
import json
import os
import shutil
import sqlite3
from pathlib import Path

import orjson
import pytest

from cache.__main__ import main
from cache.compare import command as comparison
from cache.compare.changed_decisions import ChangedDecisions
from cache.files.json_file import write_json_object
from cache.pages.contact_sheet import write_sheet
from cache.refusal import Refused
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import hash_of
from tests.drawing import png, tree, write, zipped
from tests.html_tree import read_page
from tests.stages_3_and_4.test_stages_3_and_4 import ready, set_thresholds  # noqa: F401  a fixture

CATS, DOGS = ("ovr-svm", "cats"), ("ovr-svm", "dogs")


def record(path: str, *scores: tuple) -> dict:
    """scores: ((model type, tag), probability, decision or nothing)."""
    outputs = [{"model_type": model[0], "tag_name": model[1], "tag_prob": probability, **({"decision": decision[0]} if decision else {})}
               for model, probability, *decision in scores]
    return {"hash_id": "ignored", "file_path": path, "classifiers_output": outputs}


def result(folder: str, records: dict[str, dict], one_line: bool = False) -> str:
    os.makedirs(folder, exist_ok=True)
    write_json_object(f"{folder}/output.json", records.items())
    if one_line:  # another program may have written it anew
        Path(folder, "output.json").write_bytes(orjson.dumps(records))
    return folder


def compare(capsys, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["compare", *arguments])
    return (code, *capsys.readouterr())


@pytest.mark.parametrize("one_line", [False, True])
def test_changes_are_counted_by_tag_model_and_kind(here, capsys, one_line):
    first = result("first", {
        "1": record("a.png", (CATS, 0.1, "no"), (DOGS, 0.9, "yes")), "2": record("b.png", (CATS, 0.2, "no"), (DOGS, 0.5, "unsure")),
        "3": record("c.png", (CATS, 0.3, "no"), (DOGS, 0.1, "no")),
        "4": record("gone.png", (CATS, 0.3, "no"), (DOGS, 0.1, "no"))}, one_line)
    second = result("second", {
        "2": record("b, \"moved\".png", (DOGS, 0.2, "no"), (CATS, 0.95, "yes")),
        "1": record("a.png", (CATS, 0.8, "yes"), (DOGS, 0.9, "yes")),
        "3": record("c.png", (CATS, 0.3, "no"), (DOGS, 0.11, "no")), "5": record("new1.png", (CATS, 1, "yes"), (DOGS, 0, "no")),
        "6": record("new2.png", (CATS, 1, "yes"), (DOGS, 0, "no"))}, one_line)
    before = tree(here)
    assert compare(capsys, first, second, "--csv", "changes.csv") == (0, """
tag   model type  no → yes  unsure → no
cats  ovr-svm            2            0
dogs  ovr-svm            0            1

wrote ./output/comparison.html
wrote changes.csv
2 pictures changed, 1 only in the first, 2 only in the second
""", "")
    with open("changes.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["file_path", "hash_id", "model_type", "tag_name", "tag_prob_before", "tag_prob_after", "decision_before", "decision_after"],
            ["b, \"moved\".png", "2", "ovr-svm", "cats", "0.2", "0.95", "no", "yes"],
            ["b, \"moved\".png", "2", "ovr-svm", "dogs", "0.5", "0.2", "unsure", "no"],
            ["a.png", "1", "ovr-svm", "cats", "0.1", "0.8", "no", "yes"]]
    assert {name: data for name, data in tree(here).items() if name not in ("output/comparison.html", "changes.csv")} == before
    page = read_page("output/comparison.html")
    assert page.one("h1").text == "first and second compared"
    assert [(section.one("h2").text, [[tile.one("span", "note").text for tile in group.all("li")] for group in section.all("article")])
            for section in page.all("section")] == [
        ("no → yes 2 changes", [["0.200 → 0.950", "0.100 → 0.800"]]), ("unsure → no 1 change", [["0.500 → 0.200"]])]


def test_where_nothing_is_decided_half_a_probability_is_a_yes_and_that_is_said(here, capsys):
    first = result("first", {"1": record("a.png", (CATS, 0.5), (DOGS, 0.4)), "2": record("b.png", (CATS, 0.6), (DOGS, 0.4))})
    second = result("second", {"1": record("a.png", (CATS, 0.49, "unsure"), (DOGS, 0.5), (("svm", "<b>"), 0.5)), "2": record("b.png")})
    code, out, _ = compare(capsys, first, second, "--output", "page.html")
    assert (code, out) == (0, """first: all models only score; there 0.5 and above counts as yes
second: 2 of 3 models only score; there 0.5 and above counts as yes
only second has <b> (svm)

tag   model type  no → yes  yes → unsure
cats  ovr-svm            0             1
dogs  ovr-svm            1             0

wrote page.html
1 picture changed, 0 only in the first, 0 only in the second
""")


def test_as_a_command_of_its_own_it_does_the_same_and_its_help_says_how_it_was_called(capsys, two_results):
    assert comparison.main(two_results) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "wrote ./output/comparison.html", "0 pictures changed, 0 only in the first, 0 only in the second"]
    with pytest.raises(SystemExit):
        comparison.main(["--help"], prog="itt compare")
    help_text = capsys.readouterr().out
    assert help_text.startswith("usage: itt compare ")
    assert "example:\n  itt compare scored-before scored-after\n" in help_text


def test_results_that_agree_have_no_table(here, capsys):
    same = {"1": record("a.png", (CATS, 0.5, "yes"))}
    assert compare(capsys, result("first", same), result("second", same)) == (
        0, "wrote ./output/comparison.html\n0 pictures changed, 0 only in the first, 0 only in the second\n", "")
    assert list(read_page("output/comparison.html").all("section")) == []


def test_the_page_shows_the_changed_pictures_and_leads_to_their_copies(here, ready, capsys):  # noqa: F811
    pictures = {f"{folder}/same name.png": png(number) for number, folder in enumerate("abc")}
    write(here, {**{f"new/{name}": data for name, data in pictures.items()}, "<i>.zip": zipped({"<b>.png": png(50)})})
    for output, limits in (("before", {"yes_from": None, "no_below": 1}), ("after", {"yes_from": 0, "no_below": None})):
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
    page = read_page("output/comparison.html")
    [section] = page.all("section")
    for group in section.all("article"):
        links = [Path("output", tile.one("a").attributes["href"].replace("%20", " ")) for tile in group.all("li")]
        assert sorted(link.read_bytes() for link in links) == sorted(pictures.values())
        assert {str(link.parent) for link in links} == {"output/../after/pictures"}
    assert Path("output/comparison.html").read_text().count("data:image/jpeg") == 3
    shutil.rmtree("after/pictures")
    shutil.rmtree("before/pictures")
    write(here, {"new/a/same name.png": png(0), "new/b/same name.png": png(99)})  # one is back, and one is another picture
    assert compare(capsys, "before", "after")[0] == 0
    assert Path("output/comparison.html").read_text().count("data:image/jpeg") == 1
    assert {tile.one("a").attributes["href"] for tile in read_page("output/comparison.html").all("li") if list(tile.all("a"))} == {
        "../new/a/same%20name.png"}


def test_pictures_in_zips_have_a_thumbnail_and_names_do_nothing(here, ready, capsys):  # noqa: F811
    write(here, {"<i>.zip": zipped({"<b>.png": png(0)})})
    for output, limits in (("before", {"yes_from": None, "no_below": 1}), ("after", {"yes_from": 0, "no_below": None})):
        set_thresholds(limits)
        assert ready(classify_zip, "<i>.zip", "--place", "none", output=output) == 0
    assert compare(capsys, "before", "after")[0] == 0
    page = read_page("output/comparison.html")
    assert {tile.one("span", "name").text for tile in page.all("li")} == {"<b>.png"}
    assert [list(page.all(tag)) for tag in ("b", "i")] == [[], []]
    assert [list(tile.all("a")) for tile in page.all("li")] == [[]] * 4
    assert Path("output/comparison.html").read_text().count("data:image/jpeg") == 1


def test_of_many_changes_those_that_are_largest_are_shown(here, capsys):
    numbers = range(500)
    first = result("first", {str(number): record(f"{number}.png", (CATS, 0.4, "no")) for number in numbers})
    second = result("second", {str(number): record(f"{number}.png", (CATS, 0.5 + number / 1000, "yes")) for number in numbers})
    assert compare(capsys, first, second)[0] == 0
    page = read_page("output/comparison.html")
    assert page.one("h2").text == "no → yes 500 changes"
    assert [tile.one("span", "name").text for tile in page.all("li")] == [f"{number}.png" for number in reversed(numbers[200:])]
    assert page.one("article").one("p").text == "ovr-svm · 300 and 200 more"


@pytest.mark.parametrize(("content", "message"), [
    (None, "cannot read other/output.json: No such file or directory; stage 3 or 4 makes it"),
    (b"", "other/output.json is not valid JSON (unexpected end of data); if it was cut off, stage 3 or 4 makes it anew"),
    (b"[]", "other/output.json is not an output.json of stage 3 or 4: it should read {hash_id: record}"),
    (b'{\n"1": {"file_path": "a", "classifiers_output": []},\n', "other/output.json ends in the middle; run stage 3 or 4 again"),
    *((json.dumps({"1": each}).encode(), "other/output.json is not an output.json of stage 3 or 4: record 1 has no file_path and "
       "classifiers_output of such a run") for each in (
        1, [], {}, {"file_path": "a"}, {"file_path": 1, "classifiers_output": []}, {"file_path": "a", "classifiers_output": 5},
        {"file_path": "a", "classifiers_output": [[]]}, record("a", ((["x"], "cats"), 0.5)), record("a", ((None, "cats"), 0.5)),
        record("a", (CATS, "0.5")), record("a", (CATS, 1.5)), record("a", (CATS, True)), record("a", (CATS, 0.5, "perhaps")),
        record("a", (CATS, 0.5, ["yes"])))),
])
def test_what_is_no_result_is_refused_in_one_line(here, capsys, content, message):
    good = result("good", {"1": record("a.png", (CATS, 0.5))})
    if content is not None:
        write(here, {"other/output.json": content})
    for folders in ((good, "other"), ("other", good)):
        code, out, err = compare(capsys, *folders)
        assert (code, out, err.splitlines()) == (2, "", [f"error: {message}"] if "valid JSON" not in message else err.splitlines())
        assert err.startswith("error: ")
    assert not os.path.exists("output")


def test_a_page_inside_a_result_is_refused_because_the_result_could_then_no_longer_be_replaced(here, capsys):
    folders = [result(name, {"1": record("a.png", (CATS, 0.5))}) for name in ("first", "second")]
    for flags in (["--output", "first/page.html"], ["--csv", "second/changes.csv"]):
        code, _, err = compare(capsys, *folders, *flags)
        assert (code, err.endswith("; name another one\n")) == (2, True)
    assert sorted(tree(here)) == ["first/output.json", "second/output.json"]


@pytest.fixture
def two_results(here) -> list[str]:
    return [result(name, {"1": record("a.png", (CATS, 0.5))}) for name in ("first", "second")]


@pytest.mark.parametrize(("flags", "message"), [
    (["--output", "report.html"], "report.html exists and is not a page of an earlier comparison; name another file"),
    (["--output", "picture.jpg"], "picture.jpg exists and is not a page of an earlier comparison; name another file"),
    (["--output", "gone.html"], "gone.html exists and is not a page of an earlier comparison; name another file"),
    (["--csv", "README.md"], "README.md exists and is not a table of an earlier comparison; name another file"),
    (["--csv", "picture.jpg"], "picture.jpg exists and is not a table of an earlier comparison; name another file"),
    (["--output", "folder"], "folder is a folder; name a file"),
    (["--csv", "folder"], "folder is a folder; name a file"),
    (["--output", "one", "--csv", "folder/../one"], "--output and --csv both name folder/../one; name two files"),
])
def test_nothing_is_replaced_but_an_earlier_comparison(here, capsys, two_results, flags, message):
    write_sheet(here / "report.html", "Report on cats", [], [], thumbnails={}, unit="score")
    write(here, {"picture.jpg": png(0), "README.md": b"file_path,tag_name\n", "folder/file": b""})
    (here / "gone.html").symlink_to("nowhere")
    before = tree(here)
    assert compare(capsys, *two_results, *flags) == (2, "", f"error: {message}\n")
    assert tree(here) == before


def test_an_earlier_comparison_is_replaced(here, capsys, two_results):
    for folders in (two_results, [result("a" * 200 + "&'", {}), *two_results[1:]], two_results):
        assert compare(capsys, *folders, "--output", "page.html", "--csv", "table.csv")[0] == 0
    assert read_page("page.html").one("h1").text == "first and second compared"


def test_a_folder_that_is_no_result_is_named_rather_than_said_to_hold_the_page(here, capsys, two_results):
    write(here, {"output/input-metadata.json": b"{}"})
    for folders in (("first", "output"), ("output", "first")):
        assert compare(capsys, *folders) == (
            2, "", "error: cannot read output/output.json: No such file or directory; stage 3 or 4 makes it\n")


def test_what_cannot_be_read_leaves_no_database_open(here, two_results):
    changed = ChangedDecisions("first", "nowhere")
    with pytest.raises(Refused), changed:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        changed.changes()


def test_a_real_run_is_read_as_it_was_written(here, ready, capsys):  # noqa: F811
    write(here, {"new/cat.png": png(0)})
    assert ready(classify, "new", output="one") == 0
    assert list(json.loads(Path("one/output.json").read_bytes())) == [hash_of(0)]
    assert compare(capsys, "one", "one")[1].endswith("0 pictures changed, 0 only in the first, 0 only in the second\n")
