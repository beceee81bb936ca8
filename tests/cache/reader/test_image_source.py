"""Folders and ZIPs as one stream: what comes out, in which order, and what is left out with which reason."""
import io
import os
import sys
import threading
import tracemalloc
import zipfile
from functools import partial

import pytest
from PIL import Image

from cache.decoder import decoder_process
from cache.decoder.crop_spec import CropSpec
from cache.decoder.limits import Limits
from cache.decoder.pool import DecoderPool
from cache.reader.disk_files import dataset_name, disk_files
from cache.reader.image_source import images, is_zip_file
from cache.reader.open_archives import OpenArchives, ZipSource
from cache.reader.source_file import Archive, Picture, SetAside, Skipped, SourceFile
from cache.reader.zip_reader import LEAVE, ONLY
from cache.refusal import Refused
from tests.drawing import drawn, encoded, png, tag_folders, tree, write, zipped


def told(source, **options) -> list[tuple]:
    """The stream as short rows: (kind, path, what matters)."""
    rows = []
    for item in images(source, num_threads=2, **options):
        match item:
            case Picture():
                rows.append(("picture", item.file.file_path, item.file.folder))
            case Archive():
                rows.append(("archive", item.file.file_path, item.n_content))
            case Skipped():
                rows.append(("skipped", item.file_path, item.reason))
    return rows


