"""`move`: originals go into the output and come back, and nothing is ever lost on the way."""
import os
import shutil
from pathlib import Path

import pytest

from cache.files.listed_folder import MARKER
from cache.refusal import Refused
from companions.cluster.journal import MOVED, UNDOING
from companions.cluster.moving import go_on, is_cut_short, undo
from companions.cluster.output_folder import OutputFolder
from companions.cluster.placing import Left, Placed
from tests.companions.cluster.groups_of_files import CONTENT, GROUPED, moved, originals, planned, write_files


@pytest.mark.usefixtures("devices")
def test_originals_move_with_their_bytes_times_and_rights_and_undo_puts_them_back(here, before):
    assert moved() == (Placed(), Placed(files=7))
    assert originals(here / "photos") == {}
    assert originals(here / "out/result") == {place: before[path] for place, path in GROUPED.items()}
    assert sorted(os.listdir("out")) == ["clusters.json", MOVED, "result"]
    assert undo("out") == Placed(files=7)
    assert originals(here / "photos") == before
    assert sorted(os.listdir("out")) == [MARKER, "clusters.json"]
    assert planned() == Placed()  # it is a result like others again


@pytest.mark.usefixtures("devices")
def test_what_was_changed_in_the_output_comes_back_as_it_is_now(here, before):
    moved()
    Path("out/result/outliers/e.jpg").write_bytes(b"painted over")
    os.utime("out/result/outliers/e.jpg", ns=(5, 5))
    undo("out")
    expected = {**before, "e.jpg": (b"painted over", 5, before["e.jpg"][2])}
    assert originals(here / "photos") == expected


def test_an_output_with_originals_is_refused_until_they_are_back(here, before):
    moved()
    where = here / "out"
    message = (f"--output {where} holds originals that were moved there; "
               f"this puts them back: python -m companions.cluster undo {where}")
    with pytest.raises(Refused) as refusal:
        OutputFolder("out")
    assert str(refusal.value) == message
    os.unlink(where / MOVED)  # whoever does this: the folder still is no result that may be replaced
    with pytest.raises(Refused, match="is not empty and holds no earlier result"):
        OutputFolder("out")
    from cache.results.result_folder import ResultFolder
    with pytest.raises(Refused, match="is not empty and holds no earlier result"):
        ResultFolder("out", [], 10, True)


def test_originals_that_arrive_while_another_run_works_are_not_replaced(here, before):
    with pytest.raises(Refused, match="holds originals that were moved there"), OutputFolder("out"):
        moved()
    assert originals(here / "out/result") == {place: before[path] for place, path in GROUPED.items()}
    assert sorted(os.listdir(here)) == [".out.run.lock", "out", "photos"]


def test_two_at_once_do_not_move_the_same_originals(before):
    from companions.cluster.moving import only_writer_of

    planned()
    message = "another run is writing into .*/out; wait until it has ended"
    for work in (go_on, undo):
        with only_writer_of(Path("out").resolve()), pytest.raises(Refused, match=message):
            work("out")


def test_a_run_that_was_cut_short_goes_on_with_the_same_command_alone(here, before):
    planned(command="photos exact")
    assert is_cut_short("out", "photos exact")
    assert not is_cut_short("out", "photos orb")
    where = here / "out"
    with pytest.raises(Refused) as refusal:
        OutputFolder("out")
    assert str(refusal.value) == (
        f"--output {where} is of another command, cut short while it moved originals there; "
        f"that one goes on, this puts them back: python -m companions.cluster undo {where}")
    assert go_on("out") == Placed(files=7)
    assert not is_cut_short("out", "photos exact")
    assert go_on("out") == Placed()


def test_an_undo_that_was_cut_short_is_gone_on_with_by_undo_alone(here, before):
    moved()
    os.rename("out/moved.jsonl", "out/undoing.jsonl")
    shutil.move("out/result/cluster_1/a.jpg", "photos/birds/a.jpg")
    assert not is_cut_short("out", "photos")
    assert go_on("out") == Placed()
    assert undo("out") == Placed(files=7)
    assert originals(here / "photos") == before


