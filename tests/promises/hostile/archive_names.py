"""Hostile names in ZIPs: that climb, hide, become one path, or do not say how they are written."""

import struct
from collections.abc import Iterator
from functools import partial

from tests.cache.reader.raw_zips import unicode_path, zip_of_raw_names, zip_with_extra
from tests.drawing import png, zipped
from tests.promises.hostile.archives import BOTH, GOOD, table_field, zip_case
from tests.promises.hostile.case import Case


def cases() -> Iterator[Case]:
    for family in (_unsafe, _odd, _hidden, _written_otherwise, _of_one_path, _broken):
        yield from family()


def _unsafe() -> Iterator[Case]:
    unsafe = {
        "climbing": "../../marker.png",
        "climbing in the middle": "a/../../marker.png",
        "absolute": "/tmp/marker.png",
        "of a drive": "C:\\marker.png",
        "climbing backwards": "..\\..\\marker.png",
        "of a share": "\\\\host\\marker.png",
    }
    for name, member in unsafe.items():
        yield zip_case(
            f"zip with a name {name}",
            lambda member=member: zipped({**GOOD, member: png(904)}),
            {**BOTH, member.replace("\\", "/"): "unsafe_name"},
        )


def _odd() -> Iterator[Case]:
    odd = {
        "with backslashes": ("dir\\c.png", "dir/c.png"),
        "of 5000 characters": ("n" * 5000 + ".png", "n" * 5000 + ".png"),
        "in Chinese": ("图.png", "图.png"),
        "with a newline": ("c\nd.png", "c\nd.png"),
        "with quotes": ("'\";--.png", "'\";--.png"),
        "of a device": ("CON.png", "CON.png"),
        "of a tag": ("<b>.png", "<b>.png"),
        "ending in a space": ("c.png ", "c.png "),
        "with a dot folder": ("./c.png", "./c.png"),
        "with empty folders": ("a//c.png", "a//c.png"),
    }
    for name, (member, shown) in odd.items():
        yield zip_case(
            f"zip with a name {name}",
            lambda member=member: zipped({**GOOD, member: png(905)}),
            {**BOTH, shown: "png"},
        )


def _hidden() -> Iterator[Case]:
    for name in ("....png", ".hidden.zip", "__MACOSX/c.png", "@eaDir/c.png/0.png", ".\\.\\.c\\d.png"):
        yield zip_case(
            f"zip with the hidden name {name.replace('/', ' ')}",
            lambda name=name: zipped({**GOOD, name: png(905)}),
            {**BOTH, name.replace("\\", "/"): "hidden"},
        )


def _written_otherwise() -> Iterator[Case]:
    for codec, member in {"cp932": "写真/ソ表.png", "cp437": "élève/schön.png", "utf-8": "写真/é"}.items():
        raw_members = {**{name.encode(): data for name, data in GOOD.items()}, member.encode(codec): png(906)}
        yield zip_case(
            f"zip with a name in {codec} that does not say so",
            partial(zip_of_raw_names, raw_members),
            {**BOTH, member: "png"},
        )
    for path, outcome in {
        "../../marker.png": {"../../marker.png": "unsafe_name"},
        ".hidden/c.png": {".hidden/c.png": "hidden"},
        "c.png\0.exe": {"c.png": "png"},
        "\ud800.png": {"c.txt": "png"},
    }.items():
        yield zip_case(
            f"zip with the second name {ascii(path).replace('/', ' ')}",
            lambda path=path: zip_with_extra({"c.txt": png(907)}, unicode_path(path, b"c.txt")),
            outcome,
        )


def _of_one_path() -> Iterator[Case]:
    yield zip_case(
        "zip with two names that become one path",
        lambda: zipped({**GOOD, "d/c.png": png(908), "d\\c.png": png(909)}),
        {**BOTH, "d/c.png": ("duplicate_name,png", "png,duplicate_name")},
    )
    yield zip_case(
        "zip with two members of one hidden name",
        lambda: zipped({**GOOD, ".d/c.png": png(908), ".d\\c.png": png(909)}),
        {**BOTH, ".d/c.png": ("duplicate_name,hidden", "hidden")},
    )
    yield zip_case(
        "zip with two members of one name",
        _duplicates,
        {**BOTH, "c.png": ("duplicate_name,png", "png,duplicate_name")},
    )


def _broken() -> Iterator[Case]:
    yield zip_case(
        "zip with a name of bytes",
        lambda: zipped({**GOOD, "cccc.png": png(906)}).replace(b"cccc.png", b"\xff\xfe\x80c.png"),
        {**BOTH, b"\xff\xfe\x80c.png".decode("cp437"): "png"},
    )
    yield zip_case("zip with an empty name", _nameless, {**BOTH, "": ("png", "damaged")})
    yield zip_case(
        "zip with a zero in a name",
        lambda: zipped({**GOOD, "c_d.png": png(907)}).replace(b"c_d.png", b"c\x00d.png"),
        {**BOTH, "c": ("png", "damaged", "unsafe_name")},
    )


def _duplicates() -> bytes:
    return zipped({**GOOD, "c.png": png(908), "d.png": png(909)}).replace(b"d.png", b"c.png")


def _nameless() -> bytes:
    """The only letter of a name, cut out of both places that have it."""
    data = zipped({"~": png(910), **GOOD})
    data = table_field(data, 0, 28, "<H", 0)
    at = data.index(b"PK\x01\x02") + 46
    data = data[:at] + data[at + 1 :]
    end = data.index(b"PK\x05\x06") + 12
    return data[:end] + struct.pack("<I", struct.unpack_from("<I", data, end)[0] - 1) + data[end + 4 :]
