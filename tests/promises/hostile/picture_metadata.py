"""Hostile things beside the pixels: EXIF, ICC, text, the tables of TIFF, the segments and scans of JPEG."""

import struct
import zlib
from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image, TiffImagePlugin

from tests.drawing import drawn, encoded
from tests.promises.hostile.case import Case, file_case
from tests.promises.hostile.pictures import good, patched, png_chunk, tiff_of


def cases() -> Iterator[Case]:
    for family in (_exif, _icc, _metadata, _tiff_tables, _jpeg_streams):
        yield from family()


def _exif() -> Iterator[Case]:
    payloads = {
        "empty": b"",
        "of zeros": bytes(200),
        "truncated": _exif_bytes()[:12],
        "of noise": np.random.default_rng(2).bytes(3000),
        "with a loop": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00",
        "beyond its end": _exif_bytes()[:-4] + b"\xff" * 4,
        "with 65535 entries": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + bytes(100),
    }
    for name, payload in payloads.items():
        yield file_case(f"jpeg with exif {name}", "exif.jpg", partial(_with_segment, 0xE1, payload), "jpeg")
        yield file_case(
            f"png with exif {name}",
            "exif.png",
            partial(_with_chunks, b"eXIf", payload.removeprefix(b"Exif\0\0")),
            "png",
        )
    for orientation in (0, 2, 5, 6, 8, 9, 65_535):
        yield file_case(f"jpeg turned {orientation}", "turned.jpg", partial(_turned, orientation), "jpeg")
    word = (
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x02\x00\x00\x00\x04six\x00\x00\x00\x00\x00"
    )
    yield file_case("jpeg turned by a word", "turned.jpg", partial(_with_segment, 0xE1, word), "jpeg")


def _turned(orientation: int) -> bytes:
    return encoded(drawn(3), "JPEG", exif=_exif_bytes(orientation))


