"""Which table of contents counts, and what no table names: nothing of a ZIP is left out without a word."""
import io
import shutil
import struct
import subprocess
import zipfile

import pytest

from cache.reader.image_source import images
from cache.reader.open_zip import OpenZip
from cache.reader.source_file import Skipped
from cache.reader.stored_file import stored_file
from tests.cache.doctor.reported import findings_of
from tests.cache.reader.raw_zips import END, with_comment, with_table_of, zip_with_extra
from tests.cache.reader.told import told
from tests.drawing import drawn, encoded, png, write, zipped
from tests.promises.hostile.seeds import large, streamed

PICTURES = {"a.png": png(1), "b.png": png(2)}
EMPTY = zipped({})
BOTH = [("picture", "x.zip/a.png", None), ("picture", "x.zip/b.png", None), ("archive", "x.zip", 2)]
COMMENTS = {
    "an empty archive": EMPTY,
    "an archive": zipped({"c.png": png(3)}),
    "an end record": END + bytes(18),
    "an end record with a comment": END + struct.pack("<4H2LH", 0, 0, 0, 0, 0, 0, 5) + b"holes",
    "a record that begins before the file": END + struct.pack("<4H2LH", 0, 0, 1, 1, 2**31, 0, 0),
    "a record of no table": END + struct.pack("<4H2LH", 0, 0, 1, 1, 46, 0, 0),
    "the name of a record": b"see " + END,
    "records without end": END * 1000,
}


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
def test_a_comment_hides_nothing_whatever_stands_in_it(here, capsys, comment):
    write(here, {"x.zip": with_comment(zipped(PICTURES), comment)})
    assert told("x.zip") == BOTH
    assert findings_of(capsys, "x.zip") == []
    assert stored_file(str(here / "x.zip/b.png")).read() == png(2)


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
def test_nor_does_it_in_an_archive_of_64_bits_in_another(here, comment):
    inner = with_comment(large({"d.png": png(4)}), comment)
    write(here, {"x.zip": zipped({"in.zip": inner, **PICTURES})})
    assert told("x.zip") == [
        ("picture", "x.zip/in.zip/d.png", None), ("archive", "x.zip/in.zip", 1), *BOTH]


def without(named: int) -> int:
    """How many bytes the members before the last `named` of PICTURES take."""
    return sum(30 + len(name) + len(data) for name, data in list(PICTURES.items())[:len(PICTURES) - named])


@pytest.mark.parametrize("named", [0, 1])
@pytest.mark.parametrize("is_inner", [False, True])
def test_members_that_no_table_names_are_reported_and_the_others_read(here, capsys, named, is_inner):
    data = with_table_of(zipped(PICTURES), named)
    path = "x.zip/in.zip" if is_inner else "x.zip"
    write(here, {"x.zip": zipped({"in.zip": data}) if is_inner else data})
    detail = f"{without(named)} bytes of members are not in its table of contents"
    read = [path for kind, path, _ in told("x.zip") if kind == "picture"]
    assert read == [f"{path}/b.png"][:named]
    assert findings_of(capsys, "x.zip") == [{
        "kind": "skipped", "path": path, "detail": f"bad_archive ({detail})", "reason": "bad_archive"}]


def test_the_table_that_leaves_out_least_is_the_one_that_is_read(here):
    hidden = with_table_of(zipped({"lost.png": png(4), **PICTURES}), 2)
    write(here, {"x.zip": with_comment(hidden, EMPTY)})
    size = 30 + len("lost.png") + len(png(4))
    assert list(images("x.zip"))[-1] == Skipped(
        "x.zip", "bad_archive", f"{size} bytes of members are not in its table of contents")
    assert told("x.zip")[:-1] == BOTH


@pytest.mark.parametrize("make", [zipped, streamed])
@pytest.mark.parametrize("extra", [b"", bytes(5000)], ids=["plain", "with room that the table claims"])
def test_a_member_between_two_others_is_missed(make, extra):
    """Behind the bytes of a streamed one stands a descriptor, which belongs to it."""
    data = make({f"picture {number} of a long journey.png": png(number) for number in range(3)})
    table, end = data.index(b"PK\x01\x02"), data.rindex(END)
    _, first, _, third = data[table:end].split(b"PK\x01\x02")
    first = first[:26] + struct.pack("<H", len(extra)) + first[28:] + extra
    shorter = b"PK\x01\x02" + first + b"PK\x01\x02" + third
    record = struct.pack("<4s4H2LH", END, 0, 0, 2, 2, len(shorter), table, 0)
    archive = OpenZip(io.BytesIO(data[:table] + shorter + record), 10)
    second_start, third_start = data.index(b"PK\x03\x04", 1), data.rindex(b"PK\x03\x04")
    assert archive.table.unlisted == third_start - second_start


@pytest.mark.parametrize("wrong", [2**31, 0])
def test_a_member_that_the_table_looks_for_elsewhere_is_missed_where_it_is(here, wrong):
    data = zipped(PICTURES)
    at = data.rindex(b"PK\x01\x02") + 42
    write(here, {"x.zip": data[:at] + struct.pack("<L", wrong) + data[at + 4:]})
    *_, archive, skipped = images("x.zip")
    size = 30 + len("b.png") + len(png(2))
    assert skipped == Skipped(
        "x.zip", "bad_archive", f"{size} bytes of members are not in its table of contents")


