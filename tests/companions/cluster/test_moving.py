"""`move`: originals go into the output and come back, and nothing is ever lost on the way."""
import errno
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from cache.files.listed_folder import MARKER
from cache.refusal import Refused
from companions.cluster import transfer
from companions.cluster.groups import Place
from companions.cluster.journal import MOVED, MOVING, UNDOING, write_journal
from companions.cluster.move_plan import plan
from companions.cluster.moving import go_on, is_cut_short, undo
from companions.cluster.output_folder import OutputFolder
from companions.cluster.placing import Left, Placed
from companions.cluster.result import Result
from tests.companions.cluster.groups_of_files import (
    CONTENT,
    GROUPED,
    originals,
    place_of,
    result_of,
    write_files,
)
from tests.drawing import zipped


@pytest.fixture
def before(here) -> dict:
    write_files(here)
    return originals(here / "photos")


def planned(result: Result | None = None, command: str = "photos") -> Placed:
    with OutputFolder("out") as folder:
        (folder.building / "clusters.json").write_text("{}")
        placed, moves = plan(result or result_of(), "photos", folder.building)
        if moves:
            write_journal(folder.building, command, moves)
        return placed


def moved(result: Result | None = None) -> tuple[Placed, Placed]:
    return planned(result), go_on("out")


def two_devices(monkeypatch) -> None:
    rename = os.rename

    def within_one_device(start, end) -> None:
        if ("/photos/" in str(start)) != ("/photos/" in str(end)):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(start, end)

    monkeypatch.setattr(os, "rename", within_one_device)


@pytest.fixture(params=["one device", "two devices"])
def devices(request, monkeypatch) -> None:
    """Where there is one, renames between the input and the output answer as if there were two."""
    if request.param == "one device":
        return
    two_devices(monkeypatch)


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


def test_the_journal_is_on_the_disk_before_the_first_original_moves(here, before, monkeypatch):
    synced, renamed = [], []
    fsync, rename = os.fsync, os.rename

    def seen_fsync(descriptor) -> None:
        fsync(descriptor)
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    def seen_rename(start, end) -> None:
        renamed.append((str(start), len(synced)))
        rename(start, end)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "rename", seen_rename)
    moved()
    building = str(here / ".out.partial-")
    at_first = synced[:dict(renamed)[str(here / "photos/birds/a.jpg")]]
    # The journal's bytes, its name in the folder, and the name of the folder.
    assert [path.startswith(building) for path in at_first] == [True, True, False]
    assert at_first[2] == str(here)


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


def test_what_a_person_has_put_among_the_originals_stays(here, before):
    moved()
    Path("out/result/cluster_1/notes.txt").write_text("mine")
    undo("out")
    assert Path("out/result/cluster_1/notes.txt").read_text() == "mine"
    with pytest.raises(Refused, match="holds an earlier result and files added since"):
        OutputFolder("out")


@pytest.mark.usefixtures("devices")
@pytest.mark.parametrize("work", [go_on, undo])
def test_of_two_whole_copies_that_a_killed_run_left_one_stays(here, before, work):
    planned()
    os.makedirs("out/result/outliers", exist_ok=True)
    shutil.copy2("photos/e.jpg", "out/result/outliers/e.jpg")
    os.link("photos/cats/a.jpg", "out/result/cluster_2/a.jpg")
    assert work("out") == Placed(files=7)
    left = {"photos": originals(here / "photos"), "result": originals(here / "out/result")} \
        if Path("out/result").exists() else {"photos": originals(here / "photos"), "result": {}}
    assert left == ({"photos": before, "result": {}} if work is undo else
                    {"photos": {}, "result": {place: before[path] for place, path in GROUPED.items()}})


def test_half_of_a_copy_goes(here, before):
    planned()
    token = json.loads(Path("out/moving.jsonl").read_text().splitlines()[0])["token"]
    halves = [here / f"out/result/outliers/.moving-{token}-6", here / f"photos/cats/.moving-{token}-2"]
    for half in halves:
        half.write_bytes(b"an out")
    go_on("out")
    assert [half.exists() for half in halves] == [False, False]


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


