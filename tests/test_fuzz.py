"""Damaged bytes by the ten thousand: whatever a file holds, the reader gives a picture or a reason, and the next file is read as ever.

A mutation is a pure function of format and number: mutation("GIF", 123) gives the bytes of the file that a failure calls GIF-123.
With --full, 10,000 of each format and a line of figures for each.
"""
import io
import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import groupby
from random import Random
from unittest.mock import patch
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from cache import image_source
from cache.image_decoder import CropSpec, decode, open_image
from cache.image_limits import REASONS, Limits
from cache.source_file import Archive, Item, Picture, Skipped, SourceFile
from tests.drawing import drawn, encoded, png, zipped

# Mutated sizes shall cost milliseconds, not seconds: the whole path runs, only sooner against its bounds.
LIMITS = Limits(max_pixels=4_000_000, max_decoded_mib=32, max_member_mib=16, file_timeout=10.0)
CONTROL_EVERY = 50
NO_PICTURE = b"just text"
HASH_ID = re.compile("[0-9a-f]{128}")
NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]

PICTURE = drawn(1)
CLEAR = PICTURE.convert("RGBA")
CLEAR.putalpha(PICTURE.convert("L"))
DEEP = Image.fromarray(np.arange(48 * 40, dtype=np.uint16).reshape(40, 48) * 34)
FLOATS = Image.fromarray(np.linspace(-1, 3, 48 * 40, dtype=np.float32).reshape(40, 48))


def several() -> dict:
    """Fresh pictures each time: one that was saved in a format remembers it, and cannot become a page of a TIFF."""
    return {"save_all": True, "append_images": [drawn(2), drawn(3)]}


def jpegs() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)  # no date: the same bytes in every run
    facts = {"exif": exif, "icc_profile": bytes(profile)}
    return [
        encoded(PICTURE, "JPEG", **facts), encoded(PICTURE, "JPEG", progressive=True, **facts),
        encoded(PICTURE, "JPEG", subsampling=0, restart_marker_rows=1), encoded(PICTURE.convert("L"), "JPEG"),
        encoded(PICTURE.convert("CMYK"), "JPEG"), encoded(PICTURE, "MPO", **several()),
    ]


def pngs() -> list[bytes]:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a cat")
    text.add_text("Comment", "long " * 50, zip=True)
    text.add_itxt("Author", "Änne", "de", "Verfasserin", zip=True)
    return [
        png(1), encoded(PICTURE.quantize(16), transparency=bytes(range(0, 256, 16))), encoded(DEEP), interlaced(np.array(PICTURE)),
        encoded(CLEAR, pnginfo=text, gamma=0.45), encoded(PICTURE.convert("1")), encoded(PICTURE, **several()),
    ]


