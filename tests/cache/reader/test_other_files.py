"""What lies beside photographs is told by its content, then by its name, and never read whole."""
import os

import pytest

from cache.limits import NO_FAULT, REASONS
from cache.reader.batches import Batch, Counts
from cache.reader.file_progress import FileProgress
from cache.reader.image_source import images
from cache.reader.source_file import Skipped, SourceFile
from tests.cache.reader.told import told
from tests.drawing import drawn, encoded, write, zipped

JPEG = encoded(drawn(1), "JPEG")


def box(brand: bytes) -> bytes:
    return b"\0\0\0\x14ftyp" + brand + bytes(8)


VIDEOS = {
    "QuickTime video": [
        box(b"qt  "), b"\0\0\1\0moov", b"\0\0\0\x08wide",
        # of 8 bytes, of 1 MiB, of the most that no text begins like, and with a size of 64 bits
        *(size + b"mdat" for size in (b"\0\0\0\x08", b"\0\x10\0\0", b"\x08\xff\xff\xff", b"\0\0\0\1"))],
    "MPEG-4 video": [box(brand) for brand in (
        b"isom", b"iso2", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"M4VH", b"MSNV", b"XAVC", b"dash")],
    "MPEG-4 sound": [box(b"M4A ")],
    "3GP video": [box(b"3gp4"), box(b"3gp5"), box(b"3g2a")],
    "AVI video": [b"RIFF\x24\0\0\0AVI LIST"],
    "WAV sound": [b"RIFF\x24\0\0\0WAVEfmt "],
    "Matroska video": [b"\x1aE\xdf\xa3\x01\0\0\0"],
    "Windows Media video": [b"0&\xb2u\x8ef\xcf\x11\xa6\xd9"],
    "MPEG video": [b"\0\0\1\xbaD\0\4\0"],
}
BY_NAME = {
    "IMG_1.AAE": b'<?xml version="1.0" encoding="UTF-8"?>',
    "IMG_1.xmp": b"<x:xmpmeta",
    "IMG_1.CR2.pp3": b"[Version]",
    "IMG_1.jpg.json": b'{"title": "IMG_1.jpg"}',
    "walk.gpx": b"<gpx>",
    "00001.MTS": b"\0\0\0\0G@\0\x10",
    "cut.mov": bytes(100),
    "empty.xmp": b"",
}
NOT_BY_NAME = {
    "notes.txt": b"text", "zeros": bytes(100), "json": b"{}", "page.html": b"<html>",
    "wide.txt": b"The wide world", "tab.txt": b"\t1. moov", "mdat.txt": b"The mdat box",
}


def skipped(source: str, **options) -> list[Skipped]:
    return [item for item in images(source, num_threads=1, **options) if isinstance(item, Skipped)]


@pytest.mark.parametrize("detail", VIDEOS)
@pytest.mark.parametrize("name", ["clip", "clip.jpg", "clip.json"])
def test_a_video_is_one_whatever_it_is_called(here, detail, name):
    write(here, {f"x/{number}/{name}": video for number, video in enumerate(VIDEOS[detail])})
    assert {(row.reason, row.detail) for row in skipped("x")} == {("other_file", detail)}
    assert len(skipped("x")) == len(VIDEOS[detail])


def test_a_picture_is_one_whatever_it_is_called(here):
    names = [*BY_NAME, "IMG_1.MOV", "IMG_1.mp4", "IMG_1.wav"]
    write(here / "x", dict.fromkeys(names, JPEG))
    assert told("x") == [("picture", f"x/{name}", None) for name in sorted(names)]


def test_what_begins_like_nothing_is_judged_by_its_name(here):
    write(here / "x", {**BY_NAME, **NOT_BY_NAME})
    assert skipped("x") == [
        Skipped(f"x/{name}", "other_file" if name in BY_NAME else "not_an_image")
        for name in sorted({**BY_NAME, **NOT_BY_NAME})]


def test_the_thumbnail_that_a_camera_lays_beside_a_video_is_no_photograph(here):
    write(here / "x", {"MVI_1.THM": JPEG, "MVI_1.MP4": box(b"mp42"), "a.zip": zipped({"b/mvi_2.thm": JPEG})})
    write(here / "x", {"c.thm/1.jpg": JPEG})
    assert told("x") == [
        ("skipped", "x/MVI_1.MP4", "other_file"),
        ("skipped", "x/MVI_1.THM", "other_file"),
        ("skipped", "x/a.zip/b/mvi_2.thm", "other_file"),
        ("archive", "x/a.zip", 0),
        ("picture", "x/c.thm/1.jpg", "c.thm"),
    ]
    assert told("x/MVI_1.THM") == [("picture", "x/MVI_1.THM", None)]


