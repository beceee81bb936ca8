"""`--merge`: earlier results joined are what one run over all their pictures would have found."""
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cache.refusal import Refused
from companions.cluster.__main__ import main
from companions.cluster.earlier_result import read_earlier
from companions.cluster.feature_table import FeatureTable
from companions.cluster.merge import merge
from companions.cluster.methods import method_named
from companions.cluster.run import cluster
from tests.drawing import encoded, png, write, zipped

CLUSTERS = Path("output/clusters/clusters.json")


def scene(seed: int) -> Image.Image:
    """Soft enough that a smaller copy has the same perceptual hash."""
    points = np.random.default_rng(seed).integers(0, 255, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(points).resize((96, 96), Image.Resampling.BICUBIC)


@pytest.fixture
def both(here) -> None:
    """Two folders, with alike pictures within each and across, and copies across."""
    scenes = [scene(number) for number in range(4)]
    small = [picture.resize((48, 48)) for picture in scenes]
    write(here / "photos", {
        "a/0.png": encoded(scenes[0]), "a/1.png": encoded(scenes[1]), "a/2.png": encoded(scenes[2]),
        "a/1 small.jpg": encoded(small[1], "JPEG"),
        "b/0 small.png": encoded(small[0]), "b/2 again.bmp": encoded(scenes[2], "BMP"),
        "b/more.zip": zipped({"1.gif": encoded(small[1], "BMP")}), "b/3.png": encoded(scenes[3]),
    })


def run_over_each(method: str = "imagehash", **options) -> None:
    cluster("photos/a", "out-a", method, **options)
    cluster("photos/b", "out-b", method, **options)


@pytest.mark.parametrize("method", ["exact", "imagehash"])
def test_two_results_become_what_one_run_over_both_finds(both, method):
    run_over_each(method)
    found = merge(["out-a", "out-b"])
    merged = [CLUSTERS.with_name(name).read_bytes() for name in ("clusters.json", "pairs.csv")]
    whole = cluster("photos", method=method)
    assert [CLUSTERS.with_name(name).read_bytes() for name in ("clusters.json", "pairs.csv")] == merged
    assert {name: found[name] for name in ("clusters", "outliers")} == {
        name: whole[name] for name in ("clusters", "outliers")}
    assert found["clusters"] == (3 if method == "imagehash" else 1)


def test_the_command_opens_no_picture_and_the_order_of_results_decides_nothing(both, capsys):
    run_over_each()
    capsys.readouterr()
    os.rename("photos", "gone")
    assert main(["--merge", "out-a", "out-b"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "3 clusters, 1 outlier"
    first = CLUSTERS.read_bytes()
    merge(["out-b", "out-a"])
    assert CLUSTERS.read_bytes() == first


def test_results_that_overlap_list_a_file_once(both):
    run_over_each()
    cluster(os.path.abspath("photos/a"), "out-a-again", "imagehash")
    merge(["out-a", "out-a-again", "out-b"])
    merged = CLUSTERS.read_bytes()
    merge(["out-a", "out-b"])
    assert CLUSTERS.read_bytes() == merged


@pytest.mark.parametrize("is_read_again", [False, True])
def test_pictures_are_placed_and_those_that_changed_since_are_named(both, is_read_again):
    run_over_each()
    Path("photos/b/3.png").write_bytes(png(9))
    if is_read_again:
        cluster("photos/b", "another", "exact")
    placed = merge(["out-a", "out-b"], place="copy")["placed"]
    assert (placed.files, [left.file_path for left in placed.left]) == (7, ["photos/b/3.png"])
    assert sorted(os.listdir("output/clusters/result")) == ["cluster_1", "cluster_2", "cluster_3", "outliers"]
    with pytest.raises(Refused, match="^originals are moved by the run over them"):
        merge(["out-a", "out-b"], place="move")


def test_results_must_agree_or_be_told_on_what(both):
    cluster("photos/a", "out-a", "imagehash", 0.9)
    cluster("photos/b", "out-b", "exact", linkage="complete")
    with pytest.raises(Refused) as refusal:
        merge(["out-a", "out-b"])
    assert str(refusal.value) == (
        "out-a was made with method imagehash, out-b with exact; make one of them anew")
    cluster("photos/b", "out-b", "imagehash", 0.8, "complete")
    with pytest.raises(Refused, match="^out-a was made with threshold 0.9, out-b with 0.8; make one of them"):
        merge(["out-a", "out-b"])
    with pytest.raises(Refused, match="^out-a was made with linkage chain, out-b with complete; make one of"):
        merge(["out-a", "out-b"], threshold=0.9)
    with pytest.raises(Refused, match="^the results were made with imagehash, not with orb$"):
        merge(["out-a", "out-b"], method="orb")
    merge(["out-a", "out-b"], threshold=0.9, linkage="leader")
    assert read_earlier("output/clusters").linkage == "leader"


def test_pictures_whose_features_are_gone_are_named(both):
    run_over_each()
    FeatureTable("output/feature_cache.sqlite").clear()
    cluster("photos/a", "out-a", "imagehash")
    with pytest.raises(Refused) as refusal:
        merge(["out-a", "out-b"])
    message = str(refusal.value)
    assert message.startswith(
        "./output/feature_cache.sqlite has no features of version 1 of imagehash of 3 files; "
        "run cluster over them again: photos/b/")
    assert {name for name in ("0 small.png", "more.zip/1.gif", "3.png") if name in message} == {
        "0 small.png", "more.zip/1.gif", "3.png"}


def test_features_of_another_version_are_none(both, monkeypatch):
    run_over_each()
    monkeypatch.setattr(type(method_named("imagehash")), "version", 2)
    message = r"has no features of version 2 of imagehash \(there are those of version 1\) of 8 files; run"
    with pytest.raises(Refused, match=message):
        merge(["out-a", "out-b"])


def test_a_file_that_changed_between_the_results_is_named(both):
    run_over_each()
    Path("photos/a/0.png").write_bytes(png(9))
    cluster("photos", "out-b", "imagehash")
    with pytest.raises(Refused, match="^photos/a/0.png has changed between the results; make both anew$"):
        merge(["out-a", "out-b"])


HASH = "0" * 128
GOOD = {
    "method": "exact", "threshold": 1.0, "linkage": "chain",
    "clusters": [{"name": "cluster_1", "pictures": [{"hash_id": HASH, "file_path": "a.png"}]}],
    "outliers": [],
}
SHAPE = "it should read {method, threshold, linkage, clusters, outliers}"


@pytest.mark.parametrize(("change", "why"), [
    ({"method": "none"}, SHAPE),
    ({"method": ["exact"]}, SHAPE),
    ({"threshold": 2}, SHAPE),
    ({"threshold": "1"}, SHAPE),
    ({"linkage": 1}, SHAPE),
    ({"clusters": {}}, SHAPE),
    ({"outliers": None}, SHAPE),
    ({"clusters": [1]}, "a cluster has no list of pictures: 1"),
    ({"clusters": [{"pictures": "a.png"}]}, "a cluster has no list of pictures: {'pictures': 'a.png'}"),
    ({"outliers": ["a.png"]}, "a picture has no hash_id and file_path: 'a.png'"),
    ({"outliers": [{"hash_id": "x", "file_path": "a.png"}]},
     "a picture has no hash_id and file_path: {'hash_id': 'x', 'file_path': 'a.png'}"),
    ({"outliers": [{"hash_id": HASH, "file_path": ""}]}, "a picture has no hash_id and file_path: {"),
    ({"outliers": [{"hash_id": HASH, "file_path": "a\0"}]}, "a picture has no hash_id and file_path: {"),
])
def test_a_clusters_json_of_another_shape_is_refused(here, change, why):
    write(here, {"out/clusters.json": json.dumps({**GOOD, **change}).encode()})
    with pytest.raises(Refused) as refusal:
        read_earlier("out")
    assert str(refusal.value).startswith(f"out/clusters.json is not a clusters.json of cluster: {why}")


def test_what_is_no_json_or_not_there_is_refused(here):
    write(here, {"out/clusters.json": b"{"})
    with pytest.raises(Refused, match="^out/clusters.json is not valid JSON"):
        read_earlier("out")
    with pytest.raises(Refused, match="^cannot read nowhere/clusters.json: No such file .*; cluster makes"):
        read_earlier("nowhere")
    write(here, {"out/clusters.json": json.dumps(GOOD).encode()})
    assert read_earlier("out").files == [(HASH, "a.png")]
