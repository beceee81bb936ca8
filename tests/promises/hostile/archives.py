"""Hostile ZIPs. Each holds good pictures, too: what can be read of an archive is read."""

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache, partial
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from tests.cache.reader.raw_zips import with_comment, with_table_of
from tests.drawing import png, zipped
from tests.promises.hostile.case import Case, Outcomes, file_case
from tests.promises.hostile.pictures import good, png_of

GOOD = {"a.png": png(901), "b.png": png(902)}
BOTH: Outcomes = {"a.png": "png", "b.png": "png"}


def zip_case(
    name: str, data, members: Outcomes, archive: str | tuple[str, ...] = "zip", file_name: str = "x.zip"
) -> Case:
    """One ZIP; `members` by their path inside it."""
    inside = {f"{file_name}/{member}": outcome for member, outcome in members.items()}
    return Case(
        name,
        lambda folder: (folder / file_name).write_bytes(data()),
        {**inside, file_name: archive},
        file_name,
    )


def cases() -> Iterator[Case]:
    for family in (
        _broken,
        _encrypted,
        _bombs,
        _overlapping,
        _methods,
        _nested,
        _many,
        _records,
        _disguised,
        _links,
    ):
        yield from family()


def _broken() -> Iterator[Case]:
    whole = zipped(GOOD)
    for share in (10, 50, 90):
        yield zip_case(
            f"zip cut to {share} percent",
            lambda share=share: whole[: len(whole) * share // 100],
            {},
            "bad_archive",
        )
    yield zip_case("zip without its last byte", lambda: whole[:-1], {}, "bad_archive")
    yield zip_case("zip of a head and zeros", lambda: b"PK\x03\x04" + bytes(500), {}, "bad_archive")
    yield zip_case("zip of a head", lambda: b"PK\x03\x04", {}, "bad_archive")
    yield zip_case("zip with nothing in it", lambda: zipped({}), {})
    yield zip_case("zip with folders only", lambda: zipped({"a/": b"", "a/b/": b""}), {})
    yield zip_case(
        "zip with a wrong checksum",
        lambda: _changed(whole, GOOD["a.png"][30:40], bytes(10)),
        {"a.png": "damaged", "b.png": "png"},
    )
    yield zip_case("zip with a broken deflate stream", _broken_deflate, {"a.png": "damaged", "b.png": "png"})
    yield zip_case(
        "zip whose names disagree",
        lambda: whole.replace(b"a.png", b"c.png", 1),
        {"a.png": "damaged", "b.png": "png"},
    )
    yield zip_case(
        "zip whose member begins elsewhere",
        lambda: table_field(whole, 0, 42, "<I", 5),
        {"a.png": "damaged", "b.png": "png"},
    )
    yield zip_case(
        "zip whose member begins beyond its end",
        lambda: table_field(whole, 0, 42, "<I", 2**31),
        {"a.png": "damaged", "b.png": "png"},
        "zip,bad_archive",
    )
    yield zip_case(
        "zip that claims smaller members",
        lambda: table_field(whole, 0, 24, "<I", 20),
        {"a.png": ("damaged", "png"), "b.png": "png"},
    )
    yield zip_case(
        "zip that claims members of 4 GB",
        lambda: table_field(whole, 0, 24, "<I", 2**32 - 2),
        {"a.png": ("expansion_ratio", "too_large"), "b.png": "png"},
    )
    yield zip_case(
        "zip with zero bytes in it", lambda: zipped({**GOOD, "c.png": b""}), {**BOTH, "c.png": "empty"}
    )
    yield zip_case(
        "zip with broken pictures",
        lambda: zipped({**GOOD, "c.png": good("png")[:60], "d.txt": b"word"}),
        {**BOTH, "c.png": "damaged", "d.txt": "not_an_image"},
    )


def _changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def _broken_deflate() -> bytes:
    data = zipped(GOOD, compression=ZIP_DEFLATED)
    start = data.index(b"a.png") + 5
    return data[:start] + b"\xff" * 40 + data[start + 40 :]


def table_field(data: bytes, entry: int, offset: int, layout: str, value: int) -> bytes:
    """The n-th entry of the table of contents with another value in it."""
    at = -1
    for _ in range(entry + 1):
        at = data.index(b"PK\x01\x02", at + 1)
    at += offset
    return data[:at] + struct.pack(layout, value) + data[at + struct.calcsize(layout) :]


def _encrypted() -> Iterator[Case]:
    whole = zipped(GOOD)
    yield zip_case(
        "zip with a password",
        lambda: table_field(whole, 0, 8, "<H", 1),
        {"a.png": "encrypted", "b.png": "png"},
    )
    yield zip_case(
        "zip with strong encryption",
        lambda: table_field(whole, 0, 8, "<H", 0x41),
        {"a.png": "encrypted", "b.png": "png"},
    )
    yield zip_case(
        "zip of patches",
        lambda: table_field(whole, 0, 8, "<H", 0x20),
        {"a.png": ("unsupported_type", "damaged"), "b.png": "png"},
    )
    yield zip_case(
        "zip whose member alone says it is encrypted",
        lambda: whole[:6] + b"\x01" + whole[7:],
        {"a.png": ("encrypted", "damaged", "png"), "b.png": "png"},
    )


@cache
def _flat_bomb() -> bytes:
    return zipped({**GOOD, "bomb.png": bytes(50_000_000)}, compression=ZIP_DEFLATED)


def _bombs() -> Iterator[Case]:
    yield zip_case("zip bomb", _flat_bomb, {**BOTH, "bomb.png": "expansion_ratio"})
    yield zip_case(
        "zip bomb below the ratio", partial(_slow_bomb, 120_000_000), {**BOTH, "bomb.png": "not_an_image"}
    )
    yield zip_case(
        "zip bomb in a zip bomb",
        lambda: zipped({**GOOD, "inner.zip": _flat_bomb()}, compression=ZIP_DEFLATED),
        {
            **BOTH,
            "inner.zip/a.png": "png",
            "inner.zip/b.png": "png",
            "inner.zip/bomb.png": "expansion_ratio",
            "inner.zip": "zip",
        },
    )
    yield zip_case(
        "zip with a picture bomb",
        lambda: zipped({**GOOD, "bomb.png": png_of(30_000, 30_000)}),
        {**BOTH, "bomb.png": "too_many_pixels"},
    )
    yield zip_case(
        "zip that contains more than it claims",
        _understated,
        {"a.png": "png", "b.png": "png", "bomb.bin": ("not_an_image", "damaged")},
    )
    yield zip_case(
        "zip of bzip2 bomb",
        lambda: zipped({**GOOD, "bomb": bytes(50_000_000)}, compression=ZIP_BZIP2),
        {**BOTH, "bomb": "expansion_ratio"},
    )


def _slow_bomb(size: int) -> bytes:
    """Noise and zeros in turn, so that it grows by less than 200."""
    noise = np.random.default_rng(5).bytes(4000)
    return zipped(
        {**GOOD, "bomb.png": (noise + bytes(496_000)) * (size // 500_000)}, compression=ZIP_DEFLATED
    )


def _understated() -> bytes:
    data = zipped({**GOOD, "bomb.bin": bytes(5_000_000)}, compression=ZIP_DEFLATED)
    return table_field(data, 2, 24, "<I", 1000)


def _overlapping() -> Iterator[Case]:
    yield zip_case(
        "zip whose members share their bytes",
        partial(_shared_bytes, 300),
        {**BOTH, **{f"{number}.png": "damaged" for number in range(300)}},
    )
    yield zip_case(
        "zip whose members lie in one another",
        partial(_members_in_one_another, 200),
        {"last.png": "png", **{f"{number}.png": "damaged" for number in range(200)}},
    )
    yield zip_case(
        "zip whose member swallows the next",
        lambda: table_field(table_field(zipped(GOOD), 0, 20, "<I", 10_000), 0, 24, "<I", 10_000),
        {"a.png": "damaged", "b.png": "png"},
    )


def _shared_bytes(count: int) -> bytes:
    """One member, many entries in the table of contents."""
    data = zipped({**GOOD, "0.png": png(903)})
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[data.rindex(b"PK\x01\x02") : end]
    more = b"".join(_renamed(entry, f"{number}.png".encode()) for number in range(1, count))
    table = data[start:end] + more
    return (
        data[:start]
        + table
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count + 2, count + 2, len(table), start, 0)
    )


def _members_in_one_another(count: int) -> bytes:
    """Each is a good picture behind which the next one lies, header and all: bytes counted again and
    again."""
    data, headers, table = _local("last.png", png(913)), [("last.png", png(913))], b""
    for number in reversed(range(count)):
        name, content = f"{number}.png", png(914) + data
        headers.append((name, content))
        data = _local(name, content)
    offset = 0
    for name, content in reversed(headers):
        table += _entry(name, content, offset)
        offset += 30 + len(name) + len(png(914))
    return (
        data
        + table
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(table), len(data), 0)
    )


def _local(name: str, content: bytes) -> bytes:
    header = struct.pack(
        "<4s5H3L2H",
        b"PK\x03\x04",
        20,
        0,
        0,
        0,
        33,
        zlib.crc32(content),
        len(content),
        len(content),
        len(name),
        0,
    )
    return header + name.encode() + content


def _entry(name: str, content: bytes, offset: int) -> bytes:
    sizes = (zlib.crc32(content), len(content), len(content), len(name))
    return (
        struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 33, *sizes, 0, 0, 0, 0, 0, offset)
        + name.encode()
    )