def test_without_moved_originals_there_is_nothing_to_undo(here):
    os.mkdir("out")
    with pytest.raises(Refused, match="^out holds no moved originals; there is nothing to undo$"):
        undo("out")
    with pytest.raises(Refused, match="^there is no folder nowhere$"):
        undo("nowhere")


def test_a_place_that_is_taken_meanwhile_keeps_what_is_there_and_undo_goes_on_later(here, before):
    moved()
    Path("photos/e.jpg").write_bytes(b"a new one")
    taken = here / "photos/e.jpg"
    assert undo("out") == Placed(
        files=6, left=[Left(str(taken), f"{taken} is something else; both are kept")])
    assert taken.read_bytes() == b"a new one"
    assert Path("out/result/outliers/e.jpg").read_bytes() == CONTENT["photos/e.jpg"]
    assert (here / "out" / UNDOING).exists()
    taken.unlink()
    assert undo("out") == Placed(files=7)
    assert originals(here / "photos") == before


@pytest.mark.parametrize("taken_by", ["a folder", "a link to itself", "a link to nowhere"])
def test_whatever_has_taken_a_place_is_kept(here, before, taken_by):
    moved()
    path, original = here / "photos/e.jpg", here / "out/result/outliers/e.jpg"
    if taken_by == "a folder":
        path.mkdir()
    else:
        path.symlink_to(original if taken_by == "a link to itself" else "nowhere")
    assert undo("out").left == [Left(str(path), f"{path} is something else; both are kept")]
    assert original.read_bytes() == CONTENT["photos/e.jpg"]
    assert path.is_dir() or path.is_symlink()


def test_folders_that_have_gone_meanwhile_are_made_anew(here, before):
    moved()
    shutil.rmtree("photos")
    undo("out")
    assert originals(here / "photos") == before


def test_an_original_that_has_gone_from_the_output_is_named(here, before):
    moved()
    os.unlink("out/result/outliers/e.jpg")
    assert undo("out") == Placed(files=6, left=[Left(str(here / "photos/e.jpg"), "no longer there")])
    OutputFolder("out")  # holds no originals


def test_what_a_person_has_put_among_the_originals_stays(here, before):
    moved()
    Path("out/result/cluster_1/notes.txt").write_text("mine")
    undo("out")
    assert Path("out/result/cluster_1/notes.txt").read_text() == "mine"
    with pytest.raises(Refused, match="holds an earlier result and files added since"):
        OutputFolder("out")


@pytest.mark.parametrize("what", ["a folder", "a link"])
def test_what_has_taken_the_place_of_an_original_in_the_output_is_not_moved(here, before, what):
    moved()
    original = here / "out/result/outliers/e.jpg"
    original.unlink()
    original.mkdir() if what == "a folder" else original.symlink_to("nowhere")
    assert undo("out") == Placed(files=6, left=[Left(str(here / "photos/e.jpg"), "no longer a file")])
    assert os.listdir("out/result/outliers") == ["e.jpg"]
    assert not os.path.lexists("photos/e.jpg")


def test_a_folder_in_the_output_that_has_become_a_link_leads_nobody_out_of_it(here, before):
    moved()
    write_files(here, {"elsewhere/e.jpg": b"not to be touched"})
    shutil.rmtree("out/result/outliers")
    os.symlink(here / "elsewhere", "out/result/outliers")
    assert undo("out").left == [
        Left(str(here / "photos/e.jpg"), "its folder in the output has become a link")]
    assert os.listdir("elsewhere") == ["e.jpg"]


def test_where_nothing_could_be_moved_after_all_the_output_is_a_result_like_others(here, before):
    planned()
    shutil.rmtree("photos")
    assert len(go_on("out").left) == 7
    assert sorted(os.listdir("out")) == [MARKER, "clusters.json"]
    OutputFolder("out")
