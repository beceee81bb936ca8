"""Small good files of every format, with as many of its features as can be drawn, for the fuzz test to
damage."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from functools import cache
from unittest.mock import patch
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from tests.cache.formats.dng_files import bare_dng, dng, linear_dng
from tests.cache.formats.heif_files import (
    ALPHA,
    Item,
    aux_type,
    box,
    boxes,
    film,
    grid,
    heif,
    imir,
    irot,
    picture,
)
from tests.cache.formats.jxl_files import TURNED, in_container, jxl
from tests.drawing import drawn, encoded, png, zipped

NO_PICTURE = b"just text"
PICTURE = drawn(1)
CLEAR = PICTURE.convert("RGBA")
CLEAR.putalpha(PICTURE.convert("L"))
DEEP = Image.fromarray(np.arange(48 * 40, dtype=np.uint16).reshape(40, 48) * 34)
FLOATS = Image.fromarray(np.linspace(-1, 3, 48 * 40, dtype=np.float32).reshape(40, 48))


def several() -> dict:
    """Fresh each time: a picture that was saved in a format remembers it, and cannot become a page of a
    TIFF."""
    return {"save_all": True, "append_images": [drawn(2), drawn(3)]}


def jpegs() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)  # no date: the same bytes in every run
    facts = {"exif": exif, "icc_profile": bytes(profile)}
    return [
        encoded(PICTURE, "JPEG", **facts),
        encoded(PICTURE, "JPEG", progressive=True, **facts),
        encoded(PICTURE, "JPEG", subsampling=0, restart_marker_rows=1),
        encoded(PICTURE.convert("L"), "JPEG"),
        encoded(PICTURE.convert("CMYK"), "JPEG"),
        encoded(PICTURE, "MPO", **several()),
    ]


def pngs() -> list[bytes]:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a cat")
    text.add_text("Comment", "long " * 50, zip=True)
    text.add_itxt("Author", "Änne", "de", "Verfasserin", zip=True)
    return [
        png(1),
        encoded(PICTURE.quantize(16), transparency=bytes(range(0, 256, 16))),
        encoded(DEEP),
        interlaced(np.array(PICTURE)),
        encoded(CLEAR, pnginfo=text, gamma=0.45),
        encoded(PICTURE.convert("1")),
        encoded(PICTURE, **several()),
    ]


def interlaced(pixels: np.ndarray) -> bytes:
    """Adam7, which Pillow reads but does not write."""
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    lines = b"".join(
        b"\0" + row.tobytes() for x, y, right, down in passes for row in pixels[y::down, x::right]
    )
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def gifs() -> list[bytes]:
    return [
        encoded(PICTURE.quantize(), "GIF", interlace=0),
        encoded(PICTURE.quantize(8), "GIF", transparency=3, comment=b"a cat"),
        encoded(PICTURE, "GIF", **several(), duration=100, loop=0, disposal=2),
        encoded(PICTURE.convert("L"), "GIF"),
    ]


def webps() -> list[bytes]:
    return [
        encoded(PICTURE, "WEBP", exif=b"Exif\0\0MM\0*"),
        encoded(CLEAR, "WEBP", lossless=True),
        encoded(CLEAR, "WEBP"),
        encoded(CLEAR, "WEBP", **several(), duration=100),
    ]


def tiffs() -> list[bytes]:
    packed = [
        encoded(PICTURE, "TIFF", compression=name)
        for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", None)
    ]
    plain = [
        encoded(picture, "TIFF") for picture in (DEEP, FLOATS, PICTURE.convert("CMYK"), PICTURE.quantize())
    ]
    pages = encoded(PICTURE, "TIFF", compression="tiff_lzw", **several())
    return [
        *packed,
        *plain,
        pages,
        encoded(CLEAR, "TIFF", big_tiff=True),
        encoded(PICTURE.convert("1"), "TIFF", compression="group4"),
    ]


def bmps() -> list[bytes]:
    return [
        *(encoded(PICTURE.convert(mode), "BMP") for mode in ("RGB", "L", "1")),
        encoded(PICTURE.quantize(), "BMP"),
        encoded(CLEAR, "BMP"),
        run_length_bmp(),
    ]


def run_length_bmp() -> bytes:
    """Compressed, which Pillow reads but does not write: rows of runs, of literal bytes, and a jump over
    the last."""
    runs, literal = b"\x18\x01\x18\x02\0\0", b"\0\x04\x01\x02\x03\x01\x2c\x03\0\0"
    lines = (runs + literal) * 19 + runs + b"\0\x02\x05\0" + b"\x2b\x03" + b"\0\1"
    palette = bytes(value % 251 for value in range(1024))
    facts = struct.pack("<IiiHHIIiiII", 40, 48, 40, 1, 8, 1, len(lines), 2835, 2835, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(lines), 0, 0, 54 + 1024) + facts + palette + lines


def ppms() -> list[bytes]:
    binary = [encoded(PICTURE.convert(mode), "PPM") for mode in ("RGB", "L", "1")]
    plain = [
        b"P3 # a comment\n48 40\n255\n" + b" ".join(b"%d" % value for value in PICTURE.tobytes()),
        b"P2 48 40 15\n" + b" ".join(b"%d" % (value % 16) for value in range(48 * 40)),
        b"P1\n48 40\n" + b"0110" * 480,
    ]
    return [*binary, *plain, encoded(DEEP, "PPM")]


def avifs() -> list[bytes]:
    animated = encoded(PICTURE, "AVIF", **several(), duration=100)
    dates = rb"((?:mvhd|tkhd|mdhd)\x01.{3}).{16}"
    animated = re.sub(dates, lambda match: match[1] + bytes(16), animated, flags=re.DOTALL)
    return [
        encoded(PICTURE, "AVIF"),
        encoded(CLEAR, "AVIF"),
        animated,
        encoded(PICTURE.convert("L"), "AVIF", subsampling="4:0:0"),
    ]


def heifs() -> list[bytes]:
    """Small, so that boxes are damaged as often as what they hold."""
    side = 64
    coded, *tiles = [picture(drawn(seed, size=(side, side)), quality=30) for seed in range(1, 6)]
    hidden = [tile._replace(hidden=True) for tile in tiles]
    grey = picture(Image.new("L", (side, side), 90), quality=30)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    said = Item(b"Exif", bytes(4) + exif.tobytes()[6:]).to(b"cdsc", 1)
    alone = film(coded, coded, size=(side, side))
    frames = box(b"moov", dict(boxes(alone))[b"moov"])
    return [
        heif(coded),
        heif(coded.plus(irot(1), imir(0)), grey.plus(aux_type(ALPHA)).to(b"auxl", 1), said),
        heif(grid((100, 90), 2, 2, (2, 3, 4, 5)), *hidden),
        heif(tiles[0].to(b"thmb", 2), coded, primary=2, brand=b"mif1"),
        heif(grey, coded, behind=frames, brand=b"msf1"),
        alone,
    ]


def raws() -> list[bytes]:
    scene = np.random.default_rng(1).random((48, 1002, 3), np.float32)
    photograph = encoded(drawn(1, size=(1000, 16)), "JPEG")
    first = np.asarray(PICTURE, np.float32) / 255
    return [
        bare_dng(first),
        linear_dng(first),
        dng(first, neutral=(0.5, 1, 0.8), orientation=6),
        dng(scene, photograph, (1000, 16), orientation=8),
    ]


def jxls() -> list[bytes]:
    return [
        *(jxl(picture) for picture in (PICTURE, CLEAR, DEEP, PICTURE.convert("L"))),
        jxl(PICTURE, lossless=False, effort=7),
        in_container(TURNED, box(b"Exif", b"\0\0\0\0MM\0*")),
        jxl(PICTURE, use_container=True, exif=b"MM\0*", compress_metadata=True),
    ]


def zips() -> list[bytes]:
    members = {"cats/1.png": png(1), "dogs/ä.gif": encoded(drawn(2), "GIF"), "notes.txt": NO_PICTURE}
    inner = zipped(
        {
            "cats/deep.zip": zipped({"a.bmp": encoded(drawn(3), "BMP")}, compression=ZIP_DEFLATED),
            "1.png": png(4),
        }
    )
    packed = [
        zipped(members, compression=method) for method in (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA)
    ]
    return [
        *packed,
        zipped({"in.zip": inner, "2.png": png(5)}),
        streamed(members),
        large(members),
        zipped({}),
    ]


class Stream(io.BytesIO):
    """Where writers cannot go back: the sizes of a member stand behind its bytes."""

    def seekable(self) -> bool:
        return False

    def seek(self, *position) -> int:
        raise io.UnsupportedOperation


def streamed(members: dict[str, bytes]) -> bytes:
    stream = Stream()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        archive.comment = b"holiday pictures"
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def large(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("cats/", b"")
        for name, data in members.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    return buffer.getvalue()


DRAWERS: dict[str, Callable[[], list[bytes]]] = {
    "JPEG": jpegs,
    "PNG": pngs,
    "GIF": gifs,
    "WEBP": webps,
    "TIFF": tiffs,
    "BMP": bmps,
    "PPM": ppms,
    "AVIF": avifs,
    "HEIF": heifs,
    "RAW": raws,
    "JXL": jxls,
    "ZIP": zips,
}


@cache
def seeds(name: str) -> list[bytes]:
    # Which stands in ZIPs: the same bytes in every run.
    with patch("time.localtime", return_value=(2001, 2, 3, 4, 5, 6)):
        return DRAWERS[name]()
