"""`copy`, `hardlink`, `symlink`: the files of a result in folders of their own; nothing in the input
changes."""
import errno
import os
import shutil
from pathlib import Path

import pytest

from companions.cluster import placing
from companions.cluster.groups import Place
from companions.cluster.output_folder import OutputFolder
from companions.cluster.placing import COPY, HARDLINK, SYMLINK, Left, Placed, place_files
from companions.cluster.result import Result
from tests.companions.cluster.groups_of_files import (
    CONTENT,
    GROUPED,
    TIME,
    originals,
    place_of,
    result_of,
    write_files,
)
from tests.drawing import tree, zipped

LINKING = [COPY, HARDLINK, SYMLINK]


def placed(how: str, result: Result | None = None) -> Placed:
    with OutputFolder("out") as folder:
        return place_files(result or result_of(), how, folder.building)


@pytest.mark.parametrize("how", LINKING)
def test_every_file_is_placed_with_its_copies_and_the_input_stays_as_it_is(here, before, how):
    assert placed(how) == Placed(files=7)
    assert originals(here / "out/result") == {place: before[path] for place, path in GROUPED.items()}
    assert originals(here / "photos") == before
    assert placed(how) == Placed(files=7)  # an earlier result is replaced


def test_a_copy_is_a_file_of_its_own_a_hard_link_the_same_and_a_symbolic_one_leads_there(here, before):
    original, copy = Path("photos/e.jpg"), Path("out/result/outliers/e.jpg")
    placed(COPY)
    assert (copy.is_symlink(), copy.stat().st_nlink, copy.samefile(original)) == (False, 1, False)
    placed(HARDLINK)
    assert (copy.is_symlink(), copy.stat().st_nlink, copy.samefile(original)) == (False, 2, True)
    placed(SYMLINK)
    assert os.readlink(copy) == str(here / original)


def test_a_link_is_followed_but_by_a_link(here, before):
    os.symlink("e.jpg", "photos/h.jpg")
    result = result_of([], [["photos/h.jpg"]])
    copy = here / "out/result/outliers/h.jpg"
    for how, leads_to in ((COPY, None), (HARDLINK, None), (SYMLINK, str(here / "photos/h.jpg"))):
        placed(how, result)
        assert (os.readlink(copy) if copy.is_symlink() else None) == leads_to
        assert copy.read_bytes() == CONTENT["photos/e.jpg"]
    assert os.readlink("photos/h.jpg") == "e.jpg"


@pytest.mark.parametrize("how", LINKING)
def test_of_two_files_with_one_name_both_are_kept(here, how):
    write_files(here, {f"photos/{number}/same.jpg": b"%d" % number for number in range(3)})
    result = result_of([[[f"photos/{number}/same.jpg"] for number in range(3)]], [])
    assert placed(how, result) == Placed(files=3)
    first, second, third = sorted(os.listdir("out/result/cluster_1"), key=lambda name: (len(name), name))
    assert first == "same.jpg"
    assert second.startswith("same-")
    assert third.startswith("same-")
    assert sorted(tree(here / "out/result").values()) == [b"0", b"1", b"2"]


@pytest.mark.parametrize("how", LINKING)
def test_names_stay_as_they_are_whatever_their_bytes(here, how):
    names = ["it's \"so\".jpg", "two\nlines.jpg", "-rf", "x" * 251 + ".jpg", os.fsdecode(b"caf\xe9.jpg")]
    write_files(here, {f"photos/{name}": b"1" for name in names})
    assert placed(how, result_of([], [[f"photos/{name}"] for name in names])) == Placed(files=5)
    assert sorted(os.listdir("out/result/outliers")) == sorted(names)


@pytest.mark.parametrize("how", LINKING)
def test_a_name_that_the_file_system_does_not_take_is_made_one_that_all_take(here, how, monkeypatch):
    write_files(here, {'photos/"so".jpg': b"1"})
    result = result_of([], [['photos/"so".jpg']])

    def particular(make):
        def made(*arguments, **options):
            if '/outliers/"' in str(arguments):
                raise OSError(errno.EINVAL, "Invalid argument")
            return make(*arguments, **options)
        return made

    monkeypatch.setattr("builtins.open", particular(open))
    monkeypatch.setattr(os, "link", particular(os.link))
    monkeypatch.setattr(os, "symlink", particular(os.symlink))
    assert placed(how, result) == Placed(files=1)
    assert os.listdir("out/result/outliers") == ["_so_.jpg"]


