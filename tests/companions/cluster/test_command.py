"""The command, on drawn pictures: what it prints and writes, what it refuses, what it does not do twice."""
import csv
import json
import os
import sys
from pathlib import Path

import pytest

from cache.refusal import Refused
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
        "wrote ./output/clusters/index.html",
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
        "written": [f"./output/clusters/{name}" for name in ("clusters.json", "pairs.csv", "index.html")]}


def test_pictures_are_placed_beside_the_files_that_list_them(pictures, capsys):
    for how, count in (("copy", 5), ("hardlink", 5), ("symlink", 5)):
        before = tree(pictures)
        assert main(["photos", "--method", "exact", "--place", how]) == 0
        assert capsys.readouterr().out.splitlines()[1:-2] == [
            "wrote ./output/clusters/clusters.json",
            "wrote ./output/clusters/pairs.csv",
            "wrote ./output/clusters/index.html",
            "wrote ./output/clusters/result",
            f"placed ({how}): {count} files",
        ]
        assert tree(pictures) == before
        assert tree(Path("output/clusters/result")) == {
            "cluster_1/again.png": png(1), "cluster_1/one.png": png(1),
            "cluster_1/one.bmp": before["same/one.bmp"],
            "outliers/three.png": png(3), "outliers/two.png": png(2)}


def test_originals_are_moved_and_put_back_by_undo(pictures, capsys):
    before = tree(pictures)
    assert main(["photos", "--method", "exact", "--place", "move"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[5:7] == [
        "placed (move): 4 files", "all back again: python -m companions.cluster undo ./output/clusters"]
    page = Path("output/clusters/index.html").read_text()
    assert [f"result/{name}" in page for name in ("cluster_1/one.png", "outliers/two.png")] == [True, True]
    assert said.err.splitlines()[-1] == (
        "not placed, 1 file, in a ZIP, which stays as it is: photos/more.zip/again.png")
    assert sorted(tree(pictures)) == ["more.zip", "notes.txt"]
    assert main(["photos", "--method", "exact", "--place", "move"]) == 2
    where = Path("output/clusters").resolve()
    assert capsys.readouterr().err.splitlines() == [
        f"error: --output {where} holds originals that were moved there; "
        f"this puts them back: python -m companions.cluster undo {where}"]
    Path("photos/two.png").write_bytes(b"another one")
    assert main(["undo", "./output/clusters"]) == 2
    taken = Path("photos/two.png").resolve()
    said = capsys.readouterr()
    assert said.out == "back again: 3 files\n"
    assert said.err.splitlines() == [
        f"not placed, 1 file, {taken} is something else; both are kept: {taken}",
        "error: 1 file not back yet; the same command tries again"]
    taken.unlink()
    assert main(["undo", "./output/clusters"]) == 0
    assert capsys.readouterr().out == "back again: 4 files\n"
    assert tree(pictures) == before
    assert main(["photos", "--method", "exact"]) == 0


def test_a_move_that_was_cut_short_goes_on_without_reading_anything(pictures, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(runs, "go_on", lambda output: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main(["photos", "--method", "exact", "--place", "move"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "interrupted; what was finished is kept, the same command goes on from there")
    assert main(["photos", "--method", "exact"]) == 2
    assert "is of another command, cut short while it moved originals there" in capsys.readouterr().err
    monkeypatch.setattr(runs, "read", None)
    assert main(["photos", "--method", "exact", "--place", "move"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "placed (move): 4 files", "all back again: python -m companions.cluster undo ./output/clusters",
        "processed 0, unchanged 0, skipped 0"]
    assert sorted(tree(pictures)) == ["more.zip", "notes.txt"]


def test_a_way_to_place_that_there_is_not_is_refused(pictures):
    with pytest.raises(Refused, match="^there is no way to place files called throw; there are copy, "):
        runs.cluster("photos", method="exact", place="throw")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_the_page_links_to_a_moved_file_whose_name_is_no_text(here):
    (here / "photos").mkdir()
    with open(os.fsencode(here / "photos") + b"/a\xe9.png", "wb") as file:
        file.write(png(1))
    assert main(["photos", "--method", "exact", "--place", "move"]) == 0
    assert "result/outliers/a%E9.png" in Path("output/clusters/index.html").read_text()


def test_a_threshold_is_suggested_in_place_of_clusters(pictures, capsys):
    assert main(["photos", "--method", "imagehash", "--suggest", "--output", "thresholds"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote thresholds/thresholds.json",
        "wrote thresholds/thresholds.html",
        "skipped: 1 not_an_image",
        "processed 5, unchanged 0, skipped 1",
    ]
    written = json.loads(Path("thresholds/thresholds.json").read_text())
    assert (written["method"], written["pictures"], written["looked_at"]) == ("imagehash", 3, 3)
    assert sorted(tree(Path("thresholds"))) == [".result.json", "thresholds.html", "thresholds.json"]


def test_vectors_of_the_clip_cache_are_compared_without_their_encoder(photos, stage1, capsys):
    stage1()
    assert main(["photos", "--method", "clip", "--threshold", "0.999999"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "processed 0, unchanged 12, skipped 0"
    found = clusters()
    pictures = [picture for group in found["clusters"] for picture in group["pictures"]] + found["outliers"]
    assert len(pictures) == 12
    assert main(["photos", "--method", "clip", "--clip_cache", "nowhere.sqlite"]) == 2
    makes_it = "python ./stage1/ImageDatasetProcessor.py photos"
    assert capsys.readouterr().err == f"error: there is no nowhere.sqlite yet; this makes it: {makes_it}\n"
