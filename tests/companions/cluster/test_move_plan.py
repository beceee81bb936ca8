"""Which originals move, and which are named and stay."""
import os
import shutil
from pathlib import Path

from cache.files.listed_folder import MARKER
from companions.cluster.groups import Place
from companions.cluster.moving import go_on, undo
from companions.cluster.placing import Left, Placed
from tests.companions.cluster.groups_of_files import (
    moved,
    originals,
    place_of,
    planned,
    result_of,
    write_files,
)
from tests.drawing import zipped


def test_pictures_in_archives_and_behind_links_stay_where_they_are(here, before):
    write_files(here, {"photos/f.zip": zipped({"f.jpg": b"f"}), "elsewhere/g.jpg": b"g"})
    os.symlink("../elsewhere", "photos/linked")
    os.symlink("e.jpg", "photos/h.jpg")
    member = Place("photos/f.zip/f.jpg", str(here / "photos/f.zip/f.jpg"), True, 1)
    result = result_of([[[member, "photos/linked/g.jpg"]]], [["photos/e.jpg", "photos/h.jpg"]])
    plan_of, done = moved(result)
    assert plan_of.left == [
        Left("photos/f.zip/f.jpg", "in a ZIP, which stays as it is"),
        Left("photos/linked/g.jpg", "a link, or behind one"),
        Left("photos/h.jpg", "a link, or behind one"),
    ]
    assert done == Placed(files=1)
    assert os.listdir("elsewhere") == ["g.jpg"]
    assert os.listdir("out/result/outliers") == ["e.jpg"]


def test_an_input_that_is_itself_behind_a_link_is_moved(here, before):
    os.rename("photos", "real")
    os.symlink("real", "photos")
    assert moved() == (Placed(), Placed(files=7))
    assert undo("out") == Placed(files=7)
    assert originals(here / "real") == before


def test_where_nothing_can_be_moved_the_output_is_a_result_like_others(here, before):
    result = result_of()
    shutil.rmtree("photos")
    assert planned(result).lines() == ["not placed, 7 files, no longer there: "
                                       "photos/birds/a.jpg, photos/birds/b.jpg, photos/cats/a.jpg and 4 more"]
    assert sorted(os.listdir("out")) == [MARKER, "clusters.json", "result"]
    assert go_on("out") == Placed()


def test_files_that_vanish_or_change_between_reading_planning_and_moving_are_named(here, before):
    result = result_of()
    os.unlink("photos/birds/a.jpg")
    Path("photos/birds/b.jpg").write_bytes(b"other than that!")
    os.utime("photos/dogs/b.jpg", ns=(3, 3))
    placed = planned(result)
    assert placed.left == [
        Left("photos/birds/a.jpg", "no longer there"),
        Left("photos/birds/b.jpg", "changed since it was read"),
        Left("photos/dogs/b.jpg", "changed since it was read"),
    ]
    os.unlink("photos/cats/a.jpg")
    Path("photos/e.jpg").write_bytes(b"an OUTLIER")
    assert go_on("out") == Placed(files=2, left=[
        Left(str(here / "photos/cats/a.jpg"), "no longer there"),
        Left(str(here / "photos/e.jpg"), "changed since it was read"),
    ])
    assert sorted(os.listdir("photos")) == ["birds", "cats", "dogs", "e.jpg"]


def test_folders_that_cannot_be_written_to_are_named(here, before, monkeypatch):
    """root may write anywhere; whoever tests as another sees the same without the patch."""
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("/birds"))
    assert planned().left == [
        Left(f"photos/birds/{name}.jpg", "its folder cannot be written to") for name in "ab"]


def test_names_of_any_bytes_move_and_come_back(here):
    names = [
        "it's \"so\".jpg", "two\nlines.jpg", "-rf", "x" * 251 + ".jpg", "日本.jpg", ".hidden.jpg",
        "a\\xe9.jpg", os.fsdecode(b"caf\xe9.jpg"), os.fsdecode(b"\xff\xfe/deep.jpg"),
    ]
    write_files(here, {f"photos/{name}": name.encode(errors="surrogateescape") for name in names})
    before = originals(here / "photos")
    assert moved(result_of([], [[f"photos/{name}"] for name in names])) == (Placed(), Placed(files=9))
    assert sorted(os.listdir("out/result/outliers")) == sorted(map(os.path.basename, names))
    assert undo("out") == Placed(files=9)
    assert originals(here / "photos") == before


def test_of_two_files_that_are_printed_alike_neither_is_taken_for_the_other(here):
    names = [os.fsdecode(b"a\xe9.jpg"), "a\\xe9.jpg"]
    write_files(here, {f"photos/{name}": b"1" for name in names})
    result = result_of([], [[place_of(f"photos/{name}")] for name in names])
    assert planned(result).left == [
        Left("photos/a\\xe9.jpg", "one of two files whose names are printed alike")] * 2
