"""HEIC files written box by box, around pictures that pillow-heif has coded.

Boxes are those of ISO/IEC 14496-12, items and their properties those of ISO/IEC 23008-12.
"""
import io
import struct
from collections.abc import Iterator
from typing import NamedTuple

import pillow_heif
from PIL import Image

from cache.formats import heif as reader

reader.register()  # as in a decoder: what is drawn here is read in the same process

# The one way in which RGB comes back to the bit.
LOSSLESS = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}
ALPHA = b"urn:mpeg:hevc:2015:auxid:1"
DEPTH = b"urn:mpeg:hevc:2015:auxid:2"
OF_A_PICTURE = (b"hvcC", b"ispe", b"pixi", b"colr")  # properties
GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
UPRIGHT = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)  # a film's matrix


class Item(NamedTuple):
    """Of a file; its number is its place in the list, from 1."""

    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    references: tuple[tuple[bytes, tuple[int, ...]], ...] = ()  # kind, and numbers of other items
    content_type: bytes = b""
    hidden: bool = False

    def plus(self, *properties: bytes) -> "Item":
        return self._replace(properties=self.properties + properties)

    def without(self, kind: bytes) -> "Item":
        return self._replace(properties=tuple(kept for kept in self.properties if kept[4:8] != kind))

    def to(self, kind: bytes, *numbers: int) -> "Item":
        return self._replace(references=(*self.references, (kind, numbers)))


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def ispe(width: int, height: int) -> bytes:
    return full_box(b"ispe", 0, 0, struct.pack(">II", width, height))


def irot(quarters: int) -> bytes:
    """Counter-clockwise."""
    return box(b"irot", bytes([quarters]))


def imir(axis: int) -> bytes:
    """0: top and bottom are exchanged, 1: left and right (23008-12, 6.5.12, as amended)."""
    return box(b"imir", bytes([axis]))


def clap(width: int, height: int) -> bytes:
    """The middle of a picture."""
    return box(b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1))


def nclx(primaries: int, curve: int, matrix: int = 0) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, curve, matrix, 0x80))


def icc(profile: bytes) -> bytes:
    return box(b"colr", b"prof", profile)


def aux_type(name: bytes) -> bytes:
    return full_box(b"auxC", 0, 0, name + b"\0")


def heic(image: Image.Image, **options) -> bytes:
    """As pillow-heif writes it, lossless unless told otherwise."""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, **{**LOSSLESS, **options})
    return buffer.getvalue()


def picture(image: Image.Image, **options) -> Item:
    """A coded picture, lossless unless told otherwise. Sides should be multiples of 64: others are coded in a
    larger picture."""
    return coded(heic(image, **options))


def coded(file: bytes) -> Item:
    """The picture of a file that has one, without what belongs to the file."""
    outer = dict(boxes(file))
    properties = dict(boxes(dict(boxes(outer[b"meta"], 4))[b"iprp"]))[b"ipco"]
    kept = [box(kind, content) for kind, content in boxes(properties) if kind in OF_A_PICTURE]
    return Item(b"hvc1", outer[b"mdat"], tuple(kept))


