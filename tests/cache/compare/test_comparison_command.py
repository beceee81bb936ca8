"""The comparison as a command: how it is called, what it refuses, and what it replaces."""
import json
import os
import re

import pytest

from cache.compare import command as comparison
from cache.pages.contact_sheet import write_sheet
from tests.cache.compare.results import CATS, compare, record, result
from tests.drawing import png, tree, write
from tests.html_tree import read_page


def test_as_a_command_of_its_own_it_does_the_same_and_its_help_says_how_it_was_called(capsys, two_results):
    assert comparison.main(two_results) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "wrote ./output/comparison.html", "0 pictures changed, 0 only in the first, 0 only in the second"]
    with pytest.raises(SystemExit):
        comparison.main(["--help"], prog="itt compare")
    help_text = capsys.readouterr().out
    assert help_text.startswith("usage: itt compare ")
    assert "example:\n  itt compare scored-before scored-after\n" in help_text


NO_RECORDS = [
    1,
    [],
    {},
    {"file_path": "a"},
    {"file_path": 1, "classifiers_output": []},
    {"file_path": "a", "classifiers_output": 5},
    {"file_path": "a", "classifiers_output": [[]]},
    record("a", ((["x"], "cats"), 0.5)),
    record("a", ((None, "cats"), 0.5)),
    record("a", (CATS, "0.5")),
    record("a", (CATS, 1.5)),
    record("a", (CATS, True)),
    record("a", (CATS, 0.5, "perhaps")),
    record("a", (CATS, 0.5, ["yes"])),
]


@pytest.mark.parametrize(("content", "message"), [
    (None, "cannot read other/output.json: No such file or directory; stage 3 or 4 makes it"),
    (b"[]", "other/output.json is not an output.json of stage 3 or 4: it should read {hash_id: record}"),
    (b'{\n"1": {"file_path": "a", "classifiers_output": []},\n',
     "other/output.json ends in the middle; run stage 3 or 4 again"),
    *((json.dumps({"1": no_record}).encode(),
       "other/output.json is not an output.json of stage 3 or 4: "
       "record 1 has no file_path and classifiers_output of such a run") for no_record in NO_RECORDS),
])
def test_what_is_no_result_is_refused_in_one_line(here, capsys, content, message):
    good = result("good", {"1": record("a.png", (CATS, 0.5))})
    if content is not None:
        write(here, {"other/output.json": content})
    for folders in ((good, "other"), ("other", good)):
        assert compare(capsys, *folders) == (2, "", f"error: {message}\n")
    assert not os.path.exists("output")


def test_what_is_no_json_is_refused_in_the_words_of_its_parser(here, capsys):
    write(here, {"other/output.json": b""})
    good = result("good", {"1": record("a.png", (CATS, 0.5))})
    for folders in ((good, "other"), ("other", good)):
        code, out, err = compare(capsys, *folders)
        assert (code, out) == (2, "")
        assert re.fullmatch(
            r"error: other/output\.json is not valid JSON \(.+\); "
            r"if it was cut off, stage 3 or 4 makes it anew\n", err)


def test_a_page_inside_a_result_is_refused_because_the_result_could_then_no_longer_be_replaced(here, capsys):
    folders = [result(name, {"1": record("a.png", (CATS, 0.5))}) for name in ("first", "second")]
    for flags in (["--output", "first/page.html"], ["--csv", "second/changes.csv"]):
        code, _, err = compare(capsys, *folders, *flags)
        assert (code, err.endswith("; name another one\n")) == (2, True)
    assert sorted(tree(here)) == ["first/output.json", "second/output.json"]


NO_PAGE = "exists and is not a page of an earlier comparison; name another file"
NO_TABLE = "exists and is not a table of an earlier comparison; name another file"


@pytest.mark.parametrize(("flags", "message"), [
    (["--output", "report.html"], f"report.html {NO_PAGE}"),
    (["--output", "picture.jpg"], f"picture.jpg {NO_PAGE}"),
    (["--output", "gone.html"], f"gone.html {NO_PAGE}"),
    (["--csv", "README.md"], f"README.md {NO_TABLE}"),
    (["--csv", "picture.jpg"], f"picture.jpg {NO_TABLE}"),
    (["--output", "folder"], "folder is a folder; name a file"),
    (["--csv", "folder"], "folder is a folder; name a file"),
    (["--output", "one", "--csv", "folder/../one"],
     "--output and --csv both name folder/../one; name two files"),
])
def test_nothing_is_replaced_but_an_earlier_comparison(here, capsys, two_results, flags, message):
    write_sheet(here / "report.html", "Report on cats", [], [], thumbnails={}, unit="score")
    write(here, {"picture.jpg": png(0), "README.md": b"file_path,tag_name\n", "folder/file": b""})
    (here / "gone.html").symlink_to("nowhere")
    before = tree(here)
    assert compare(capsys, *two_results, *flags) == (2, "", f"error: {message}\n")
    assert tree(here) == before


def test_an_earlier_comparison_is_replaced(here, capsys, two_results):
    longer_title = [result("a" * 200 + "&'", {}), two_results[1]]
    for folders in (two_results, longer_title, two_results):
        assert compare(capsys, *folders, "--output", "page.html", "--csv", "table.csv")[0] == 0
    assert read_page("page.html").one("h1").text == "first and second compared"


def test_a_folder_that_is_no_result_is_named_rather_than_said_to_hold_the_page(here, capsys, two_results):
    write(here, {"output/input-metadata.json": b"{}"})
    message = "cannot read output/output.json: No such file or directory; stage 3 or 4 makes it"
    for folders in (("first", "output"), ("output", "first")):
        assert compare(capsys, *folders) == (2, "", f"error: {message}\n")
