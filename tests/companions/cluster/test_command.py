"""The command, on drawn pictures: what it prints and writes, what it refuses, what it does not do twice."""
import csv
import json
from pathlib import Path

import pytest

from companions.cluster import run as runs
from companions.cluster.__main__ import main
from companions.cluster.feature_table import FeatureTable
from tests.drawing import drawn, encoded, png, tree, write, zipped

USAGE = "name the folder of pictures: python -m companions.cluster photos --method orb (--help says more)"


@pytest.fixture
def pictures(here):
    """Three files of one picture, in other formats and in a ZIP, and two others."""
    return write(here / "photos", {
        "one.png": png(1),
        "same/one.bmp": encoded(drawn(1), "BMP"),
        "more.zip": zipped({"again.png": png(1)}),
        "two.png": png(2),
        "three.png": png(3),
        "notes.txt": b"no picture",
    })


def clusters() -> dict:
    return json.loads(Path("output/clusters/clusters.json").read_text())


def test_copies_are_one_cluster_whatever_their_format_and_nothing_is_lost(pictures, capsys):
    before = tree(pictures)
    assert main(["photos", "--method", "exact"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 cluster, 2 outliers",
        "wrote ./output/clusters/clusters.json",
        "wrote ./output/clusters/pairs.csv",
        "skipped: 1 not_an_image",
        "processed 5, unchanged 0, skipped 1",
    ]
    found = clusters()
    assert {name: found[name] for name in ("method", "threshold", "linkage")} == {
        "method": "exact", "threshold": 1.0, "linkage": "chain"}
    [cluster] = found["clusters"]
    assert {name: cluster[name] for name in ("name", "weakest", "diameter")} == {
        "name": "cluster_1", "weakest": 1.0, "diameter": 0.0}
    assert [picture["file_path"] for picture in cluster["pictures"]] == [
        "photos/more.zip/again.png", "photos/one.png", "photos/same/one.bmp"]
    assert sorted(picture["file_path"] for picture in found["outliers"]) == [
        "photos/three.png", "photos/two.png"]
    rows = list(csv.reader(Path("output/clusters/pairs.csv").read_text().splitlines()))
    assert rows == [
        ["file_path_a", "file_path_b", "similarity"],
        ["photos/more.zip/again.png", "photos/one.png", "1.0"],
        ["photos/more.zip/again.png", "photos/same/one.bmp", "1.0"],
    ]
    assert tree(pictures) == before


def test_what_is_known_is_not_opened_again_and_the_result_is_the_same_to_the_byte(pictures, capsys):
    main(["photos", "--method", "exact"])
    first = tree(Path("output/clusters"))
    capsys.readouterr()
    main(["photos", "--method", "exact", "--batch_size", "1"])
    assert capsys.readouterr().out.splitlines()[-1] == "processed 0, unchanged 5, skipped 1"
    assert tree(Path("output/clusters")) == first


def test_features_that_were_damaged_on_the_disk_are_made_anew(pictures, capsys):
    main(["photos", "--method", "exact"])
    with FeatureTable("output/feature_cache.sqlite") as table, table.connection as connection:
        connection.execute("UPDATE feature_cache SET sharpness = 7.5 WHERE rowid = 1")
    assert main(["photos", "--method", "exact"]) == 2
    assert "were damaged on the disk; the same command makes them anew" in capsys.readouterr().err
    assert main(["photos", "--method", "exact"]) == 0


@pytest.mark.parametrize(("words", "message"), [
    ([], USAGE),
    (["nowhere"], "no such file or folder: nowhere"),
    (["photos", "--threshold", "1.5"], "the threshold 1.5 is not between 0 and 1: 1 is identical"),
    (["photos", "--threshold", "nan"], "the threshold nan is not between 0 and 1: 1 is identical"),
    (["empty"], "no readable picture under empty (it is empty)"),
    (["photos", "--output", "photos/new"],
     "the output folder {here}/photos/new lies inside the input folder {here}/photos; name another one"),
])
def test_what_cannot_be_done_is_refused_in_one_line(pictures, here, capsys, words, message):
    (here / "empty").mkdir()
    try:
        code = main([*words, "--method", "exact"])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert capsys.readouterr().err == f"error: {message.format(here=here)}\n"
    assert not Path("output/clusters").exists()


def test_the_python_call_says_what_the_command_says(pictures):
    found = runs.cluster("photos", method="exact")
    assert found == {
        "clusters": 1, "outliers": 2, "processed": 5, "unchanged": 0, "skipped": 1,
        "written": ["./output/clusters/clusters.json", "./output/clusters/pairs.csv"]}
