"""The doctor names what a run would skip and what else is odd among pictures, and changes nothing."""
import json
import os
from collections.abc import Iterator

import pytest
from PIL import Image

from cache.cache_file import FileCache
from cache.doctor import command as doctor
from cache.formats.image_decoder import decode, open_image
from cache.limits import Limits
from cache.reader.image_source import images
from cache.reader.source_file import Item
from tests.cache.doctor.reported import findings_of, report
from tests.cache.formats.dng_files import bare_dng, light
from tests.cache.formats.jxl_files import jxl
from tests.drawing import drawn, encoded, png, write, zipped


def turned(orientation: int, file_format: str = "JPEG", seed: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(drawn(seed), file_format, exif=exif)


def test_what_would_be_skipped_and_what_is_odd_is_named(here, capsys):
    write(here / "photos", {
        "cats/1.png": png(1),
        "cats/a.jpg": png(2),
        "cats/broken.jpg": b"\xff\xd8\xff",
        "dogs/b.jpg": turned(6),
        "pets/copy.png": png(1),
        "notes.txt": b"text",
        "trip.jpg": zipped({"day/1.png": png(1), "empty.png": b"", "own.sqlite": b"SQLite format 3\0"}),
    })
    assert report(capsys, "photos") == (3, """\
5 pictures, 1 ZIP

would be skipped: 4 (2 not_an_image, 1 damaged, 1 empty)
  photos/cats/broken.jpg      damaged (unreadable header)
  photos/notes.txt            not_an_image
  photos/trip.jpg/empty.png   empty
  photos/trip.jpg/own.sqlite  not_an_image
mislabelled, read by their content: 2
  photos/cats/a.jpg  is png
  photos/trip.jpg    is zip
sideways, read upright: 1
  photos/dogs/b.jpg  turned by 90 degrees
the same pixels under different tags: 1
  photos/cats/1.png  = photos/pets/copy.png = photos/trip.jpg/day/1.png
tags with a single picture, too few to measure anything: 3
  photos/trip.jpg/day  the tag day has one picture: it is learnt, but two are needed to measure anything
  photos/dogs          the tag dogs has one picture: it is learnt, but two are needed to measure anything
  photos/pets          the tag pets has one picture: it is learnt, but two are needed to measure anything

4 problems, 7 notes
""")


def test_one_of_a_kind_is_in_the_singular_and_nothing_is_said_in_words(here, capsys):
    write(here, {"good/1.png": png(1), "bad/1.png": png(1), "bad/2.gif": png(2), "bad/3.png": b"x"})
    assert report(capsys, "good") == (0, "1 picture\n\nno problems, nothing to note\n")
    assert report(capsys, "bad")[1].splitlines()[-1] == "1 problem, 2 notes"
    assert report(capsys, "bad/2.gif") == (
        0, "1 picture\n\nmislabelled, read by their content: 1\n  bad/2.gif  is png\n\nno problems, 1 note\n")
    assert report(capsys, "bad/3.png")[1].splitlines()[-1] == "1 problem, nothing to note"


def test_raw_photographs_and_jpeg_xl_have_names_of_their_own(here, capsys):
    raw = bare_dng(light((0.1, 0.2, 0.3)))
    write(here / "photos", {
        "1.dng": raw, "2.NEF": png(1), "3.jpg": raw, "4.jxl": jxl(drawn(2)), "5.jxl": png(3)})
    named = [(finding["path"], finding["detail"]) for finding in findings_of(capsys, "photos")
             if finding["kind"] == "mislabelled"]
    assert named == [("photos/2.NEF", "is png"), ("photos/3.jpg", "is raw"), ("photos/5.jxl", "is png")]


def test_the_same_as_json_is_one_object(here, capsys):
    write(here / "photos", {
        "1.png": png(1), "2.jpg": png(1), "3.jpg": turned(8, seed=3), "4.png": b"x", "5.png": b""})
    code, text = report(capsys, "photos", "--json")
    cache = FileCache.add_folder_to_file_cache("photos/1.png")["db_path"]
    hash_id = FileCache.get_random_hash(cache)["hash_id"]
    assert code == 3
    assert json.loads(text) == {
        "path": "photos", "pictures": 3, "archives": 0, "databases": 0, "metadata": 0, "models": 0,
        "problems": [
            {"kind": "skipped", "path": "photos/4.png", "detail": "not_an_image", "reason": "not_an_image"},
            {"kind": "skipped", "path": "photos/5.png", "detail": "empty", "reason": "empty"},
        ],
        "notes": [
            {"kind": "mislabelled", "path": "photos/2.jpg", "detail": "is png", "type": "png"},
            {"kind": "sideways", "path": "photos/3.jpg", "detail": "turned by 270 degrees", "orientation": 8},
            {"kind": "duplicate", "path": "photos/1.png", "detail": "= photos/2.jpg", "hash_id": hash_id,
             "paths": ["photos/1.png", "photos/2.jpg"]},
            {"kind": "untagged", "path": "photos", "pictures": 3,
             "detail": "3 of 3 pictures; stage 1 leaves them out, or takes all with --no-tagged_dataset"},
        ],
    }


def test_twenty_lines_of_a_kind_are_shown_and_three_paths_of_a_line(here, capsys):
    write(here / "photos", {f"{number:02}.txt": b"x" for number in range(23)})
    write(here / "photos", {f"cats/{number}.png": png(number // 6) for number in range(7)})
    lines = report(capsys, "photos")[1].splitlines()
    assert lines[3:5] + lines[22:27] == [
        "  photos/00.txt  not_an_image",
        "  photos/01.txt  not_an_image",
        "  photos/19.txt  not_an_image",
        "  ... and 3 more (--json names all)",
        "duplicates, the same pixels: 1",
        "  photos/cats/0.png  = photos/cats/1.png = photos/cats/2.png = photos/cats/3.png and 2 more",
        "",
    ]
    assert len(findings_of(capsys, "photos")) == 24


def test_a_name_cannot_write_on_the_terminal(here, capsys):
    write(here / "photos", {"\x1b[2J\n.txt": b"x"})
    assert report(capsys, "photos")[1].splitlines()[3] == "  photos/\\x1b[2J\\n.txt  not_an_image"


@pytest.mark.parametrize("name", ["photo", "photo.txt", "photo.PNG", "photo.tar.png"])
def test_a_name_that_claims_no_other_picture_is_no_wrong_label(here, capsys, name):
    write(here / "photos", {name: png(1)})
    assert findings_of(capsys, "photos") == []


def test_what_stage_1_leaves_out_and_stage_2_does_not_learn_is_said_beforehand(here, capsys):
    tagged = {"photos/cats/1.png": png(2), "photos/cats/2.png": png(3), "photos/dogs/1.png": png(4)}
    write(here, {**tagged, "photos/loose.png": png(1), "loose/1.png": png(1), "loose/2.png": png(2)})
    assert report(capsys, "photos")[1].splitlines()[2:6] == [
        "in no tag folder: 1",
        "  photos  1 of 4 pictures; stage 1 leaves them out, or takes all with --no-tagged_dataset",
        "tags with a single picture, too few to measure anything: 1",
        "  photos/dogs  the tag dogs has one picture: it is learnt, but two are needed to measure anything",
    ]
    assert report(capsys, "loose")[1].splitlines()[2:4] == [
        "in no tag folder: 1",
        "  loose  2 of 2 pictures; stage 1 leaves them out, or takes all with --no-tagged_dataset",
    ]


def test_what_systems_and_programs_leave_in_folders_is_no_problem(here, capsys):
    write(here / "photos/cats", {".DS_Store": b"Bud1", "Thumbs.db": b"x", "@eaDir/1.png/0.jpg": png(1)})
    write(here / "photos", {"all.zip": zipped({"__MACOSX/._1.png": b"\0\5\x16\7"})})
    write(here / "photos/cats", {"1.png": png(1), "2.png": png(2)})
    assert report(capsys, "photos") == (0, """\
2 pictures, 1 ZIP

hidden, or made by a program: skipped without --include_hidden: 4
  photos/all.zip/__MACOSX/._1.png
  photos/cats/.DS_Store
  photos/cats/@eaDir
  photos/cats/Thumbs.db

no problems, 4 notes
""")
    assert report(capsys, "photos", "--include-hidden")[1].splitlines()[:6] == [
        "3 pictures, 1 ZIP",
        "",
        "would be skipped: 3",
        "  photos/all.zip/__MACOSX/._1.png  not_an_image",
        "  photos/cats/.DS_Store            not_an_image",
        "  photos/cats/Thumbs.db            not_an_image",
    ]


def test_links_to_one_file_are_no_duplicates(here, capsys):
    write(here / "photos", {"1.png": png(1)})
    os.link("photos/1.png", "photos/hard.png")
    os.symlink("1.png", "photos/soft.png")
    assert findings_of(capsys, "photos") == []


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_sideways_picture_is_named_with_its_turn(here, capsys, file_format):
    write(here / "photos", {
        f"{number}.{file_format}": turned(number, file_format, seed=number) for number in range(10)})
    assert [(finding["path"], finding["detail"]) for finding in findings_of(capsys, "photos")] == [
        (f"photos/2.{file_format}", "mirrored"),
        (f"photos/3.{file_format}", "turned by 180 degrees"),
        (f"photos/4.{file_format}", "mirrored and turned by 180 degrees"),
        (f"photos/5.{file_format}", "mirrored and turned by 270 degrees"),
        (f"photos/6.{file_format}", "turned by 90 degrees"),
        (f"photos/7.{file_format}", "mirrored and turned by 90 degrees"),
        (f"photos/8.{file_format}", "turned by 270 degrees"),
    ]


# Its orientation is text; below the same bytes as a number.
WORD = b"Exif\0\0II*\0\x08\0\0\0\1\0" + b"\x12\1\2\0\2\0\0\0" + b"6\0\0\0" + bytes(4)
BROKEN_EXIF = {
    "cut": b"Exif\0\0MM\0*" + b"\xff" * 40,
    "nonsense": b"Exif\0\0nonsense",
    "a word": WORD,
    "a number too large": WORD.replace(b"\2\0\2\0", b"\3\0\1\0"),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
def test_broken_exif_is_upright_and_costs_no_picture(exif, file_format):
    image = open_image(encoded(drawn(1), file_format, exif=exif), Limits())
    assert decode(image)[0]["orientation"] == 1


def test_limits_are_those_of_the_run_that_is_meant(here, capsys, monkeypatch):
    write(here / "photos", {"1.png": png(1)})
    wanted = []

    def noted_images(*source: str, **options: object) -> Iterator[Item]:
        wanted.append(options["num_threads"])
        return images(*source, **options)

    monkeypatch.setattr(doctor, "images", noted_images)
    assert report(capsys, "photos", "--max-pixels", "1919")[0] == 3
    assert report(capsys, "photos", "--max_pixels", "1920", "--num-threads", "1")[0] == 0
    assert wanted == [4, 1]