def _renamed(entry: bytes, name: bytes) -> bytes:
    length = struct.unpack_from("<H", entry, 28)[0]
    return entry[:28] + struct.pack("<H", len(name)) + entry[30:46] + name + entry[46 + length :]


def _methods() -> Iterator[Case]:
    for name, method in {
        "stored": ZIP_STORED,
        "deflate": ZIP_DEFLATED,
        "bzip2": ZIP_BZIP2,
        "lzma": ZIP_LZMA,
    }.items():
        yield zip_case(f"zip of method {name}", lambda method=method: zipped(GOOD, compression=method), BOTH)
    for method in (9, 12, 14, 93, 97, 99, 1, 54_321):
        yield zip_case(
            f"zip of method {method}",
            lambda method=method: table_field(zipped(GOOD), 0, 10, "<H", method),
            {"a.png": ("unsupported_type", "damaged"), "b.png": "png"},
        )
    yield zip_case(
        "zip of a dictionary of 4 GB",
        _greedy_lzma,
        {"a.png": ("damaged", "png"), "b.png": ("damaged", "png")},
    )


def _greedy_lzma() -> bytes:
    """The properties of an LZMA member say how much memory its reader has to take."""
    data = zipped(GOOD, compression=ZIP_LZMA)
    at = data.index(b"a.png") + 5 + 4  # behind the version and the length of the properties
    return data[: at + 1] + b"\xff\xff\xff\xff" + data[at + 5 :]


