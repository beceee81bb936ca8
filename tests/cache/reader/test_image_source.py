"""Folders and ZIPs as one stream: what comes out, in which order, and what is left out with which reason."""
import os

import pytest
from PIL import ExifTags, Image

from cache.decoder import decoder_process
from cache.limits import Limits
from cache.pixels.crop_spec import CropSpec
from cache.reader.disk_files import dataset_name, disk_files
from cache.reader.image_source import images, is_zip_file
from cache.reader.source_file import SetAside, Skipped, SourceFile
from cache.reader.zip_reader import LEAVE, ONLY
from cache.refusal import Refused
from tests.cache.reader.told import told
from tests.drawing import drawn, encoded, png, tag_folders, tree, write, zipped


def test_a_folder_is_read_in_the_order_of_its_names_and_every_file_is_accounted_for(here):
    write(here / "photos", {
        "loose.png": png(1),
        "cats/b.png": png(2),
        "cats/a.jpg": encoded(drawn(3), "JPEG"),
        "cats/notes.txt": b"hello",
        "dogs/old/c.png": png(4),
        "dogs/cut.png": png(5)[:100],
        "dogs/nothing.png": b"",
    })
    before = tree(here)
    assert told("photos") == [
        ("picture", "photos/cats/a.jpg", "cats"),
        ("picture", "photos/cats/b.png", "cats"),
        ("skipped", "photos/cats/notes.txt", "not_an_image"),
        ("skipped", "photos/dogs/cut.png", "damaged"),
        ("skipped", "photos/dogs/nothing.png", "empty"),
        ("picture", "photos/dogs/old/c.png", "old"),
        ("picture", "photos/loose.png", None),
    ]
    assert tree(here) == before


def test_a_listing_asks_the_system_once_for_each_file_and_folder(here, monkeypatch):
    write(here / "photos", tag_folders(4))
    stat, asked = os.stat, []

    def watched(path, *rest, **options):
        asked.append(str(path))
        return stat(path, *rest, **options)

    monkeypatch.setattr(os, "stat", watched)
    files = list(disk_files("photos"))
    assert asked.count("photos") == 3  # whether it exists, whether it is a folder, and as a part of the walk
    others = ["photos/cats", "photos/dogs", *(file.file_path for file in files)]
    assert sorted(path for path in asked if path != "photos") == sorted(others)
    assert [file.absolute_path for file in files] == [str(here / file.file_path) for file in files]


def test_a_file_is_opened_by_its_content_whatever_it_is_called(here):
    write(here, {
        "x/picture.txt": png(1),
        "x/photo.jpg": encoded(drawn(2), "GIF"),
        "x/holiday.png": zipped({"a": png(3)}),
    })
    items = list(images("x"))
    assert [(type(item).__name__, getattr(item, "type", None)) for item in items] == [
        ("Picture", "png"), ("Archive", None), ("Picture", "gif"), ("Picture", "png")]


def test_the_other_archive_modes_say_where_the_rest_belongs(here):
    write(here, {"x/a.png": png(1), "x/b.zip": zipped({"c.png": png(2)})})
    assert told("x", archives=LEAVE) == [("picture", "x/a.png", None), ("skipped", "x/b.zip", "archive")]
    assert told("x", archives=ONLY) == [
        ("skipped", "x/a.png", "not_in_archive"),
        ("picture", "x/b.zip/c.png", None),
        ("archive", "x/b.zip", 1),
    ]


def test_limits_keep_what_was_read(here):
    nest = zipped({"a.png": png(1)})
    for _ in range(3):
        nest = zipped({"in.zip": nest})
    many = zipped({f"{number}.png": png(number) for number in range(4)})
    write(here, {"nest.zip": nest, "many.zip": many, "big.png": png(9)})
    assert told("nest.zip", limits=Limits(max_zip_depth=2)) == [
        ("skipped", "nest.zip/in.zip/in.zip", "nested_too_deep"),
        ("archive", "nest.zip/in.zip", 0),
        ("archive", "nest.zip", 0),
    ]
    assert told("many.zip", limits=Limits(max_zip_entries=2)) == [
        ("picture", "many.zip/0.png", None),
        ("picture", "many.zip/1.png", None),
        ("archive", "many.zip", 2),
        ("skipped", "many.zip", "too_many_entries"),
    ]
    assert told("big.png", limits=Limits(max_member_mib=0)) == [("skipped", "big.png", "too_large")]


