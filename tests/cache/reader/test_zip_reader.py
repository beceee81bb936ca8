"""ZIPs as a part of the stream: what is read of them, what is refused, and at what cost."""
import io
import os
import tracemalloc
import zipfile
from functools import partial

import pytest

from cache.limits import Limits
from cache.reader.image_source import images
from cache.reader.open_archives import OpenArchives, ZipSource
from cache.reader.source_file import Picture, Skipped
from tests.cache.reader.told import told
from tests.drawing import png, write, zipped


def test_zips_are_read_to_any_depth_and_counted(here):
    inner = zipped({"cats/deep.png": png(1), "deeper.png": png(2)})
    outer = zipped({"dogs/1.png": png(3), "cats/more.zip": inner, "readme.txt": b"text"})
    write(here, {"all/photos.zip": outer})
    assert told("all") == [
        ("picture", "all/photos.zip/dogs/1.png", "dogs"),
        ("picture", "all/photos.zip/cats/more.zip/cats/deep.png", "cats"),
        # An archive is no folder: the one around it is its tag.
        ("picture", "all/photos.zip/cats/more.zip/deeper.png", "cats"),
        ("archive", "all/photos.zip/cats/more.zip", 2),
        ("skipped", "all/photos.zip/readme.txt", "not_an_image"),
        ("archive", "all/photos.zip", 1),
    ]


def test_an_inner_zip_too_large_for_memory_is_spooled(here):
    write(here, {"outer.zip": zipped({"inner.zip": zipped({"a.png": png(1)})})})
    assert told("outer.zip", limits=Limits(inner_zip_memory_bytes=10)) == [
        ("picture", "outer.zip/inner.zip/a.png", None),
        ("archive", "outer.zip/inner.zip", 1),
        ("archive", "outer.zip", 0),
    ]


