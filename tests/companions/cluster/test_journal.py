"""The journal of a move: on the disk before anything moves, checked when it is read back."""
import os
from pathlib import Path

import pytest

from cache.refusal import Refused
from companions.cluster.moving import go_on, undo
from companions.cluster.output_folder import OutputFolder
from tests.companions.cluster.groups_of_files import moved, originals, planned


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