def test_numbers_of_64_bits_are_read_where_the_table_has_no_room_for_them(here):
    data = zipped({"a.png": png(1)})
    table, end = data.index(b"PK\x01\x02"), data.rindex(END)
    numbers = struct.pack("<HH3Q", 1, 24, len(png(1)), len(png(1)), 0)
    entry = bytearray(data[table:end] + numbers)
    entry[20:28], entry[42:46] = b"\xff" * 8, b"\xff" * 4
    entry[30:32] = struct.pack("<H", len(numbers))
    record = struct.pack("<4s4H2LH", END, 0, 0, 1, 1, len(entry), table, 0)
    write(here, {"x.zip": data[:table] + bytes(entry) + record})
    assert told("x.zip") == [("picture", "x.zip/a.png", None), ("archive", "x.zip", 1)]


def test_what_stands_behind_an_archive_does_not_keep_it_from_being_read(here):
    write(here, {"x.zip": zipped(PICTURES) + b"\r\nbytes of a download"})
    assert told("x.zip") == BOTH


def test_two_archives_in_one_file_are_the_last_and_the_bytes_of_the_first(here):
    first = zipped({"lost.png": png(9)})
    write(here, {"x.zip": first + zipped(PICTURES)})
    assert told("x.zip") == [*BOTH, ("skipped", "x.zip", "bad_archive")]
    assert list(images("x.zip"))[-1].detail.startswith(f"{len(first)} bytes ")


def appended() -> bytes:
    buffer = io.BytesIO(zipped({"a.png": png(1)}))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("b.png", png(2))
    return buffer.getvalue()


def signed() -> bytes:
    """With a signing block before the table, as Android's packages have it."""
    data = zipped(PICTURES)
    table, end = data.index(b"PK\x01\x02"), data.rindex(END)
    block = struct.pack("<Q", 100) + bytes(76) + struct.pack("<Q", 100) + b"APK Sig Block 42"
    record = data[end:end + 16] + struct.pack("<L", table + len(block)) + data[end + 20:]
    return data[:table] + block + data[table:end] + record


ORDINARY = {
    "python": lambda: zipped(PICTURES),
    "deflated": lambda: zipped(PICTURES, compression=zipfile.ZIP_DEFLATED),
    "in 64 bits": lambda: large(PICTURES),
    "streamed": lambda: streamed(PICTURES),
    "appended to": appended,
    "behind four bytes": lambda: b"PK\x07\x08" + zipped(PICTURES),
    "aligned": lambda: zip_with_extra(PICTURES, struct.pack("<HH", 0xD935, 4000) + bytes(4000)),
    "signed": signed,
    "with an archive in it": lambda: zipped({"in.zip": zipped(PICTURES), **PICTURES}),
    "with an archive at its end": lambda: zipped({**PICTURES, "in.zip": zipped(PICTURES)}),
    "with a name of 900 bytes": lambda: zipped({f"{'n' * 890}.png": png(1), **PICTURES}),
    "with long text": lambda: with_comment(zipped(PICTURES), b"x" * 65535),
}


@pytest.mark.parametrize("make", ORDINARY.values(), ids=ORDINARY)
def test_an_ordinary_archive_is_not_reported(make):
    table = OpenZip(io.BytesIO(make()), 100).table
    assert table.unlisted == 0
    assert {"a.png", "b.png"} <= {info.filename for info in table.infos}


@pytest.mark.skipif(not shutil.which("zip"), reason="Info-ZIP is not installed")
@pytest.mark.parametrize("flags", [[], ["-0"], ["-X"], ["-fz"], ["-fd"], ["-z"], ["-"]], ids=str)
def test_an_archive_of_info_zip_is_not_reported(here, flags):
    write(here, {f"photos/ä{number}.png": png(number) for number in range(3)})
    target, *others = ["-"] if flags == ["-"] else ["x.zip", *flags]
    command = ["zip", "-qr", *others, target, "photos"]
    done = subprocess.run(command, input=b"a comment\n", capture_output=True, check=True)
    table = OpenZip(io.BytesIO(done.stdout if target == "-" else (here / "x.zip").read_bytes()), 100).table
    assert table.unlisted == 0
    names = sorted(info.filename for info in table.infos)
    assert names == ["photos/", *(f"photos/ä{number}.png" for number in range(3))]


def test_members_beyond_the_limit_are_too_many_not_hidden():
    table = OpenZip(io.BytesIO(zipped({f"{number}.png": png(number) for number in range(9)})), 4).table
    assert (len(table.infos), table.total, table.unlisted) == (4, 9, 0)


def test_an_ordinary_archive_is_asked_for_nothing_but_its_table():
    """The end of the file and the table: two reads, however many members there are."""

    class Counted(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size)

    members = {f"a picture with a name, {number}.png": encoded(drawn(number)) for number in range(200)}
    times = struct.pack("<HH", 0x5455, 90) + bytes(90)  # before the member and in the table
    for data in (zipped(members), streamed(members), large(members), zip_with_extra(members, times)):
        stream = Counted(data)
        OpenZip(stream, 1000)
        assert stream.reads == 2