def test_zip_members_that_could_hurt_are_left_out_and_their_neighbours_kept(here):
    write(here, {"x.zip": zipped({
        "/etc/passwd.png": png(1),
        "../up.png": png(2),
        "a/../../b.png": png(3),
        "C:\\windows\\c.png": png(4),
        "good\\windows.png": png(5),
        "bomb.bmp": bytes(3_000_000),
        "good.png": png(6),
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
    assert told("x.zip") == [
        ("skipped", "x.zip/same.png", "duplicate_name"),
        ("picture", "x.zip/same.png", None),
        ("archive", "x.zip", 1),
    ]


def test_encrypted_members_and_broken_archives_are_named(here):
    locked = bytearray(zipped({"secret.png": png(1)}))
    central = locked.rfind(b"PK\x01\x02")
    for flags in (6, central + 8):
        locked[flags] |= 1
    wrong_sum = bytearray(zipped({"a.png": png(2)}))
    wrong_sum[60] ^= 0xFF
    cut = zipped({"a.png": png(1)})[:-30]
    write(here, {"x/cut.zip": cut, "x/locked.zip": bytes(locked), "x/sum.zip": bytes(wrong_sum)})
    assert told("x") == [
        ("skipped", "x/cut.zip", "bad_archive"),
        ("skipped", "x/locked.zip/secret.png", "encrypted"),
        ("archive", "x/locked.zip", 0),
        ("skipped", "x/sum.zip/a.png", "damaged"),
        ("archive", "x/sum.zip", 0),
    ]


def test_a_thousand_zips_take_few_file_descriptors(here):
    for number in range(60):
        nested = zipped({"in.zip": zipped({"a.png": png(number)})})
        write(here, {f"zips/{number:04}.zip": nested})
    descriptors = []
    pictures = 0
    for item in images("zips", num_threads=2):
        pictures += isinstance(item, Picture)
        descriptors.append(len(os.listdir("/proc/self/fd")))
    assert pictures == 60
    assert max(descriptors) - min(descriptors) < 12


def test_odd_folder_names_in_zips_are_no_tags(here):
    write(here, {"x.zip": zipped({"./a.png": png(1), "cats//b.png": png(2), "./dogs/./c.png": png(3)})})
    pictures = [
        ("picture", "x.zip/cats//b.png", "cats"),
        ("picture", "x.zip/./dogs/./c.png", "dogs"),
    ]
    assert told("x.zip") == [("picture", "x.zip/./a.png", None), *pictures, ("archive", "x.zip", 3)]
    assert told("x.zip", tagged=True) == [
        ("skipped", "x.zip/./a.png", "outside_tag_folder"), *pictures, ("archive", "x.zip", 2)]


def test_names_in_utf8_without_the_flag_are_read_as_utf8(here):
    data = zipped({"Vögel/ä.png": png(1)})
    assert data.count(b"\x00\x08") >= 2  # the flag, in the local header and in the table of contents
    unflagged = bytearray(data)
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = unflagged.find(header) + offset
        unflagged[at:at + 2] = b"\x00\x00"
    write(here, {"x.zip": bytes(unflagged)})
    assert told("x.zip")[0] == ("picture", "x.zip/Vögel/ä.png", "Vögel")


def test_a_zip_with_too_many_entries_is_read_as_far_as_its_limit_without_making_the_rest(here, monkeypatch):
    made = []
    monkeypatch.setattr(zipfile.ZipInfo, "_decodeExtra", lambda info, *rest: made.append(info.filename))
    write(here, {"many.zip": zipped({f"{number:04}.png": png(number) for number in range(50)})})
    *pictures, archive, skipped = images("many.zip", limits=Limits(max_zip_entries=3))
    paths = [picture.file.file_path for picture in pictures]
    assert paths == ["many.zip/0000.png", "many.zip/0001.png", "many.zip/0002.png"]
    assert archive.n_content == 3
    assert skipped == Skipped("many.zip", "too_many_entries", "50 entries")
    assert len(made) < 10


def test_a_table_of_contents_beyond_all_measure_is_read_as_far_as_it_is_allowed_to_go(here, monkeypatch):
    monkeypatch.setattr("cache.reader.zip_table.FEWEST_TABLE_BYTES", 1000)
    monkeypatch.setattr("cache.reader.zip_table.TABLE_BYTES", 0)
    many = zipped({f"{number:04}.png": b"" for number in range(50)})
    write(here, {"many.zip": many, "z.png": png(1)})
    *entries, archive, skipped, picture = images(".")
    assert entries == [Skipped(f"./many.zip/{number:04}.png", "empty") for number in range(18)]
    assert (archive.file.file_path, archive.n_content) == ("./many.zip", 0)
    assert skipped == Skipped("./many.zip", "too_many_entries", "19 entries")
    assert picture.type == "png"


def test_open_archives_are_few_but_those_around_an_archive_stay(here):
    def source(letter: str, around: ZipSource | None = None) -> ZipSource:
        data = zipped({f"{letter}{number}": b"x" for number in range(3)})
        return ZipSource(partial(io.BytesIO, data), 10, around)

    archives = OpenArchives(most=8, most_table_bytes=200)
    outer = source("a")
    inner, other, last = source("b", outer), source("c", outer), source("d")
    for opened in (outer, inner, other):
        table = archives.table(opened)
        assert (archives.member(opened, table.infos[2]).read(), table.total) == (b"x", 3)
    assert list(archives._open) == [outer, inner, other]
    archives.table(last)
    assert list(archives._open) == [other, last]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_a_member_that_unpacks_to_more_than_it_says_is_unpacked_no_further(here, method):
    """100 MB of zeros behind the first bytes of a PNG, in a kilobyte or two, said to be one megabyte."""
    data = zipped({"bomb.png": b"\x89PNG".ljust(100_000_000, b"\0"), "z.png": png(1)}, compression=method)
    size = (100_000_000).to_bytes(4, "little")
    write(here, {"x.zip": data.replace(size, (1_000_000).to_bytes(4, "little"))})
    tracemalloc.start()
    bomb, picture, _ = images("x.zip", num_threads=1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bomb == Skipped("x.zip/bomb.png", "damaged", "BadZipFile: Bad CRC-32")
    assert picture.type == "png"
    assert most < 20_000_000