def test_an_original_that_cannot_be_removed_is_not_left_twice(here, before, monkeypatch):
    planned()
    unlink = os.unlink

    def refused(path, **options) -> None:
        if str(path).endswith("photos/e.jpg"):
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, **options)

    def on_another_device(start, end) -> None:
        if "/photos/" in str(start):
            raise OSError(errno.EXDEV, "")
        rename(start, end)

    rename = os.rename
    monkeypatch.setattr(os, "unlink", refused)
    monkeypatch.setattr(os, "rename", on_another_device)
    assert go_on("out").left == [Left(str(here / "photos/e.jpg"), "Permission denied")]
    assert os.listdir("out/result/outliers") == []
    assert os.listdir("photos/") != []


def test_folders_that_cannot_be_written_to_are_named(here, before, monkeypatch):
    """root may write anywhere; whoever tests as another sees the same without the patch."""
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("/birds"))
    assert planned().left == [
        Left(f"photos/birds/{name}.jpg", "its folder cannot be written to") for name in "ab"]


def test_a_full_disk_ends_the_run_which_goes_on_when_there_is_room(here, before, monkeypatch):
    planned()

    def full(original, copy, length=0) -> None:
        copy.write(original.read(4))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        patch.setattr(transfer.os, "rename", _no_rename)
        with pytest.raises(OSError, match="No space left"):
            go_on("out")
    assert originals(here / "photos") == before
    assert originals(here / "out/result") == {}
    assert go_on("out") == Placed(files=7)


def _no_rename(start, end) -> None:
    raise OSError(errno.EXDEV, "")


def while_copying(monkeypatch, deed) -> None:
    """deed(original, copy) in the place of the copying of e.jpg to another device."""
    copyfileobj = shutil.copyfileobj

    def copied(original, copy, *rest) -> None:
        (deed if original.name.endswith("/e.jpg") else copyfileobj)(original, copy, *rest)

    two_devices(monkeypatch)
    monkeypatch.setattr(shutil, "copyfileobj", copied)


def test_a_copy_that_is_not_like_the_original_goes_and_the_original_stays(here, before, monkeypatch):
    planned()
    while_copying(monkeypatch, lambda original, copy, *_: copy.write(b"an outlieR"))
    assert go_on("out") == Placed(
        files=6, left=[Left(str(here / "photos/e.jpg"), "the copy is not like the original")])
    assert originals(here / "photos") == {"e.jpg": before["e.jpg"]}
    assert os.listdir("out/result/outliers") == []


def test_what_takes_the_place_while_a_copy_is_made_is_kept(here, before, monkeypatch):
    planned()
    taken = here / "out/result/outliers/e.jpg"

    def copied(original, copy, *_) -> None:
        copy.write(original.read())
        taken.write_bytes(b"mine")

    while_copying(monkeypatch, copied)
    assert go_on("out").left == [
        Left(str(here / "photos/e.jpg"), f"{taken} is something else; both are kept")]
    assert originals(here / "photos") == {"e.jpg": before["e.jpg"]}
    assert {path.name: path.read_bytes() for path in taken.parent.iterdir()} == {"e.jpg": b"mine"}