def test_a_link_that_leads_nowhere_one_may_look_is_unreadable_whatever_it_is_called(here):
    write(here / "x", {"a.jpg": JPEG})
    os.symlink("b.THM", here / "x" / "b.THM")
    os.symlink("a.jpg/c.THM", here / "x" / "c.THM")
    os.symlink("n" * 300, here / "x" / "d.THM")
    assert told("x") == [
        ("picture", "x/a.jpg", None),
        ("skipped", "x/b.THM", "unreadable"),
        ("skipped", "x/c.THM", "unreadable"),
        ("skipped", "x/d.THM", "unreadable"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter any folder")
def test_a_link_into_a_folder_that_one_may_not_enter_is_unreadable_whatever_it_is_called(here):
    write(here, {"x/a.jpg": JPEG, "closed/b.THM": JPEG})
    os.symlink(here / "closed" / "b.THM", here / "x" / "b.THM")
    (here / "closed").chmod(0)
    assert told("x") == [("picture", "x/a.jpg", None), ("skipped", "x/b.THM", "unreadable")]
    (here / "closed").chmod(0o700)


def test_a_zip_of_photographs_and_what_an_export_lays_beside_them(here):
    write(here, {"takeout.zip": zipped({
        "Takeout/2019/IMG_1.jpg": JPEG,
        "Takeout/2019/IMG_1.jpg.json": b'{"title": "IMG_1.jpg"}',
        "Takeout/2019/IMG_2.MOV": box(b"qt  "),
        "Takeout/archive_browser.html": b"<html>",
        "Takeout/metadata.json": b"{}",
    })})
    assert told("takeout.zip") == [
        ("picture", "takeout.zip/Takeout/2019/IMG_1.jpg", "2019"),
        ("skipped", "takeout.zip/Takeout/2019/IMG_1.jpg.json", "other_file"),
        ("skipped", "takeout.zip/Takeout/2019/IMG_2.MOV", "other_file"),
        ("skipped", "takeout.zip/Takeout/archive_browser.html", "not_an_image"),
        ("skipped", "takeout.zip/Takeout/metadata.json", "other_file"),
        ("archive", "takeout.zip", 1),
    ]


@pytest.mark.parametrize(("archives", "reason"), [
    ("enter", "outside_tag_folder"), ("only", "not_in_archive")])
def test_it_is_no_fault_wherever_it_lies(here, archives, reason):
    write(here / "x", {"IMG_1.MOV": box(b"qt  "), "IMG_1.xmp": b"<x:xmpmeta", "IMG_1.jpg": JPEG})
    write(here / "x", {"notes.txt": b"text"})
    assert told("x", archives=archives, tagged=True) == [
        ("skipped", "x/IMG_1.MOV", "other_file"),
        ("skipped", "x/IMG_1.jpg", reason),
        ("skipped", "x/IMG_1.xmp", "other_file"),
        ("skipped", "x/notes.txt", reason),
    ]


def test_of_what_holds_no_picture_only_the_first_bytes_are_read(here, monkeypatch):
    """Each has eight gigabytes on the disk, of which nothing is there; a member of a ZIP has a megabyte."""
    heads = {"a.mov": box(b"qt  "), "b.json": b"{}", "c.txt": b"x", "d.psd": b"8BPS"}
    write(here / "x", heads)
    for name in heads:
        os.truncate(here / "x" / name, 2 ** 33)
    members = {name: head.ljust(2 ** 20) for name, head in heads.items()}
    write(here / "x", {"e.zip": zipped(members), "f.jpg": JPEG})
    whole, read = SourceFile.read, []
    monkeypatch.setattr(
        SourceFile, "read", lambda file, most: read.append(file.file_name) or whole(file, most))
    reasons = [("other_file", "QuickTime video"), ("other_file", ""), ("not_an_image", ""),
               ("unsupported_type", "Photoshop document")]
    assert [(row.reason, row.detail) for row in skipped("x")] == 2 * reasons
    assert read == ["f.jpg"]


def test_the_first_bytes_of_a_file_are_asked_for_once(here, monkeypatch):
    write(here / "x", {"a.jpg": JPEG, "b.json": b"{}"})
    head, heads = SourceFile.head, []
    monkeypatch.setattr(SourceFile, "head", lambda file: heads.append(file.file_name) or head(file))
    assert len(told("x")) == 2
    assert heads == ["a.jpg", "b.json"]


def test_what_is_no_fault_is_counted_and_not_named(capsys):
    assert set(REASONS) > NO_FAULT
    batch = Batch([Skipped("a.mov", "other_file", "QuickTime video"), Skipped("b.png", "empty"),
                   Skipped("c.xmp", "other_file"), Skipped(".d", "hidden")])
    counts = Counts()
    counts.add(batch)
    with FileProgress("nowhere", "x.db") as progress:
        progress.add(batch)
    assert capsys.readouterr().err == (
        "skipped b.png: empty\n"
        "left out as hidden: 1; --include_hidden reads them\n")
    assert counts.summary() == [
        "skipped: 2 other_file, 1 empty, 1 hidden",
        "processed 0, unchanged 0, skipped 4",
    ]
    assert counts.faults == 1


def test_a_run_without_any_skipped_file_ends_in_one_line():
    assert Counts(processed=2).summary() == ["processed 2, unchanged 0, skipped 0"]