@pytest.mark.parametrize("how", LINKING)
def test_pictures_in_archives_are_copied_out_and_never_to_where_their_names_climb(here, how):
    inner = zipped({"deep.jpg": b"deep"})
    members = {"a/same.jpg": b"1", "b/same.jpg": b"2", "a:b\n.jpg": b"3", "inner.zip": inner}
    write_files(here, {"photos/f.zip": zipped(members)})

    def member(name: str) -> Place:
        path = f"photos/f.zip/{name}"
        return Place(path, str(here / path), True, 1, f"{TIME} crc32 00000000")

    names = ("a/same.jpg", "b/same.jpg", "a:b\n.jpg", "inner.zip/deep.jpg")
    result = result_of([], [[member(name)] for name in (*names, "../../climbs.jpg")])
    assert placed(how, result) == Placed(
        files=4, left=[Left("photos/f.zip/../../climbs.jpg", "no longer in the archive")])
    found = tree(here / "out/result/outliers")
    assert {name if "-" not in name else "same-digest": data for name, data in found.items()} == {
        "same.jpg": b"1", "same-digest": b"2", "a_b_.jpg": b"3", "deep.jpg": b"deep"}


@pytest.mark.parametrize("how", LINKING)
def test_files_that_have_gone_or_changed_since_they_were_read_are_named(here, before, how):
    write_files(here, {"photos/f.zip": zipped({"f.jpg": b"f"}), "photos/g.zip": zipped({"g.jpg": b"g"})})
    members = [[Place(f"photos/{name}.zip/{name}.jpg", str(here / f"photos/{name}.zip/{name}.jpg"), True, 1,
                      f"{TIME + place} crc32 00000000")] for place, name in enumerate("fg")]
    result = result_of([], [["photos/birds/a.jpg"], ["photos/birds/b.jpg"], ["photos/e.jpg"], *members])
    os.unlink("photos/birds/a.jpg")
    Path("photos/birds/b.jpg").write_bytes(b"another one")
    os.utime("photos/f.zip", ns=(0, 5))
    os.unlink("photos/g.zip")
    assert placed(how, result) == Placed(files=1, left=[
        Left("photos/birds/a.jpg", "no longer there"),
        Left("photos/birds/b.jpg", "changed since it was read"),
        Left("photos/f.zip/f.jpg", "changed since it was read"),
        Left("photos/g.zip/g.jpg", "no longer there"),
    ])


@pytest.mark.parametrize("how", [HARDLINK, SYMLINK])
@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP])
def test_where_there_can_be_no_links_files_are_copied_and_it_is_said(here, before, monkeypatch, how, number):
    def refused(*_) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(os, "symlink", refused)
    result = placed(how)
    assert result == Placed(files=7, copied=7)
    assert result.lines() == ["copied, because there can be no links: 7 files"]
    assert originals(here / "out/result") == {place: before[path] for place, path in GROUPED.items()}


def test_hard_links_of_one_file_are_placed_each(here):
    """The first link alters the time of the last change of them all."""
    write_files(here, {"photos/a.jpg": b"1"})
    os.link("photos/a.jpg", "photos/b.jpg")
    result = result_of([[["photos/a.jpg", "photos/b.jpg"]]], [])
    assert placed(HARDLINK, result) == Placed(files=2)
    assert os.stat("photos/a.jpg").st_nlink == 4


def test_a_full_disk_leaves_the_earlier_result_and_no_halves(here, before, monkeypatch):
    placed(COPY)

    def full(original, copy) -> None:
        copy.write(original.read(4))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        placed(COPY)
    assert originals(here / "out/result") == {place: before[path] for place, path in GROUPED.items()}
    assert sorted(os.listdir(here)) == [".out.run.lock", "out", "photos"]


def test_a_file_that_may_not_be_read_is_named(here, before, monkeypatch):
    """root may read anything; whoever tests as another sees the same without the patch."""
    def closed(path, *arguments):
        if path == str(here / "photos/e.jpg"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open(path, *arguments)

    monkeypatch.setattr(placing, "open", closed, raising=False)
    assert placed(COPY).left == [Left("photos/e.jpg", "Permission denied")]


def test_what_was_not_placed_is_said_in_a_line_for_each_reason():
    left = [Left(f"{number}\x1b.jpg", "gone") for number in range(5)] + [Left("a.jpg", "a link")]
    assert Placed(left=left).lines() == [
        "not placed, 5 files, gone: 0\\x1b.jpg, 1\\x1b.jpg, 2\\x1b.jpg and 2 more",
        "not placed, 1 file, a link: a.jpg",
    ]


@pytest.mark.parametrize("mine", ["mine.txt", "result/cluster_1/mine.txt"])
def test_an_output_with_something_of_a_persons_is_not_replaced(here, before, mine):
    placed(COPY)
    Path("out", mine).write_text("mine")
    with pytest.raises(Exception, match="which would be lost; name another folder"):
        placed(COPY)
    assert Path("out", mine).read_text() == "mine"


def test_a_place_without_a_stamp_is_told_by_its_size(here, before):
    known = place_of("photos/e.jpg")._replace(stamp="")
    os.utime("photos/e.jpg", ns=(1, 1))
    assert placed(COPY, result_of([], [[known]])) == Placed(files=1)
    Path("photos/e.jpg").write_bytes(b"x")
    assert placed(COPY, result_of([], [[known]])).left == [Left("photos/e.jpg", "changed since it was read")]