def test_an_interrupt_while_a_copy_is_made_leaves_no_half(here, before, monkeypatch):
    planned()

    def interrupted(original, copy, *_) -> None:
        copy.write(original.read(4))
        raise KeyboardInterrupt

    while_copying(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        go_on("out")
    assert originals(here / "photos") == {"e.jpg": before["e.jpg"]}
    assert os.listdir("out/result/outliers") == []


@pytest.mark.parametrize("there_already", [False, True])
def test_a_copy_is_written_through_to_the_disk_before_the_original_goes(
    here, before, monkeypatch, there_already,
):
    planned(result_of([], [["photos/e.jpg"]]))
    if there_already:
        shutil.copy2("photos/e.jpg", "out/result/outliers/e.jpg")
    two_devices(monkeypatch)
    deeds = []
    for name in ("fsync", "rename", "unlink"):
        def told(path, *rest, deed=getattr(os, name), name=name) -> None:
            where = os.readlink(f"/proc/self/fd/{path}") if name == "fsync" else str(path)
            deed(path, *rest)
            deeds.append((name, re.sub("moving-.+", "half", os.path.relpath(where))))
        monkeypatch.setattr(os, name, told)
    go_on("out")
    end = "out/result/outliers/e.jpg"
    copying = [("fsync", end)] if there_already else [
        ("fsync", "out/result/outliers/.half"), ("rename", "out/result/outliers/.half")]
    assert deeds == [
        *copying, ("fsync", "out/result/outliers"), ("unlink", "photos/e.jpg"),
        ("rename", "out/moving.jsonl"), ("fsync", "out")]


@pytest.mark.parametrize("what", ["a folder", "a link"])
def test_what_has_taken_the_place_of_an_original_in_the_output_is_not_moved(here, before, what):
    moved()
    original = here / "out/result/outliers/e.jpg"
    original.unlink()
    original.mkdir() if what == "a folder" else original.symlink_to("nowhere")
    assert undo("out") == Placed(files=6, left=[Left(str(here / "photos/e.jpg"), "no longer a file")])
    assert os.listdir("out/result/outliers") == ["e.jpg"]
    assert not os.path.lexists("photos/e.jpg")


@pytest.mark.usefixtures("devices")
def test_an_interrupt_leaves_every_original_whole(here, before, monkeypatch):
    """Ctrl-C just after each rename in turn."""
    planned()
    rename = os.rename

    def interrupted(start, end) -> None:
        rename(start, end)
        if "/out/result" in str(end):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", interrupted)
        for _ in GROUPED:
            with pytest.raises(KeyboardInterrupt):
                go_on("out")
    assert (here / "out" / MOVING).exists()
    assert go_on("out") == Placed(files=7)
    assert originals(here / "out/result") == {place: before[path] for place, path in GROUPED.items()}


@pytest.mark.parametrize("line", [
    b'["/etc/passwd", "../../photos/e.jpg", 1, 1]',
    b'["/etc/passwd", "result/../e.jpg", 1, 1]',
    b'["/etc/passwd", "/result/outliers/e.jpg", 1, 1]',
    b'["etc/passwd", "result/outliers/e.jpg", 1, 1]',
    b'["/etc/../passwd", "result/outliers/e.jpg", 1, 1]',
    b'["/etc/passwd", "result/outliers/e.jpg", "1", 1]',
    b'{"source": 1}',
    b"[" * 100_000,
    b"no JSON \xff",
])
def test_a_line_of_a_journal_that_is_not_ours_is_refused(here, before, line):
    planned()
    lines = Path("out/moving.jsonl").read_bytes().splitlines()
    Path("out/moving.jsonl").write_bytes(b"\n".join([lines[0], line, *lines[2:]]) + b"\n")
    with pytest.raises(Refused, match="/out/moving.jsonl has a line that is not ours"):
        go_on("out")
    assert originals(here / "photos") == before


def test_a_journal_that_is_cut_off_says_so_after_what_it_still_knows(here, before):
    moved()
    lines = Path("out/moved.jsonl").read_bytes().splitlines(keepends=True)
    Path("out/moved.jsonl").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(Refused, match="undoing.jsonl has lost lines: 6 of 7 are there"):
        undo("out")
    assert originals(here / "out/result") == {"outliers/e.jpg": before["e.jpg"]}
    assert len(originals(here / "photos")) == 6


@pytest.mark.parametrize("head", [
    b"", b"{}", b"[]", b"null", b'{"made_by": "somebody"}', b'{"made_by": "image-tagging-tools cluster 1"}'])
def test_a_file_with_the_name_of_a_journal_is_none(here, head):
    os.mkdir("out")
    Path("out/moved.jsonl").write_bytes(head)
    message = "/out/moved.jsonl is no journal of moved originals; nothing is moved"
    for work in (undo, OutputFolder):
        with pytest.raises(Refused, match=message):
            work("out")


def test_a_folder_in_the_output_that_has_become_a_link_leads_nobody_out_of_it(here, before):
    moved()
    write_files(here, {"elsewhere/e.jpg": b"not to be touched"})
    shutil.rmtree("out/result/outliers")
    os.symlink(here / "elsewhere", "out/result/outliers")
    assert undo("out").left == [
        Left(str(here / "photos/e.jpg"), "its folder in the output has become a link")]
    assert os.listdir("elsewhere") == ["e.jpg"]


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


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no other device at hand")
def test_originals_move_to_a_real_other_device_and_back(here, before):
    if os.stat("/dev/shm").st_dev == os.stat(here).st_dev:
        pytest.skip("there is no other device at hand")
    output = Path("/dev/shm") / f"itt-{os.getpid()}" / "out"
    try:
        with OutputFolder(str(output)) as folder:
            write_journal(folder.building, "photos", plan(result_of(), "photos", folder.building)[1])
        assert go_on(str(output)) == Placed(files=7)
        assert originals(output / "result") == {place: before[path] for place, path in GROUPED.items()}
        assert originals(here / "photos") == {}
        assert undo(str(output)) == Placed(files=7)
        assert originals(here / "photos") == before
    finally:
        shutil.rmtree(output.parent)