def interlaced(pixels: np.ndarray) -> bytes:
    """Adam7, which Pillow reads but does not write."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    lines = b"".join(b"\0" + row.tobytes() for x, y, right, down in passes for row in pixels[y::down, x::right])
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)


def gifs() -> list[bytes]:
    return [
        encoded(PICTURE.quantize(), "GIF", interlace=0), encoded(PICTURE.quantize(8), "GIF", transparency=3, comment=b"a cat"),
        encoded(PICTURE, "GIF", **several(), duration=100, loop=0, disposal=2), encoded(PICTURE.convert("L"), "GIF"),
    ]


def webps() -> list[bytes]:
    return [
        encoded(PICTURE, "WEBP", exif=b"Exif\0\0MM\0*"), encoded(CLEAR, "WEBP", lossless=True), encoded(CLEAR, "WEBP"),
        encoded(CLEAR, "WEBP", **several(), duration=100),
    ]


def tiffs() -> list[bytes]:
    packed = [encoded(PICTURE, "TIFF", compression=name) for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", None)]
    plain = [encoded(picture, "TIFF") for picture in (DEEP, FLOATS, PICTURE.convert("CMYK"), PICTURE.quantize())]
    pages = encoded(PICTURE, "TIFF", compression="tiff_lzw", **several())
    return [*packed, *plain, pages, encoded(CLEAR, "TIFF", big_tiff=True), encoded(PICTURE.convert("1"), "TIFF", compression="group4")]


def bmps() -> list[bytes]:
    return [*(encoded(PICTURE.convert(mode), "BMP") for mode in ("RGB", "L", "1")), encoded(PICTURE.quantize(), "BMP"),
            encoded(CLEAR, "BMP"), run_length_bmp()]


def run_length_bmp() -> bytes:
    """8 bits, compressed, which Pillow reads but does not write: rows of runs, of literal bytes, and a jump over the last."""
    runs, literal = b"\x18\x01\x18\x02\0\0", b"\0\x04\x01\x02\x03\x01\x2c\x03\0\0"
    lines = (runs + literal) * 19 + runs + b"\0\x02\x05\0" + b"\x2b\x03" + b"\0\1"
    palette = bytes(value % 251 for value in range(1024))
    facts = struct.pack("<IiiHHIIiiII", 40, 48, 40, 1, 8, 1, len(lines), 2835, 2835, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(lines), 0, 0, 54 + 1024) + facts + palette + lines


def ppms() -> list[bytes]:
    binary = [encoded(PICTURE.convert(mode), "PPM") for mode in ("RGB", "L", "1")]
    plain = [b"P3 # a comment\n48 40\n255\n" + b" ".join(b"%d" % value for value in PICTURE.tobytes()),
             b"P2 48 40 15\n" + b" ".join(b"%d" % (value % 16) for value in range(48 * 40)), b"P1\n48 40\n" + b"0110" * 480]
    return [*binary, *plain, encoded(DEEP, "PPM")]


def avifs() -> list[bytes]:
    animated = encoded(PICTURE, "AVIF", **several(), duration=100)
    animated = re.sub(rb"((?:mvhd|tkhd|mdhd)\x01.{3}).{16}", lambda match: match[1] + bytes(16), animated, flags=re.DOTALL)  # no dates
    return [encoded(PICTURE, "AVIF"), encoded(CLEAR, "AVIF"), animated, encoded(PICTURE.convert("L"), "AVIF", subsampling="4:0:0")]


def zips() -> list[bytes]:
    members = {"cats/1.png": png(1), "dogs/ä.gif": encoded(drawn(2), "GIF"), "notes.txt": NO_PICTURE}
    inner = zipped({"cats/deep.zip": zipped({"a.bmp": encoded(drawn(3), "BMP")}, compression=ZIP_DEFLATED), "1.png": png(4)})
    packed = [zipped(members, compression=method) for method in (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA)]
    return [*packed, zipped({"in.zip": inner, "2.png": png(5)}), streamed(members), large(members), zipped({})]


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
        archive.mkdir("cats")
        for name, data in members.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    return buffer.getvalue()


DRAWERS: dict[str, Callable[[], list[bytes]]] = {
    "JPEG": jpegs, "PNG": pngs, "GIF": gifs, "WEBP": webps, "TIFF": tiffs, "BMP": bmps, "PPM": ppms, "AVIF": avifs, "ZIP": zips}


@cache
def seeds(name: str) -> list[bytes]:
    with patch("time.localtime", return_value=(2001, 2, 3, 4, 5, 6)):  # which stands in ZIPs; the same bytes in every run
        return DRAWERS[name]()


def mutation(name: str, number: int) -> bytes:
    random = Random(f"{name} {number}")
    data = bytearray(seeds(name)[number % len(seeds(name))])
    for _ in range(random.choice((1, 1, 1, 2, 4, 12))):
        if data:
            random.choice(CHANGES)(data, random, random.choice(seeds(name)))
    # Checksums keep most damage from what decodes a PNG: every second one gets them right again.
    return with_checksums(data) if name == "PNG" and random.random() < 0.5 else bytes(data)


def place(data: bytearray, random: Random) -> int:
    """Anywhere, or where the tables of contents lie: at the beginning, at the end."""
    size = len(data)
    return random.randrange(*random.choice(((0, size), (0, min(size, 64)), (max(0, size - 200), size))))


def stretch(data: bytearray, random: Random) -> slice:
    start = place(data, random)
    return slice(start, start + random.choice((1, 2, 4, 16, 100, len(data))))


def flip(data: bytearray, random: Random, other: bytes) -> None:
    data[place(data, random)] ^= 1 << random.randrange(8)


def write_number(data: bytearray, random: Random, other: bytes) -> None:
    width, start = random.choice((1, 2, 4)), place(data, random)
    value = random.choice(NUMBERS) % 256 ** width
    data[start:start + width] = value.to_bytes(width, random.choice(("big", "little")))


def count_on(data: bytearray, random: Random, other: bytes) -> None:
    start = place(data, random)
    data[start] = (data[start] + random.choice((-16, -1, 1, 2, 16))) % 256


def delete(data: bytearray, random: Random, other: bytes) -> None:
    del data[stretch(data, random)]


def double(data: bytearray, random: Random, other: bytes) -> None:
    part = stretch(data, random)
    data[part.start:part.start] = (data[part] * random.choice((1, 2, 8)))[:20_000]


def truncate(data: bytearray, random: Random, other: bytes) -> None:
    del data[place(data, random):]


def splice(data: bytearray, random: Random, other: bytes) -> None:
    start = place(data, random)
    data[start:] = other[random.choice((start, random.randrange(len(other)))):]


CHANGES = [flip, flip, write_number, write_number, write_number, count_on, delete, double, truncate, splice]


def with_checksums(data: bytearray) -> bytes:
    start = 8
    while start + 12 <= len(data):
        end = start + 8 + int.from_bytes(data[start:start + 4], "big")
        if end + 4 > len(data):
            break
        data[end:end + 4] = zlib.crc32(data[start + 4:end]).to_bytes(4, "big")
        start = end + 4
    return bytes(data)


def files(name: str, count: int) -> Iterator[SourceFile]:
    """Every seed as it is, then the mutations, with a seed as it is after every so many of them."""
    good = seeds(name)
    for number, data in enumerate(good):
        yield source_file(f"good-{number}", data)
    for number in range(count):
        yield source_file(f"{name}-{number}", mutation(name, number))
        if number % CONTROL_EVERY == CONTROL_EVERY - 1:
            turn = number // CONTROL_EVERY % len(good)
            yield source_file(f"good-{turn}-after-{number}", good[turn])


def source_file(name: str, data: bytes) -> SourceFile:
    return SourceFile(name, f"/{name}", None, None, len(data), 0, partial(io.BytesIO, data))


@cache
def known(data: bytes) -> list[str]:
    """What an untouched file holds, found in this process, where no damaged picture is ever decoded."""
    if data.startswith(b"PK"):
        with ZipFile(io.BytesIO(data)) as archive:
            members = [archive.read(info) for info in archive.infolist() if not info.is_dir()]
        return [*(row for member in members for row in known(member)), "archive"]
    return ["not_an_image"] if data == NO_PICTURE else [decode(open_image(data, LIMITS))["hash_id"]]


def told(item: Item) -> str:
    return item.hash_id if isinstance(item, Picture) else item.reason if isinstance(item, Skipped) else "archive"


def path(item: Item) -> str:
    return item.file_path if isinstance(item, Skipped) else item.file.file_path


def is_sound(item: Item) -> bool:
    match item:
        case Picture():
            return bool(HASH_ID.fullmatch(item.hash_id)) and 0 < item.width * item.height <= LIMITS.max_pixels and is_whole(item.crop)
        case Skipped():
            return item.reason in REASONS and item.reason != "timeout" and item.detail != "the decoder crashed"
    return isinstance(item, Archive)


def is_whole(crop: np.ndarray | None) -> bool:
    return crop is not None and (crop.shape, crop.dtype) == ((224, 224, 3), np.uint8)


def is_right(file_format: str, name: str, items: list[Item]) -> bool:
    """A good file holds what it always did; a damaged one has one outcome, behind what was in it if it still is a ZIP."""
    if not all(map(is_sound, items)):
        return False
    if name.startswith("good-"):
        return [told(item) for item in items] == known(seeds(file_format)[int(name.split("-")[1])])
    paths = [path(item) for item in items]
    return paths.count(name) == 1 and paths[-1] == name and (len(items) == 1 or isinstance(items[-1], Archive))


@pytest.mark.parametrize("name", DRAWERS)
def test_a_damaged_file_is_kept_or_skipped_with_a_reason_and_harms_no_other(name, full, monkeypatch, capsys):
    count = 10_000 if full else 300
    given, found, wrong, figures = [], [], [], Counter()
    listing = (given.append(file.file_path) or file for file in files(name, count))
    monkeypatch.setattr(image_source, "disk_files", lambda *arguments: listing)
    stream = image_source.images("-", limits=LIMITS, num_threads=2, crop_for=lambda *hash_ids: CropSpec(224))
    for top, group in groupby(stream, lambda item: path(item).split("/")[0]):
        items = list(group)
        found.append(top)
        if not is_right(name, top, items):
            wrong.append((top, [(path(item), told(item), getattr(item, "detail", "")) for item in items]))
        if not top.startswith("good-"):
            figures.update("kept" if isinstance(item, Picture) else told(item) for item in items)
    assert wrong == []
    assert found == given
    if full:
        with capsys.disabled():
            print(f"\n{name}: {count} mutations, " + ", ".join(f"{number} {reason}" for reason, number in figures.most_common()))
