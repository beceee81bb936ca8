"""What programs and systems keep among pictures is left out with a reason of its own, and comes back if
asked for."""
import io
import os
import stat
import unicodedata
import zipfile
from types import SimpleNamespace

import pytest
from tqdm import tqdm

from cache.cache_file import FileCache
from cache.limits import Limits
from cache.reader import hidden
from cache.reader.batches import Batch, Counts
from cache.reader.disk_files import disk_files
from cache.reader.file_progress import FileProgress
from cache.reader.hidden import is_hidden_entry, is_hidden_name
from cache.reader.image_source import images
from cache.reader.source_file import Skipped
from tests.cache.reader.told import told
from tests.drawing import png, write, zipped

NOBODYS = [
    "@eaDir", ".picasaoriginals", ".thumbnails", "__MACOSX", "._a.png", "#recycle", "$RECYCLE.BIN",
    "lost+found", "System Volume Information", "Thumbs.db", "thumbs.DB", "desktop.ini",
    ".a.png", "....png", ".two\nlines",
]
A_PERSONS = ["a.png", "eaDir", "recycle", "MACOSX", "lost", "Thumbs.db.png", "_a.png", "#1.png", ".", ".."]


def test_what_is_nobodys_is_told_by_its_name():
    assert [name for name in NOBODYS + A_PERSONS if is_hidden_name(name)] == NOBODYS


def test_thumbnails_of_a_nas_and_files_of_a_mac_are_no_pictures_and_no_tags(here):
    write(here / "photos", {
        "cats/@eaDir/a.png/0.jpg": png(1),
        "cats/._a.png": png(2),
        "cats/a.png": png(3),
        "cats.zip": zipped({
            "cats/b.png": png(4), "__MACOSX/cats/._b.png": png(5), "dogs/.thumbnails/c.png": png(6)}),
    })
    assert told("photos") == [
        ("skipped", "photos/cats/._a.png", "hidden"),
        ("skipped", "photos/cats/@eaDir", "hidden"),
        ("picture", "photos/cats/a.png", "cats"),
        ("picture", "photos/cats.zip/cats/b.png", "cats"),
        ("skipped", "photos/cats.zip/__MACOSX/cats/._b.png", "hidden"),
        ("skipped", "photos/cats.zip/dogs/.thumbnails/c.png", "hidden"),
        ("archive", "photos/cats.zip", 1),
    ]
    rows = told("photos", limits=Limits(include_hidden=True))
    assert [path.removeprefix("photos/") for kind, path, _ in rows if kind == "picture"] == [
        "cats/._a.png",
        "cats/@eaDir/a.png/0.jpg",
        "cats/a.png",
        "cats.zip/cats/b.png",
        "cats.zip/__MACOSX/cats/._b.png",
        "cats.zip/dogs/.thumbnails/c.png",
    ]


def test_what_a_person_names_is_read_whatever_it_is_called(here):
    write(here, {".thumbnails/a.png": png(1), ".b.zip": zipped({"b.png": png(2)}), ".c.png": png(3)})
    assert told(".thumbnails") == [("picture", ".thumbnails/a.png", None)]
    assert told(".b.zip") == [("picture", ".b.zip/b.png", None), ("archive", ".b.zip", 1)]
    assert told(".c.png") == [("picture", ".c.png", None)]


def test_a_hidden_folder_is_not_even_asked_for(here, monkeypatch):
    write(here, {"x/@eaDir/a.png": png(1), "x/b.png": png(2)})
    os.symlink("nowhere", here / "x" / ".link")
    stat_of, asked = os.stat, []
    monkeypatch.setattr(os, "stat", lambda path: asked.append(path) or stat_of(path))
    hidden_link, hidden_folder, file = disk_files("x")
    assert (hidden_link, hidden_folder) == (Skipped("x/.link", "hidden"), Skipped("x/@eaDir", "hidden"))
    assert file.file_path == "x/b.png"
    assert set(asked) == {"x", "x/b.png"}