def test_a_folder_is_read_in_the_order_of_its_names_and_every_file_is_accounted_for(here):
    write(here / "photos", {
        "loose.png": png(1), "cats/b.png": png(2), "cats/a.jpg": encoded(drawn(3), "JPEG"), "cats/notes.txt": b"hello",
        "dogs/old/c.png": png(4), "dogs/cut.png": png(5)[:100], "dogs/nothing.png": b"",
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
    monkeypatch.setattr(os, "stat", lambda path, *rest, **options: (asked.append(str(path)), stat(path, *rest, **options))[1])
    files = list(disk_files("photos"))
    assert asked.count("photos") == 3  # whether it exists, whether it is a folder, and as a part of the walk
    assert sorted(path for path in asked if path != "photos") == sorted(["photos/cats", "photos/dogs", *(file.file_path for file in files)])
    assert [file.absolute_path for file in files] == [str(here / file.file_path) for file in files]


def test_a_file_is_opened_by_its_content_whatever_it_is_called(here):
    write(here, {"x/picture.txt": png(1), "x/photo.jpg": encoded(drawn(2), "GIF"), "x/holiday.png": zipped({"a": png(3)})})
    items = list(images("x"))
    assert [(type(item).__name__, getattr(item, "type", None)) for item in items] == [
        ("Picture", "png"), ("Archive", None), ("Picture", "gif"), ("Picture", "png")]


def test_zips_are_read_to_any_depth_and_counted(here):
    inner = zipped({"cats/deep.png": png(1), "deeper.png": png(2)})
    write(here, {"all/photos.zip": zipped({"dogs/1.png": png(3), "cats/more.zip": inner, "readme.txt": b"text"})})
    assert told("all") == [
        ("picture", "all/photos.zip/dogs/1.png", "dogs"),
        ("picture", "all/photos.zip/cats/more.zip/cats/deep.png", "cats"),
        ("picture", "all/photos.zip/cats/more.zip/deeper.png", "cats"),  # an archive is no folder: the one around it is its tag
        ("archive", "all/photos.zip/cats/more.zip", 2),
        ("skipped", "all/photos.zip/readme.txt", "not_an_image"),
        ("archive", "all/photos.zip", 1),
    ]


def test_an_inner_zip_too_large_for_memory_is_spooled(here):
    write(here, {"outer.zip": zipped({"inner.zip": zipped({"a.png": png(1)})})})
    assert told("outer.zip", limits=Limits(inner_zip_memory_bytes=10))[0] == ("picture", "outer.zip/inner.zip/a.png", None)


@pytest.mark.parametrize("threads", [1, 5])
def test_the_order_does_not_depend_on_the_number_of_decoders(here, threads):
    large = {f"x/{number:02}.png": encoded(drawn(number, size=(40 + 400 * (number % 3), 60))) for number in range(24)}
    write(here, large)
    assert [item.file.file_path for item in images("x", num_threads=threads, window=7)] == sorted(large)


def test_the_other_archive_modes_say_where_the_rest_belongs(here):
    write(here, {"x/a.png": png(1), "x/b.zip": zipped({"c.png": png(2)})})
    assert told("x", archives=LEAVE) == [("picture", "x/a.png", None), ("skipped", "x/b.zip", "archive")]
    assert told("x", archives=ONLY) == [
        ("skipped", "x/a.png", "not_in_archive"), ("picture", "x/b.zip/c.png", None), ("archive", "x/b.zip", 1)]


def test_zip_members_that_could_hurt_are_left_out_and_their_neighbours_kept(here):
    write(here, {"x.zip": zipped({
        "/etc/passwd.png": png(1), "../up.png": png(2), "a/../../b.png": png(3), "C:\\windows\\c.png": png(4),
        "good\\windows.png": png(5), "bomb.bmp": bytes(3_000_000), "good.png": png(6),
    }, compression=zipfile.ZIP_DEFLATED)})
    assert told("x.zip") == [
        ("skipped", "x.zip//etc/passwd.png", "unsafe_name"),
        ("skipped", "x.zip/../up.png", "unsafe_name"),
        ("skipped", "x.zip/a/../../b.png", "unsafe_name"),
        ("skipped", "x.zip/C:/windows/c.png", "unsafe_name"),
        ("picture", "x.zip/good/windows.png", "good"),
        ("skipped", "x.zip/bomb.bmp", "expansion_ratio"),
        ("picture", "x.zip/good.png", None),
        ("archive", "x.zip", 2),
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_name_the_last_counts_as_for_unzip(here):
    with zipfile.ZipFile("x.zip", "w") as archive:
        for seed in (1, 2):
            archive.writestr("same.png", png(seed))
    assert told("x.zip") == [("skipped", "x.zip/same.png", "duplicate_name"), ("picture", "x.zip/same.png", None), ("archive", "x.zip", 1)]


def test_encrypted_members_and_broken_archives_are_named(here):
    locked = bytearray(zipped({"secret.png": png(1)}))
    central = locked.rfind(b"PK\x01\x02")
    for flags in (6, central + 8):
        locked[flags] |= 1
    wrong_sum = bytearray(zipped({"a.png": png(2)}))
    wrong_sum[60] ^= 0xFF
    write(here, {"x/cut.zip": zipped({"a.png": png(1)})[:-30], "x/locked.zip": bytes(locked), "x/sum.zip": bytes(wrong_sum)})
    assert told("x") == [
        ("skipped", "x/cut.zip", "bad_archive"),
        ("skipped", "x/locked.zip/secret.png", "encrypted"),
        ("archive", "x/locked.zip", 0),
        ("skipped", "x/sum.zip/a.png", "damaged"),
        ("archive", "x/sum.zip", 0),
    ]


def test_limits_keep_what_was_read(here):
    nest = zipped({"a.png": png(1)})
    for _ in range(3):
        nest = zipped({"in.zip": nest})
    write(here, {"nest.zip": nest, "many.zip": zipped({f"{number}.png": png(number) for number in range(4)}), "big.png": png(9)})
    assert told("nest.zip", limits=Limits(max_zip_depth=2)) == [
        ("skipped", "nest.zip/in.zip/in.zip", "nested_too_deep"), ("archive", "nest.zip/in.zip", 0), ("archive", "nest.zip", 0)]
    assert told("many.zip", limits=Limits(max_zip_entries=2)) == [
        ("picture", "many.zip/0.png", None), ("picture", "many.zip/1.png", None), ("archive", "many.zip", 2),
        ("skipped", "many.zip", "too_many_entries")]
    assert told("big.png", limits=Limits(max_member_mib=0)) == [("skipped", "big.png", "too_large")]


def test_what_is_set_aside_keeps_its_place_and_is_neither_decoded_nor_entered(here):
    write(here / "x", {"1.png": png(1), "2.zip": zipped({"inside.png": png(2)}), "3.png": b"no picture", "4.png": png(4)})
    ours = {"x/2.zip": "results", "x/3.png": "notes"}

    def known(file: SourceFile) -> SetAside | None:
        return SetAside(file, ours[file.file_path]) if file.file_path in ours else None

    picture, archive, notes, last = images("x", known=known)
    assert (picture.file.file_path, last.file.file_path) == ("x/1.png", "x/4.png")
    assert (archive, notes) == (SetAside(archive.file, "results"), SetAside(notes.file, "notes"))
    assert (archive.file.file_path, notes.file.file_path) == ("x/2.zip", "x/3.png")


def test_a_known_file_is_not_decoded_and_a_crop_comes_only_where_it_is_wanted(here):
    write(here, {"x/a.png": png(1), "x/b.png": png(2)})
    first, second = images("x", crop_for=lambda *hash_ids: CropSpec(8))
    assert first.crop.shape == second.crop.shape == (8, 8, 3)
    known = {first.file.file_path: first}
    again = list(images("x", known=lambda file: known.get(file.file_path), crop_for=lambda hash_id, old: None))
    assert again[0] is first
    assert again[1].crop is None


def test_a_thousand_zips_take_few_file_descriptors(here):
    members = {f"zips/{number:04}.zip": zipped({"in.zip": zipped({"a.png": png(number)})}) for number in range(60)}
    write(here, members)
    most = []
    found = 0
    for item in images("zips", num_threads=2):
        found += isinstance(item, Picture)
        most.append(len(os.listdir("/proc/self/fd")))
    assert found == 60
    assert max(most) - min(most) < 12


def test_odd_folder_names_in_zips_are_no_tags(here):
    write(here, {"x.zip": zipped({"./a.png": png(1), "cats//b.png": png(2), "./dogs/./c.png": png(3)})})
    assert [item.file.folder for item in images("x.zip") if isinstance(item, Picture)] == [None, "cats", "dogs"]
    assert told("x.zip", tagged=True)[0] == ("skipped", "x.zip/./a.png", "outside_tag_folder")


def test_names_in_utf8_without_the_flag_are_read_as_utf8(here):
    data = zipped({"Vögel/ä.png": png(1)})
    assert data.count(b"\x00\x08") >= 2  # the flag, in the local header and in the table of contents
    unflagged = bytearray(data)
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = unflagged.find(header) + offset
        unflagged[at:at + 2] = b"\x00\x00"
    write(here, {"x.zip": bytes(unflagged)})
    assert told("x.zip")[0] == ("picture", "x.zip/Vögel/ä.png", "Vögel")


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


def test_a_decoder_that_hangs_is_killed_and_one_that_dies_is_replaced(here, monkeypatch):
    write(here, {"x/a.png": png(1), "x/b.png": png(2)})
    ready = "print('{\"payload\": 0}', flush=True)"
    monkeypatch.setattr(decoder_process, "WORKER", [sys.executable, "-c", f"{ready}; import threading; threading.Event().wait()"])
    assert [(item.reason, item.detail) for item in images("x", limits=Limits(file_timeout=0.3))] == [("timeout", "0.3 s")] * 2
    monkeypatch.setattr(decoder_process, "WORKER", [sys.executable, "-c", f"{ready}; import sys; sys.stdin.buffer.readline()"])
    assert [(item.reason, item.detail) for item in images("x")] == [("damaged", "the decoder crashed")] * 2


def test_a_decoder_that_cannot_start_is_an_error_not_a_damaged_picture(here, monkeypatch):
    write(here, {"x/a.png": png(1)})
    monkeypatch.setattr(decoder_process, "WORKER", [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(Refused, match="the decoder process does not start"):
        list(images("x"))


def test_a_decoder_killed_between_two_files_costs_neither(here):
    with DecoderPool(1) as pool:
        files = list(disk_files(write(here, {"x/a.png": png(1), "x/b.png": png(2)}) / "x"))
        done = []
        for file in files:
            done += pool.map([file], lambda file, outcome: outcome, lambda *hash_ids: None)
            pool._decoders[0]._process.kill()
            pool._decoders[0]._process.wait()
    assert [outcome.identity["type"] for outcome in done] == ["png", "png"]


def test_nothing_in_the_persons_folder_is_imported(here):
    write(here, {"x/a.png": png(1), "json.py": b"raise SystemExit(9)", "cache.py": b"raise SystemExit(9)", "PIL/__init__.py": b"1/0"})
    assert told("x") == [("picture", "x/a.png", None)]


def test_a_stream_that_is_left_early_takes_its_decoders_along(here):
    write(here, tag_folders())
    before = set(threading.enumerate())
    stream = images(".", num_threads=2)
    next(stream)
    assert {thread.name for thread in set(threading.enumerate()) - before} >= {"decoder-watchdog"}
    stream.close()
    assert set(threading.enumerate()) == before


def test_an_error_while_asking_for_a_crop_ends_the_stream(here):
    write(here, tag_folders())

    def crop_for(*hash_ids):
        raise Refused("no encoder")

    with pytest.raises(Refused, match="no encoder"):
        list(images(".", crop_for=crop_for))


def test_a_missing_source_is_refused_by_name(here):
    with pytest.raises(Refused, match="no such file or folder: nowhere"):
        list(images("nowhere"))


def test_small_questions_about_a_source(here):
    write(here, {"my.photos/a.png": png(1), "b.zip": zipped({"a": b""}), "c.zip": png(1)})
    assert (dataset_name("my.photos"), dataset_name("b.zip")) == ("my.photos", "b")
    assert [is_zip_file(path) for path in ("b.zip", "c.zip", "my.photos", "nowhere")] == [True, False, False, False]


def test_a_file_that_cannot_be_read_any_more_is_no_zip(here, monkeypatch):
    write(here, {"b.zip": zipped({"a": b""})})
    gone = Skipped("b.zip", "unreadable", "Permission denied")
    monkeypatch.setattr("cache.reader.image_source.disk_files", lambda path: iter([gone]))
    assert not is_zip_file("b.zip")


def test_a_decoder_that_wants_more_memory_than_a_picture_at_the_limit_is_stopped_and_the_next_picture_read(here):
    """WebP takes 16 bytes a pixel on the way: 47 MB where 28 MiB are allowed."""
    greedy = encoded(Image.new("RGB", (1_650, 1_650)), "WEBP", lossless=True)
    write(here / "photos", {"a.webp": greedy, "b.png": png(1)})
    found = list(images("photos", num_threads=1, limits=Limits(max_decoded_mib=8)))
    assert found[0] == Skipped("photos/a.webp", "too_many_pixels", "more memory than a decoder may have")
    assert found[1].type == "png"


def test_a_zip_with_too_many_entries_is_read_as_far_as_its_limit_without_making_the_rest(here, monkeypatch):
    made = []
    monkeypatch.setattr(zipfile.ZipInfo, "_decodeExtra", lambda info, *rest: made.append(info.filename))
    write(here, {"many.zip": zipped({f"{number:04}.png": png(number) for number in range(50)})})
    found = list(images("many.zip", limits=Limits(max_zip_entries=3)))
    assert [(item.file.file_path, item.type) for item in found[:3]] == [(f"many.zip/000{number}.png", "png") for number in range(3)]
    assert (found[3].n_content, found[4:]) == (3, [Skipped("many.zip", "too_many_entries", "50 entries")])
    assert len(made) < 10


def test_a_table_of_contents_beyond_all_measure_is_read_as_far_as_it_is_allowed_to_go(here, monkeypatch):
    monkeypatch.setattr("cache.reader.bounded_table.FEWEST_TABLE_BYTES", 1000)
    monkeypatch.setattr("cache.reader.bounded_table.TABLE_BYTES", 0)
    write(here, {"many.zip": zipped({f"{number:04}.png": b"" for number in range(50)}), "z.png": png(1)})
    found = list(images("."))
    assert [(item.reason, item.file_path) for item in found[:18]] == [("empty", f"./many.zip/{number:04}.png") for number in range(18)]
    assert found[19:-1] == [Skipped("./many.zip", "too_many_entries", "19 entries")]
    assert found[-1].type == "png"


def test_open_archives_are_few_but_those_around_an_archive_stay(here):
    def source(letter: str, around: ZipSource | None = None) -> ZipSource:
        return ZipSource(partial(io.BytesIO, zipped({f"{letter}{number}": b"x" for number in range(3)})), 10, around)

    archives = OpenArchives(most=8, most_table_bytes=200)
    outer = source("a")
    inner, other, last = source("b", outer), source("c", outer), source("d")
    for found in (outer, inner, other):
        infos, total = archives.table(found)
        assert (archives.member(found, infos[2]).read(), total) == (b"x", 3)
    assert list(archives._open) == [outer, inner, other]
    archives.table(last)
    assert list(archives._open) == [other, last]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_a_member_that_unpacks_to_more_than_it_says_is_unpacked_no_further(here, method):
    """100 MB of zeros in a kilobyte or two, said to be a megabyte and a half."""
    data = zipped({"bomb.png": bytes(100_000_000), "z.png": png(1)}, compression=method)
    size = (100_000_000).to_bytes(4, "little")
    write(here, {"x.zip": data.replace(size, (1_000_000).to_bytes(4, "little"))})
    tracemalloc.start()
    found = list(images("x.zip", num_threads=1))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0] == Skipped("x.zip/bomb.png", "damaged", "BadZipFile: Bad CRC-32")
    assert found[1].type == "png"
    assert most < 20_000_000


def test_what_a_decoder_was_allowed_for_one_picture_does_not_bound_the_bytes_of_the_next(here):
    """Behind a small picture, under its limit, comes a file larger than all that limit."""
    large = png(1) + bytes(150_000_000)
    write(here, {"a.png": png(0), "b.png": large})
    assert [item.type for item in images(".", num_threads=1, limits=Limits(max_decoded_mib=8))] == ["png", "png"]
