"""Two results compared: the table on stdout, the rows as CSV, the groups of the page."""
import json
import sqlite3
from pathlib import Path

import pytest

from cache.compare.changed_decisions import ChangedDecisions
from cache.refusal import Refused
from stage3 import classify
from tests.cache.compare.results import CATS, DOGS, compare, record, result
from tests.cache.test_caches import hash_of
from tests.drawing import png, tree, write
from tests.html_tree import read_page
from tests.stages_3_and_4.scoring import ready, set_thresholds  # noqa: F401  a fixture

BEFORE = {
    "1": record("a.png", (CATS, 0.1, "no"), (DOGS, 0.9, "yes")),
    "2": record("b.png", (CATS, 0.2, "no"), (DOGS, 0.5, "unsure")),
    "3": record("c.png", (CATS, 0.3, "no"), (DOGS, 0.1, "no")),
    "4": record("gone.png", (CATS, 0.3, "no"), (DOGS, 0.1, "no")),
}
AFTER = {
    "2": record("b, \"moved\".png", (DOGS, 0.2, "no"), (CATS, 0.95, "yes")),
    "1": record("a.png", (CATS, 0.8, "yes"), (DOGS, 0.9, "yes")),
    "3": record("c.png", (CATS, 0.3, "no"), (DOGS, 0.11, "no")),
    "5": record("new1.png", (CATS, 1, "yes"), (DOGS, 0, "no")),
    "6": record("new2.png", (CATS, 1, "yes"), (DOGS, 0, "no")),
}
CHANGES = """\
file_path,hash_id,model_type,tag_name,tag_prob_before,tag_prob_after,decision_before,decision_after
"b, ""moved"".png",2,ovr-svm,cats,0.2,0.95,no,yes
"b, ""moved"".png",2,ovr-svm,dogs,0.5,0.2,unsure,no
a.png,1,ovr-svm,cats,0.1,0.8,no,yes
"""


@pytest.mark.parametrize("one_line", [False, True])
def test_changes_are_counted_by_tag_model_and_kind(here, capsys, one_line):
    folders = result("first", BEFORE, one_line), result("second", AFTER, one_line)
    before = tree(here)
    assert compare(capsys, *folders, "--csv", "changes.csv") == (0, """
tag   model type  no → yes  unsure → no
cats  ovr-svm            2            0
dogs  ovr-svm            0            1

wrote ./output/comparison.html
wrote changes.csv
2 pictures changed, 1 only in the first, 2 only in the second
""", "")
    after = tree(here)
    assert after.pop("changes.csv").decode().splitlines() == CHANGES.splitlines()
    del after["output/comparison.html"]
    assert after == before


def test_the_page_has_a_section_for_each_kind_and_a_group_for_each_model(here, capsys):
    assert compare(capsys, result("first", BEFORE), result("second", AFTER))[0] == 0
    page = read_page("output/comparison.html")
    assert page.one("h1").text == "first and second compared"
    groups = []
    for section in page.all("section"):
        for group in section.all("article"):
            notes = [tile.one("span", "note").text for tile in group.all("li")]
            groups.append((section.one("h2").text, notes))
    assert groups == [
        ("no → yes 2 changes", ["0.200 → 0.950", "0.100 → 0.800"]),
        ("unsure → no 1 change", ["0.500 → 0.200"]),
    ]


def test_where_nothing_is_decided_half_a_probability_is_a_yes_and_that_is_said(here, capsys):
    first = result("first", {
        "1": record("a.png", (CATS, 0.5), (DOGS, 0.4)),
        "2": record("b.png", (CATS, 0.6), (DOGS, 0.4)),
    })
    second = result("second", {
        "1": record("a.png", (CATS, 0.49, "unsure"), (DOGS, 0.5), (("svm", "<b>"), 0.5)),
        "2": record("b.png"),
    })
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


def test_results_that_agree_have_no_table(here, capsys):
    same = {"1": record("a.png", (CATS, 0.5, "yes"))}
    assert compare(capsys, result("first", same), result("second", same)) == (0, """\
wrote ./output/comparison.html
0 pictures changed, 0 only in the first, 0 only in the second
""", "")
    assert list(read_page("output/comparison.html").all("section")) == []


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
    last_line = compare(capsys, "one", "one")[1].splitlines()[-1]
    assert last_line == "0 pictures changed, 0 only in the first, 0 only in the second"