def _exif_bytes(orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def _with_segment(marker: int, payload: bytes, count: int = 1) -> bytes:
    """A JPEG with a segment of at most 65,533 bytes behind its start."""
    jpeg = good("jpeg")
    return (
        jpeg[:2] + (bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload) * count + jpeg[2:]
    )


def _with_chunks(kind: bytes, payload: bytes, count: int = 1) -> bytes:
    """A PNG with chunks behind its header."""
    data = good("png")
    return data[:33] + png_chunk(kind, payload) * count + data[33:]


def _icc() -> Iterator[Case]:
    for name, profile in {
        "of zeros": bytes(3000),
        "of noise": np.random.default_rng(3).bytes(5000),
        "of a word": b"profile",
    }.items():
        for file_format in ("jpeg", "png", "webp", "tiff", "avif"):
            data = partial(encoded, drawn(4), file_format.upper(), icc_profile=profile)
            yield file_case(f"{file_format} with icc {name}", f"icc.{file_format}", data, file_format)
    yield file_case(
        "png whose icc is a bomb", "icc.png", partial(_with_bomb, b"iCCP", 400_000_000), "png", "damaged"
    )


def _with_bomb(kind: bytes, size: int, count: int = 1) -> bytes:
    return _with_chunks(kind, b"key\0\0" + zlib.compress(bytes(size)), count)


def _metadata() -> Iterator[Case]:
    """More beside the picture than in it."""
    endless = good("png")[:33] + struct.pack(">I", 2**31 - 1) + good("png")[37:]
    segment = b"http://ns.adobe.com/xap/1.0/\0" + b"x" * 65_000
    pairs = b"MPF\0II*\0\x08\0\0\0\xff\xff" + bytes(40)
    families: dict[str, tuple[str, partial, tuple[str, ...]]] = {
        "png whose text is a bomb": ("text.png", partial(_with_bomb, b"zTXt", 200_000_000), ("damaged",)),
        "png with many bombs of text": ("text.png", partial(_with_bomb, b"zTXt", 900_000, 300), ("damaged",)),
        "png with 100000 chunks": (
            "chunks.png",
            partial(_with_chunks, b"tEXt", b"key\0word", 100_000),
            ("png",),
        ),
        "png with 20 MB of text": (
            "text.png",
            partial(_with_chunks, b"tEXt", b"key\0" + b"x" * 20_000_000),
            ("png",),
        ),
        "png with a chunk of unknown kind": (
            "kind.png",
            partial(_with_chunks, b"evIL", b"x" * 1000),
            ("png",),
        ),
        "png with a chunk beyond its end": ("chunk.png", partial(bytes, endless), ("png", "damaged")),
        "jpeg with 200 full segments": ("full.jpg", partial(_with_segment, 0xE1, segment, 200), ("jpeg",)),
        "jpeg with 2000 comments": ("comments.jpg", partial(_with_segment, 0xFE, b"word", 2000), ("jpeg",)),
        "jpeg with fake pairs": ("pairs.jpg", partial(_with_segment, 0xE2, pairs), ("jpeg", "damaged")),
        "gif with a long comment": ("long.gif", partial(_gif_with_comment, 3_000_000), ("gif",)),
        "ppm with an endless comment": (
            "endless.ppm",
            partial(bytes, b"P6\n#" + b"x" * 5_000_000),
            ("damaged",),
        ),
        "ppm with a number of 9000 digits": (
            "digits.ppm",
            partial(bytes, b"P6 " + b"9" * 9000 + b" 1 255\n"),
            ("damaged",),
        ),
    }
    for name, (file_name, data, outcomes) in families.items():
        yield file_case(name, file_name, data, *outcomes)


def _gif_with_comment(size: int) -> bytes:
    gif = good("gif")
    start = gif.index(b",")
    return gif[:start] + b"!\xfe" + (b"\xff" + b"x" * 255) * (size // 256) + b"\x00" + gif[start:]


def _tiff_tables() -> Iterator[Case]:
    yield file_case(
        "tiff whose table is its own next",
        "loop.tiff",
        partial(tiff_of, {256: 4, 257: 4, 278: 4, 279: 16}, 8, 100),
        "tiff",
        "damaged",
    )
    yield file_case(
        "tiff whose pixels lie beyond its end",
        "beyond.tiff",
        partial(tiff_of, {256: 99, 257: 99, 273: 2**31, 279: 9801}),
        "damaged",
    )
    yield file_case(
        "tiff with a table beyond its end",
        "table.tiff",
        lambda: b"II*\x00\xff\xff\xff\x7f" + bytes(50),
        "damaged",
    )
    yield file_case(
        "tiff with 65535 tags",
        "tags.tiff",
        lambda: b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(65_535 * 12),
        "damaged",
    )
    yield file_case("tiff with a tag of 4 GB", "tag.tiff", lambda: _tiff_with_long_tag(), "tiff", "damaged")
    yield file_case(
        "tiff of 2000 samples a pixel",
        "samples.tiff",
        partial(tiff_of, {256: 4, 257: 4, 277: 2000, 278: 4, 279: 16}, 0, 99),
        "damaged",
    )
    yield file_case(
        "tiff in strips of one row",
        "strips.tiff",
        lambda: encoded(drawn(5), "TIFF", tiffinfo={278: 1}),
        "tiff",
    )
    yield file_case("big tiff", "big.tiff", lambda: encoded(drawn(6), "TIFF", big_tiff=True), "tiff")
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg", "zstd", "lzma"):
        yield file_case(
            f"tiff of compression {compression}",
            "packed.tiff",
            partial(_packed_tiff, compression),
            "tiff",
            "damaged",
        )
        yield file_case(
            f"tiff of compression {compression} cut",
            "packed.tiff",
            lambda compression=compression: _packed_tiff(compression)[:-40],
            "tiff",
            "damaged",
        )


def _packed_tiff(compression: str) -> bytes:
    try:
        return encoded(drawn(6), "TIFF", compression=compression)
    except (OSError, KeyError):  # a libtiff without it
        return encoded(drawn(6), "TIFF")


def _tiff_with_long_tag() -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[270] = "x" * 5000
    data = encoded(drawn(6), "TIFF", tiffinfo=info)
    at = data.index(struct.pack("<HH", 270, 2)) + 4
    return data[:at] + struct.pack("<I", 2**32 - 1) + data[at + 4 :]


def _jpeg_streams() -> Iterator[Case]:
    yield file_case(
        "jpeg of 3000 scans", "scans.jpg", partial(_jpeg_of_scans, 3000), "jpeg", "damaged", "timeout"
    )
    yield file_case(
        "jpeg with arithmetic coding",
        "arithmetic.jpg",
        lambda: patched("jpeg", b"\xff\xc0", 0, b"\xff\xc9"),
        "jpeg",
        "damaged",
    )
    yield file_case(
        "jpeg without tables",
        "tables.jpg",
        lambda: good("jpeg").replace(b"\xff\xc4", b"\xff\xfe"),
        "jpeg",
        "damaged",
    )
    yield file_case(
        "jpeg of nothing but restarts",
        "restarts.jpg",
        lambda: good("jpeg")[:-200] + b"\xff\xd0" * 5000,
        "jpeg",
        "damaged",
    )
    yield file_case(
        "jpeg of 12 bits",
        "twelve.jpg",
        lambda: patched("jpeg", b"\xff\xc0", 4, b"\x0c"),
        "damaged",
        "unsupported_type",
        "not_an_image",
    )
    yield file_case(
        "jpeg with no components",
        "none.jpg",
        lambda: patched("jpeg", b"\xff\xc0", 9, b"\x00"),
        "damaged",
        "not_an_image",
    )


def _jpeg_of_scans(count: int) -> bytes:
    """Each scan makes the decoder go over the whole picture again: kilobytes that cost minutes."""
    data = encoded(Image.new("RGB", (3000, 3000)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"