def _nested() -> Iterator[Case]:
    for depth in (2, 5, 8):
        yield zip_case(f"zip {depth} deep", partial(_nest, depth), _nested_outcomes(depth))
    yield zip_case(
        "zip 9 deep",
        partial(_nest, 9),
        {**_nested_outcomes(8, innermost=False), "/".join(["in.zip"] * 8): "nested_too_deep"},
    )
    yield zip_case(
        "zip with a broken zip in it",
        lambda: zipped({**GOOD, "c.zip": zipped(GOOD)[:300]}),
        {**BOTH, "c.zip": "bad_archive"},
    )
    yield zip_case(
        "zip with 200 empty zips in it",
        lambda: zipped({**GOOD, **{f"{number:03}.zip": zipped({}) for number in range(200)}}),
        {**BOTH, **{f"{number:03}.zip": "zip" for number in range(200)}},
    )


def _nest(depth: int) -> bytes:
    data = zipped({"a.png": png(911)})
    for _ in range(depth - 1):
        data = zipped({"in.zip": data})
    return data


def _nested_outcomes(depth: int, innermost: bool = True) -> Outcomes:
    paths = ["/".join(["in.zip"] * level) for level in range(1, depth)]
    return {
        **dict.fromkeys(paths, "zip"),
        **({"/".join(["in.zip"] * (depth - 1) + ["a.png"]): "png"} if innermost else {}),
    }


def _many() -> Iterator[Case]:
    yield zip_case(
        "zip of 3000 words",
        lambda: zipped({**GOOD, **{f"{number}.txt": b"word" for number in range(3000)}}),
        {**BOTH, **{f"{number}.txt": "not_an_image" for number in range(3000)}},
    )
    inner = {f"in.zip/{number}": "empty" for number in range(20_000)}
    yield zip_case(
        "zip with 30000 entries in an inner zip",
        lambda: zipped({**GOOD, "in.zip": zipped({str(number): b"" for number in range(30_000)})}),
        {**BOTH, **inner, "in.zip": "zip,too_many_entries"},
    )
    yield zip_case(
        "zip whose inner table has two million entries",
        partial(_long_table, 2_000_000),
        {**BOTH, "in.zip": "zip,too_many_entries"},
    )


def _long_table(count: int) -> bytes:
    """Entries without name and content, all alike: 90 MB that deflate to half a MB."""
    entry = (
        struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
        + b"/"
    )
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0) + b"/"
    end = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, count * len(entry), len(local)
    )
    end += struct.pack("<4sLQL", b"PK\x06\x07", 0, len(local) + count * len(entry), 1)
    end += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return zipped({**GOOD, "in.zip": local + entry * count + end}, compression=ZIP_STORED)


