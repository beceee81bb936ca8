"""Hostile pictures: broken, mislabelled, lying about their size, odd in mode."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
from PIL import Image

from tests.cache.formats.heif_files import heic
from tests.drawing import drawn, encoded
from tests.promises.hostile.case import Case, file_case

FORMATS = {
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "ppm": "PPM",
    "avif": "AVIF",
    "heif": "HEIF",
}
ANY_READING = (
    "damaged",
    "not_an_image",
    "unsupported_type",
    "too_many_pixels",
    *FORMATS,
)  # what a flipped bit may end as


@cache
def good(name: str, seed: int = 7) -> bytes:
    picture = drawn(seed, "cats", (120, 90))
    return heic(picture) if name == "heif" else encoded(picture, FORMATS[name])


def cases() -> Iterator[Case]:
    for family in (
        _truncated,
        _flipped,
        _empty,
        _mislabelled,
        _foreign,
        _heads,
        _surrounded,
        _oversized,
        _bombs,
        _strips,
        _modes,
        _animated,
    ):
        yield from family()


def _truncated() -> Iterator[Case]:
    for name in FORMATS:
        for share in (10, 50, 90):
            yield file_case(
                f"{name} cut to {share} percent", f"cut.{name}", partial(_cut, name, share), "damaged"
            )
        yield file_case(
            f"{name} without its last byte",
            f"last.{name}",
            lambda name=name: good(name)[:-1],
            name if name in ("png", "gif") else "damaged",
        )


def _cut(name: str, share: int) -> bytes:
    return good(name)[: len(good(name)) * share // 100]


def _flipped() -> Iterator[Case]:
    for name in FORMATS:
        for seed in range(6):
            yield file_case(
                f"{name} with flipped bits {seed}",
                f"bits.{name}",
                partial(_with_flipped_bits, name, seed),
                *ANY_READING,
            )


def _with_flipped_bits(name: str, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    data = bytearray(good(name))
    for position in random.integers(0, len(data), 1 + 4 * seed):
        data[position] ^= 1 << int(random.integers(0, 8))
    return bytes(data)


def _empty() -> Iterator[Case]:
    for name in (*FORMATS, "zip", "txt"):
        yield file_case(f"no bytes named {name}", f"empty.{name}", bytes, "empty")


def _mislabelled() -> Iterator[Case]:
    names = list(FORMATS)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        yield file_case(f"{name} named {other}", f"picture.{other}", partial(good, name), name)
    yield file_case("png without a suffix", "picture", partial(good, "png"), "png")
    yield file_case("png named html", "index.html", partial(good, "png"), "png")


def _foreign() -> Iterator[Case]:
    contents = {
        "text": b"just words\n",
        "html": b"<html><body onload=alert(1)>",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "script": b"#!/bin/sh\ntouch marker\n",
        "program": b"\x7fELF\x02\x01\x01" + bytes(200),
        "windows program": b"MZ" + bytes(300),
        "zeros": bytes(4096),
        "ones": b"\xff" * 4096,
        "one byte": b"\xff",
        "mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(100),
        "json": b'{"a": 1}',
        "pickle": b"\x80\x04K\x01.",
    }
    for name, data in contents.items():
        yield file_case(f"{name} named jpg", "picture.jpg", lambda data=data: data, "not_an_image")
    yield file_case(
        "noise named jpg", "picture.jpg", lambda: np.random.default_rng(1).bytes(100_000), "not_an_image"
    )
    unread = {
        "rar": b"Rar!\x1a\x07\x00",
        "7z": b"7z\xbc\xaf\x27\x1c",
        "gz": b"\x1f\x8b\x08\x00",
        "bz2": b"BZh91AY",
        "xz": b"\xfd7zXZ\x00",
        "psd": b"8BPS\x00\x01",
        "pdf": b"%PDF-1.7",
        "ico": b"\x00\x00\x01\x00\x01\x00",
        "jp2": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    }
    for name, magic in unread.items():
        yield file_case(
            f"{name} that nobody reads",
            f"file.{name}",
            lambda magic=magic: magic + bytes(100),
            "unsupported_type",
        )


def _heads() -> Iterator[Case]:
    """A beginning that promises a picture, and nothing behind it."""
    for name in FORMATS:
        yield file_case(
            f"{name} of four bytes",
            f"head.{name}",
            lambda name=name: good(name)[:4],
            "damaged",
            "not_an_image",
        )
        yield file_case(
            f"{name} head before zeros",
            f"zeros.{name}",
            lambda name=name: good(name)[:32] + bytes(5000),
            "damaged",
            "not_an_image",
            name,
        )


def _surrounded() -> Iterator[Case]:
    for name in FORMATS:
        yield file_case(
            f"{name} with a tail",
            f"tail.{name}",
            lambda name=name: good(name) + b"<?php system('id') ?>" * 50,
            name,
        )
        yield file_case(
            f"{name} behind a word", f"behind.{name}", lambda name=name: b"word" + good(name), "not_an_image"
        )
    yield file_case("two jpegs in one", "two.jpg", lambda: good("jpeg", 1) + good("jpeg", 2), "jpeg")
    yield file_case(
        "jpeg and zip in one", "both.jpg", lambda: good("jpeg") + b"PK\x05\x06" + bytes(18), "jpeg"
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(
    width: int, height: int, *, depth: int = 8, colour: int = 2, body: bytes = b"", extra: bytes = b""
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(body))
        + png_chunk(b"IEND", b"")
    )


def tiff_of(tags: dict[int, int], next_table: int = 0, padding: int = 0) -> bytes:
    """A TIFF of one table with these tags as 32-bit numbers; the pixels are missing."""
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, value)
        for tag, value in sorted({258: 8, 259: 1, 262: 1, 273: 8, 277: 1, **tags}.items())
    )
    return (
        b"II*\x00\x08\x00\x00\x00"
        + struct.pack("<H", len(entries) // 12)
        + entries
        + struct.pack("<I", next_table)
        + bytes(padding)
    )


def _oversized() -> Iterator[Case]:
    """Headers that claim more pixels than anybody has memory for."""
    claims = {
        "png": lambda: png_of(2_000_000_000, 2),
        "jpeg": lambda: patched("jpeg", b"\xff\xc0", 5, struct.pack(">HH", 65_500, 65_500)),
        "gif": lambda: (
            b"GIF89a"
            + struct.pack("<HH", 65_535, 65_535)
            + bytes(3)
            + b","
            + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0)
            + b"\x08\x00;"
        ),
        "bmp": lambda: good("bmp")[:18] + struct.pack("<ii", 100_000, 100_000) + good("bmp")[26:],
        "ppm": lambda: b"P6 99999999 99999999 255\n" + bytes(100),
        "tiff": lambda: tiff_of({256: 4_000_000_000, 257: 4_000_000_000}),
        "webp": lambda: (
            b"RIFF"
            + struct.pack("<I", 22)
            + b"WEBPVP8L"
            + struct.pack("<I", 10)
            + b"\x2f\xff\xff\xff\x0f"
            + bytes(5)
        ),
    }
    for name, data in claims.items():
        yield file_case(
            f"{name} claims billions of pixels", f"claim.{name}", data, "too_many_pixels", "damaged"
        )
    for width, height in ((0, 0), (0, 10), (10, 0)):
        yield file_case(
            f"png of {width} x {height}", "nothing.png", partial(png_of, width, height), "damaged"
        )
    yield file_case(
        "bmp of negative width",
        "negative.bmp",
        lambda: good("bmp")[:18] + struct.pack("<ii", -5, 7) + good("bmp")[26:],
        "damaged",
        "not_an_image",
        "too_many_pixels",
    )


def patched(name: str, marker: bytes, offset: int, new: bytes) -> bytes:
    data = good(name)
    start = data.index(marker) + offset
    return data[:start] + new + data[start + len(new) :]


def _plain(mode: str, width: int, height: int, file_format: str, **options) -> Callable[[], bytes]:
    def data() -> bytes:
        picture = Image.new(mode, (width, height))
        return heic(picture) if file_format == "HEIF" else encoded(picture, file_format, **options)

    return data


def _bombs() -> Iterator[Case]:
    """Small files, large pictures: some at the limit, which are read, and some above it."""
    yield file_case(
        "png bomb of 400 megapixels", "bomb.png", _plain("1", 20_000, 20_000, "PNG"), "too_many_pixels"
    )
    yield file_case(
        "png bomb of 300 MiB",
        "bomb.png",
        _plain("RGBA", 8_900, 8_900, "PNG", compress_level=1),
        "too_many_pixels",
    )
    yield file_case("gif bomb", "bomb.gif", _plain("P", 12_000, 12_000, "GIF"), "too_many_pixels")
    yield file_case(
        "tiff bomb",
        "bomb.tiff",
        _plain("RGB", 12_000, 12_000, "TIFF", compression="tiff_adobe_deflate"),
        "too_many_pixels",
    )
    yield file_case("jpeg bomb", "bomb.jpg", _plain("L", 10_000, 10_000, "JPEG"), "too_many_pixels")
    yield file_case(
        "webp at the limit",
        "limit.webp",
        _plain("RGB", 9_400, 9_400, "WEBP", lossless=True, method=0),
        "too_many_pixels",
    )
    yield file_case(
        "png at the limit", "limit.png", _plain("RGB", 9_400, 9_400, "PNG", compress_level=1), "png"
    )
    yield file_case(
        "png with alpha at the limit",
        "limit.png",
        _plain("RGBA", 8_100, 8_100, "PNG", compress_level=1),
        "png",
    )
    yield file_case(
        "progressive jpeg at the limit",
        "limit.jpg",
        _plain("RGB", 9_400, 9_400, "JPEG", progressive=True, subsampling=0),
        "jpeg",
    )
    yield file_case("cmyk jpeg at the limit", "limit.jpg", _plain("CMYK", 8_000, 8_000, "JPEG"), "jpeg")


def _strips() -> Iterator[Case]:
    for name in ("png", "jpeg", "gif", "tiff", "bmp", "ppm", "webp"):
        side = 16_000 if name == "webp" else 65_500
        yield file_case(f"{name} of {side} x 1", f"wide.{name}", _plain("RGB", side, 1, FORMATS[name]), name)
        yield file_case(f"{name} of 1 x {side}", f"tall.{name}", _plain("RGB", 1, side, FORMATS[name]), name)
    for name in FORMATS:
        yield file_case(f"{name} of one pixel", f"pixel.{name}", _plain("RGB", 1, 1, FORMATS[name]), name)
    yield file_case("png of two million rows", "rows.png", _plain("L", 1, 2_000_000, "PNG"), "png")


def _modes() -> Iterator[Case]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield file_case(
            f"png in mode {mode.replace(';', ' ')}", "mode.png", partial(_in_mode, mode, "PNG"), "png"
        )
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK", "LAB", "YCbCr"):
        yield file_case(
            f"tiff in mode {mode.replace(';', ' ')}", "mode.tiff", partial(_in_mode, mode, "TIFF"), "tiff"
        )
    for mode in ("L", "CMYK"):
        yield file_case(f"jpeg in mode {mode}", "mode.jpg", partial(_in_mode, mode, "JPEG"), "jpeg")
    yield file_case("webp with alpha", "alpha.webp", partial(_in_mode, "RGBA", "WEBP"), "webp")
    yield file_case("avif with alpha", "alpha.avif", partial(_in_mode, "RGBA", "AVIF"), "avif")
    yield file_case(
        "gif with transparency", "clear.gif", lambda: encoded(_in("P"), "GIF", transparency=0), "gif"
    )
    yield file_case(
        "png palette with alpha",
        "clear.png",
        lambda: encoded(_in("P"), "PNG", transparency=bytes(range(256))),
        "png",
    )
    yield file_case(
        "png with one clear colour",
        "clear.png",
        lambda: encoded(_in("RGB"), "PNG", transparency=(0, 0, 0)),
        "png",
    )
    yield file_case(
        "png palette index out of range",
        "range.png",
        partial(png_of, 4, 1, colour=3, body=b"\x00\x00\x01\xfe\xff", extra=png_chunk(b"PLTE", bytes(6))),
        "png",
        "damaged",
    )
    yield file_case(
        "png without its palette",
        "none.png",
        partial(png_of, 4, 1, colour=3, body=b"\x00\x00\x01\x02\x03"),
        "png",
        "damaged",
    )
    yield file_case("tiff of not a number", "nan.tiff", partial(_floats, np.nan), "tiff")
    yield file_case("tiff of infinity", "inf.tiff", partial(_floats, np.inf), "tiff")


def _in(mode: str) -> Image.Image:
    picture = drawn(11, "dogs", (120, 90))
    return picture.convert("L").convert(mode) if mode in ("I;16", "I", "F") else picture.convert(mode)


def _in_mode(mode: str, file_format: str) -> bytes:
    return encoded(_in(mode), file_format)


def _floats(value: float) -> bytes:
    pixels = np.full((20, 30), value, np.float32)
    pixels[0, 0] = -1e38
    return encoded(Image.fromarray(pixels), "TIFF")


def _animated() -> Iterator[Case]:
    frames = [drawn(seed, "dogs", (40, 30)) for seed in range(12)]
    for name in ("gif", "webp", "png", "tiff", "avif"):
        yield file_case(
            f"{name} of twelve frames",
            f"moving.{name}",
            lambda name=name: encoded(frames[0], FORMATS[name], save_all=True, append_images=frames[1:]),
            name,
        )
    yield file_case(
        "gif whose second frame is broken",
        "moving.gif",
        lambda: encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])[:2500] + bytes(500),
        "gif",
        "damaged",
    )
    yield file_case(
        "tiff of 300 pages",
        "pages.tiff",
        lambda: encoded(frames[0], "TIFF", save_all=True, append_images=[Image.new("L", (9, 9))] * 299),
        "tiff",
    )
    yield file_case("gif of 20000 frames", "frames.gif", lambda: _gif_of_frames(20_000), "gif")


def _gif_of_frames(count: int) -> bytes:
    whole = encoded(Image.new("P", (4, 4)), "GIF")
    start = whole.index(b",")
    return whole[:start] + whole[start:-1] * count + b";"