@pytest.mark.parametrize(("attributes", "is_left_out"), [(0x20, False), (0x22, True)])
def test_on_windows_the_attribute_counts_too(monkeypatch, attributes, is_left_out):
    status = SimpleNamespace(st_file_attributes=attributes)
    entry = SimpleNamespace(name="a.png", stat=lambda follow_symlinks: status)
    monkeypatch.setattr(hidden, "ON_WINDOWS", True)
    assert is_hidden_entry(entry) is is_left_out
    monkeypatch.setattr(hidden, "ON_WINDOWS", False)
    assert not is_hidden_entry(entry)


def test_a_member_that_was_hidden_on_windows_is_hidden_in_a_zip_and_one_of_another_system_is_not(here):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for system, name in ((0, "windows.png"), (3, "unix.png")):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = system, stat.FILE_ATTRIBUTE_HIDDEN
            archive.writestr(info, png(system))
    write(here, {"x.zip": buffer.getvalue()})
    assert told("x.zip") == [
        ("skipped", "x.zip/windows.png", "hidden"),
        ("picture", "x.zip/unix.png", None),
        ("archive", "x.zip", 1),
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_hidden_name_the_first_is_replaced_and_the_last_left_out(here):
    with zipfile.ZipFile("x.zip", "w") as archive:
        for seed in (1, 2):
            archive.writestr("._same.png", png(seed))
    assert told("x.zip") == [
        ("skipped", "x.zip/._same.png", "duplicate_name"),
        ("skipped", "x.zip/._same.png", "hidden"),
        ("archive", "x.zip", 0),
    ]


def test_a_tag_of_a_mac_is_the_tag_of_everybody_else_and_its_files_are_opened_under_their_own_name(here):
    composed, taken_apart = (unicodedata.normalize(form, "Vögel") for form in ("NFC", "NFD"))
    members = {f"{taken_apart}/b.png": png(3)}
    write(here / "x", {f"{composed}/a.png": png(1), f"{taken_apart}/a.png": png(2), "b.zip": zipped(members)})
    pictures = [item.file for item in images("x") if not isinstance(item, Skipped)]
    assert sorted((picture.file_path, picture.folder) for picture in pictures) == sorted([
        (f"x/{composed}/a.png", composed),
        (f"x/{taken_apart}/a.png", composed),
        (f"x/b.zip/{taken_apart}/b.png", composed),
        ("x/b.zip", None),
    ])


def test_a_bar_counts_what_is_hidden_as_the_stream_does(here, monkeypatch):
    write(here / "x", {"@eaDir/a.png": b"", "@eaDir/b/c.png": b"", "cats/.a.png": b"", "cats/b.png": b""})
    bars = []
    monkeypatch.setattr("cache.reader.file_progress.is_watched", lambda: True)
    monkeypatch.setattr("cache.progress.is_watched", lambda: False)
    monkeypatch.setattr("tqdm.tqdm", lambda **options: bars.append(options["total"]) or tqdm(disable=True))
    for include_hidden in (False, True):
        FileProgress("x", "x.db", include_hidden)
        assert len(list(disk_files("x", include_hidden=include_hidden))) == bars[-1]
    assert bars == [3, 4]


def test_a_thousand_hidden_folders_are_one_line_and_hide_no_other_file(capsys):
    with FileProgress("nowhere", "x.db") as progress:
        progress.add(Batch([Skipped(f"{number}/@eaDir", "hidden") for number in range(1000)]))
        progress.add(Batch([Skipped("a.png", "empty")]))
    assert capsys.readouterr().err.splitlines() == [
        "skipped a.png: empty", "left out as hidden: 1,000; --include_hidden reads them"]


def test_where_all_is_hidden_it_is_said_how_it_can_be_read():
    counts = Counts()
    counts.add(Batch([Skipped(".a.png", "hidden"), Skipped(".b.png", "hidden"), Skipped("c.png", "empty")]))
    assert counts.why_nothing() == "(2 hidden, 1 empty); --include_hidden reads what is hidden"


def test_a_cache_takes_hidden_pictures_if_it_is_told_to(here):
    write(here / "x", {".a.png": png(1), "b.png": png(2)})
    counts = FileCache.add_folder_to_file_cache("x", include_hidden=False)
    assert (counts["processed"], counts["skipped"]) == (1, 1)
    counts = FileCache.add_folder_to_file_cache("x", include_hidden=True)
    assert (counts["processed"], counts["unchanged"], counts["skipped"]) == (1, 1, 0)
