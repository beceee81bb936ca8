"""An original on its way, to another device too: whole at every moment, and once in the end."""
import errno
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from companions.cluster import transfer
from companions.cluster.journal import MOVING, write_journal
from companions.cluster.move_plan import plan
from companions.cluster.moving import go_on, undo
from companions.cluster.output_folder import OutputFolder
from companions.cluster.placing import Left, Placed
from tests.companions.cluster.groups_of_files import GROUPED, originals, planned, result_of, two_devices


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


def test_one_of_two_copies_that_cannot_be_removed_does_not_stop_the_others(here, before, monkeypatch):
    planned()
    shutil.copy2("photos/birds/a.jpg", "out/result/cluster_1/a.jpg")
    unlink = os.unlink

    def refused(path, **options) -> None:
        if str(path).endswith("photos/birds/a.jpg"):
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refused)
    assert go_on("out") == Placed(files=6, left=[Left(str(here / "photos/birds/a.jpg"), "Permission denied")])


def test_half_of_a_copy_goes(here, before):
    planned()
    token = json.loads(Path("out/moving.jsonl").read_text().splitlines()[0])["token"]
    halves = [here / f"out/result/outliers/.moving-{token}-6", here / f"photos/cats/.moving-{token}-2"]
    for half in halves:
        half.write_bytes(b"an out")
    go_on("out")
    assert [half.exists() for half in halves] == [False, False]


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