def _records() -> Iterator[Case]:
    """The table of contents and its end."""
    whole = zipped(GOOD)
    end = whole.index(b"PK\x05\x06")
    yield zip_case("zip in 64 bits", _forced_64_bits, BOTH)
    yield zip_case(
        "zip with a comment of 65535 bytes", lambda: whole[:-2] + b"\xff\xff" + b"c" * 65_535, BOTH
    )
    for name, comment in {
        "a zip end": zipped({}),
        "a zip": zipped({"c.png": png(915)}),
        "nothing but zip ends": zipped({}) * 2000,
        "half a zip end": b"PK\x05\x06",
        "a zip end of four gigabytes": b"PK\x05\x06" + b"\xff" * 16 + bytes(2),
    }.items():
        yield zip_case(
            f"zip whose comment is {name}", lambda comment=comment: with_comment(whole, comment), BOTH
        )
    yield zip_case(
        "zip whose table leaves out a member",
        lambda: with_table_of(whole, 1),
        {"b.png": "png"},
        "zip,bad_archive",
    )
    yield zip_case("zip whose table is empty", lambda: with_table_of(whole, 0), {}, "zip,bad_archive")
    yield zip_case(
        "zip behind a zip", lambda: zipped({"c.png": png(915)}) + whole, BOTH, "zip,bad_archive"
    )
    yield zip_case(
        "zip with an inner zip that hides its members",
        lambda: zipped({**GOOD, "in.zip": with_table_of(with_comment(whole, b""), 1)}),
        {**BOTH, "in.zip/b.png": "png", "in.zip": "zip,bad_archive"},
    )
    yield zip_case(
        "zip of several volumes",
        lambda: whole[: end + 4] + struct.pack("<HH", 3, 3) + whole[end + 8 :],
        BOTH,
        ("zip", "bad_archive"),
    )
    yield zip_case(
        "zip that claims no entries", lambda: whole[: end + 8] + bytes(4) + whole[end + 12 :], BOTH
    )
    yield zip_case(
        "zip that claims 65535 entries", lambda: whole[: end + 8] + b"\xff" * 4 + whole[end + 12 :], BOTH
    )
    yield zip_case(
        "zip whose table lies before its start",
        lambda: whole[: end + 12] + struct.pack("<I", 2**31) + whole[end + 16 :],
        {},
        "bad_archive",
    )
    yield zip_case(
        "zip with a table of another size",
        lambda: whole[: end + 12] + struct.pack("<I", 10) + whole[end + 16 :],
        {},
        "bad_archive",
    )
    yield zip_case("zip with a broken extra field", _broken_extra, BOTH)
    yield zip_case(
        "zip of the year 2107",
        lambda: table_field(table_field(whole, 0, 14, "<H", 0xFFFF), 0, 12, "<H", 0xFFFF),
        BOTH,
    )
    yield zip_case("zip that needs version 99", lambda: table_field(whole, 0, 6, "<H", 99), BOTH)


def _forced_64_bits() -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, data in GOOD.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    return buffer.getvalue()


def _broken_extra() -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, data in GOOD.items():
            info = ZipInfo(name)
            info.extra = struct.pack("<HH", 1, 60) + bytes(4) if name == "a.png" else b""
            archive.writestr(info, data)
    return buffer.getvalue()


def _disguised() -> Iterator[Case]:
    yield zip_case("zip named jpg", lambda: zipped(GOOD), BOTH, file_name="holiday.jpg")
    yield file_case("jpeg named zip", "holiday.zip", partial(good, "jpeg"), "jpeg")
    yield file_case(
        "zip behind a program", "setup.exe", lambda: b"MZ" + bytes(200) + zipped(GOOD), "not_an_image"
    )
    yield file_case(
        "word document named jpg", "letter.txt", lambda: b"\xd0\xcf\x11\xe0" + bytes(500), "not_an_image"
    )
    yield zip_case(
        "zip that is an office document",
        lambda: zipped({"word/media/image1.png": png(912), "[Content_Types].xml": b"<x/>"}),
        {"word/media/image1.png": "png", "[Content_Types].xml": "not_an_image"},
        file_name="letter.docx",
    )


def _links() -> Iterator[Case]:
    yield zip_case("zip with a link", _linked, {**BOTH, "link.png": "not_an_image"})
    yield zip_case(
        "zip of a mac",
        lambda: zipped({**GOOD, "__MACOSX/._a.png": b"\x00\x05\x16\x07" + bytes(100)}),
        {**BOTH, "__MACOSX/._a.png": "hidden"},
    )


def _linked() -> bytes:
    buffer = io.BytesIO(zipped(GOOD))
    with ZipFile(buffer, "a") as archive:
        info = ZipInfo("link.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()
