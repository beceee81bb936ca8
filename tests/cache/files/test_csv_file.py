"""CSV files: what a spreadsheet would run is text, and every row reads back as it was."""
import csv
from pathlib import Path

import pytest

from cache.files.csv_file import write_csv


def written(path: Path, *rows: tuple) -> list[list[str]]:
    write_csv(path, ("name", "value"), rows)
    with open(path, encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["name", "value"]
    return lines


@pytest.mark.parametrize("name", [
    "=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", "\t=1.png", "\r=1.png", "\n=1.png",
    "＝1.png", "＋1.png", "－1.png", "＠a.png", "'=1.png", "''=1.png",
])
def test_what_a_spreadsheet_would_run_has_an_apostrophe_in_front(tmp_path, name):
    assert written(tmp_path / "table.csv", (name, "x")) == [["'" + name, "x"]]


@pytest.mark.parametrize("name", ["a=1.png", "'quoted'.png", "'", "", " =1", "ü, \"b\"\n.png"])
def test_any_other_text_stays_as_it_is(tmp_path, name):
    assert written(tmp_path / "table.csv", (name, "x")) == [[name, "x"]]


def test_numbers_stay_numbers_and_none_is_an_empty_field(tmp_path):
    write_csv(tmp_path / "table.csv", ("name", "value"), [("-a.png", -0.5), ("b.png", None)])
    assert (tmp_path / "table.csv").read_bytes() == b"name,value\n'-a.png,-0.5\nb.png,\n"


def test_a_carriage_return_in_a_name_ends_no_row(tmp_path):
    """It would also begin a cell that a spreadsheet runs."""
    assert written(tmp_path / "table.csv", ("a\r=1+1", None), ("b", 1)) == [["a\r=1+1", ""], ["b", "1"]]