def test_what_is_set_aside_keeps_its_place_and_is_neither_decoded_nor_entered(here):
    write(here / "x", {
        "1.png": png(1),
        "2.zip": zipped({"inside.png": png(2)}),
        "3.png": b"no picture",
        "4.png": png(4),
    })
    ours = {"x/2.zip": "results", "x/3.png": "notes"}

    def known(file: SourceFile) -> SetAside | None:
        return SetAside(file, ours[file.file_path]) if file.file_path in ours else None

    picture, archive, notes, last = images("x", known=known)
    assert (picture.file.file_path, last.file.file_path) == ("x/1.png", "x/4.png")
    assert (archive, notes) == (SetAside(archive.file, "results"), SetAside(notes.file, "notes"))
    assert (archive.file.file_path, notes.file.file_path) == ("x/2.zip", "x/3.png")


def test_a_known_file_is_not_decoded_and_a_crop_comes_only_where_it_is_wanted(here):
    write(here, {"x/a.png": png(1), "x/b.png": png(2)})
    first, second = images("x", crop_for=lambda picture: CropSpec(8))
    assert first.crop.shape == second.crop.shape == (8, 8, 3)
    known = {first.file.file_path: first}
    same, other = images("x", known=lambda file: known.get(file.file_path))
    assert same is first
    assert other.crop is None


def test_pictures_outside_a_tag_folder_are_not_even_decoded(here, monkeypatch):
    write(here, {"x/a.png": png(1)})
    monkeypatch.setattr(decoder_process, "WORKER", ["/bin/false"])
    assert told("x", tagged=True) == [("skipped", "x/a.png", "outside_tag_folder")]


def test_links_are_followed_but_not_in_circles_and_odd_files_are_left_alone(here):
    write(here, {"x/cats/a.png": png(1)})
    os.symlink(here / "x", here / "x" / "round")
    os.symlink("nowhere", here / "x" / "broken.png")
    os.symlink("itself", here / "x" / "itself")
    os.symlink(here / "x" / "cats" / "a.png", here / "x" / "cats" / "b.png")
    os.mkfifo(here / "x" / "pipe.png")
    assert told("x") == [
        ("skipped", "x/broken.png", "unreadable"),
        ("picture", "x/cats/a.png", "cats"),
        ("picture", "x/cats/b.png", "cats"),
        ("skipped", "x/itself", "unreadable"),
        ("skipped", "x/pipe.png", "unreadable"),
        ("skipped", "x/round", "unreadable"),
    ]


def test_names_that_are_no_text_are_shown_as_text(here):
    write(here, {"x/a.png": png(1)})
    os.rename(b"x/a.png", b"x/caf\xe9 'quoted'\n.png")
    assert told("x") == [("picture", "x/caf\\xe9 'quoted'\n.png", None)]


def test_a_missing_source_is_refused_by_name(here):
    with pytest.raises(Refused, match="no such file or folder: nowhere"):
        list(images("nowhere"))


def test_small_questions_about_a_source(here):
    write(here, {"my.photos/a.png": png(1), "b.zip": zipped({"a": b""}), "c.zip": png(1)})
    assert (dataset_name("my.photos"), dataset_name("b.zip")) == ("my.photos", "b")
    assert is_zip_file("b.zip")
    assert not any(is_zip_file(path) for path in ("c.zip", "my.photos", "nowhere"))


def test_a_file_that_cannot_be_read_any_more_is_no_zip(here, monkeypatch):
    write(here, {"b.zip": zipped({"a": b""})})
    gone = Skipped("b.zip", "unreadable", "Permission denied")
    monkeypatch.setattr("cache.reader.image_source.disk_files", lambda path: iter([gone]))
    assert not is_zip_file("b.zip")


def test_a_picture_that_is_fitted_into_its_crop_comes_upright_and_without_what_is_around_it(here):
    """Left half white, as it is stored; orientation 6 turns it by 90 degrees: the upper half."""
    sideways = Image.new("RGB", (40, 20))
    sideways.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    write(here, {"sideways.png": encoded(sideways, exif=exif)})
    [picture] = images("sideways.png", crop_for=lambda picture: CropSpec(8, "longest"))
    assert picture.crop.shape == (8, 8, 3)
    assert picture.fitted.shape == (8, 4, 3)
    assert (picture.fitted.min(), picture.fitted[:3].min(), picture.fitted[5:].max()) == (0, 255, 0)