def boxes(data: bytes, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each."""
    while start + 8 <= len(data):
        size = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], data[start + 8 : start + size]
        start += max(size, 8)


def grid(size: tuple[int, int], rows: int, columns: int, tiles: tuple[int, ...]) -> Item:
    """A picture put together from others, row by row."""
    data = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *size)
    return Item(b"grid", data, (ispe(*size),)).to(b"dimg", *tiles)


def exif(tiff: bytes, of: int) -> Item:
    return Item(b"Exif", struct.pack(">I", 6) + b"Exif\0\0" + tiff).to(b"cdsc", of)


def xmp(text: bytes, of: int) -> Item:
    return Item(b"mime", text, content_type=b"application/rdf+xml\0").to(b"cdsc", of)


def heif(*items: Item, primary: int = 1, brand: bytes = b"heic", behind: bytes = b"") -> bytes:
    """A file of these items; `behind`: further boxes between the items' table and their bytes."""
    head = box(b"ftyp", brand, bytes(4), b"mif1", brand)
    start = len(head) + len(_meta(items, primary, 0)) + len(behind) + 8
    return head + _meta(items, primary, start) + behind + box(b"mdat", *(item.data for item in items))


def film(
    *frames: Item, size: tuple[int, int], brand: bytes = b"msf1", is_large: bool = False, before: bytes = b"",
) -> bytes:
    """A sequence without a picture of its own: one track, each frame coded by itself, behind others before
    it. A large one says where they lie in 64 bits, and one length for all."""
    head = box(b"ftyp", brand, bytes(4), b"msf1", b"hevc")
    start = len(head) + len(_moov(before + track(frames, size, 0, is_large), len(frames))) + 8
    moov = _moov(before + track(frames, size, start, is_large), len(frames))
    return head + moov + box(b"mdat", *(frame.data for frame in frames))


def _moov(tracks: bytes, count: int) -> bytes:
    head = _longs(0, 0, 1000, 100 * count, 0x10000), b"\1\0", bytes(10), UPRIGHT, bytes(24), _longs(2)
    return box(b"moov", full_box(b"mvhd", 0, 0, *head), tracks)


def track(frames: tuple[Item, ...], size: tuple[int, int], start: int, is_large: bool = False) -> bytes:
    """Of frames that lie in the file from `start` on."""
    count, length = len(frames), 100 * len(frames)
    if is_large:
        lengths = full_box(b"stsz", 0, 0, _longs(len(frames[0].data), count))
        places = full_box(b"co64", 0, 0, struct.pack(">IQ", 1, start))
    else:
        lengths = full_box(b"stsz", 0, 0, _longs(0, count, *(len(frame.data) for frame in frames)))
        places = full_box(b"stco", 0, 0, _longs(1, start))
    config = [content for content in frames[0].properties if content[4:8] in (b"hvcC", b"colr")]
    sizes = struct.pack(">HH", *size) + _longs(0x480000, 0x480000, 0)
    entry = box(b"hvc1", bytes(6), b"\0\1", bytes(16), sizes, b"\0\1", bytes(32), b"\0\x18\xff\xff", *config)
    samples = box(
        b"stbl",
        full_box(b"stsd", 0, 0, _longs(1), entry),
        full_box(b"stts", 0, 0, _longs(1, count, 100)),
        full_box(b"stsc", 0, 0, _longs(1, 1, count, 1)),
        lengths,
        places,
    )
    here = box(b"dinf", full_box(b"dref", 0, 0, _longs(1), full_box(b"url ", 0, 1)))
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, _longs(0, 0, 1000, length), bytes(4)),
        full_box(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
        box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), here, samples),
    )
    head = _longs(0, 0, 1, 0, length), bytes(16), UPRIGHT, _longs(size[0] << 16, size[1] << 16)
    return box(b"trak", full_box(b"tkhd", 0, 3, *head), media)


def _longs(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def _meta(items: tuple[Item, ...], primary: int, start: int) -> bytes:
    return full_box(
        b"meta", 0, 0,
        full_box(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", 0, 0, struct.pack(">H", primary)),
        _places(items, start),
        full_box(b"iinf", 0, 0, struct.pack(">H", len(items)), *map(_entry, range(1, 1 + len(items)), items)),
        full_box(b"iref", 0, 0, *_references(items)),
        _properties(items),
    )


def _places(items: tuple[Item, ...], start: int) -> bytes:
    places = []
    for number, item in enumerate(items, 1):
        places.append(struct.pack(">HHHII", number, 0, 1, start, len(item.data)))
        start += len(item.data)
    return full_box(b"iloc", 0, 0, b"\x44\0", struct.pack(">H", len(items)), *places)


def _entry(number: int, item: Item) -> bytes:
    names = struct.pack(">HH4s", number, 0, item.kind) + b"\0" + item.content_type
    return full_box(b"infe", 2, int(item.hidden), names)


def _references(items: tuple[Item, ...]) -> Iterator[bytes]:
    for number, item in enumerate(items, 1):
        for kind, others in item.references:
            yield box(kind, struct.pack(f">HH{len(others)}H", number, len(others), *others))


def _properties(items: tuple[Item, ...]) -> bytes:
    named = list(dict.fromkeys(content for item in items for content in item.properties))
    ties = b""
    for number, item in enumerate(items, 1):
        places = [1 + named.index(content) for content in item.properties]
        ties += struct.pack(f">HB{len(places)}H", number, len(places), *places)
    return box(
        b"iprp", box(b"ipco", *named), full_box(b"ipma", 0, 1, struct.pack(">I", len(items)), ties)
    )
