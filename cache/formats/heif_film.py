"""A HEIC sequence that is a film alone: its first frame as a HEIC picture, since pi_heif reads no films.

Boxes of a film are those of ISO/IEC 14496-12, those of a picture of 23008-12 besides. How opaque a frame is
stands in a track of its own, which is not read.
"""
import struct
from collections.abc import Iterator

from cache.formats.boxes import boxes

OF_PICTURES = b"pict"  # the handler of a track of frames; that of what belongs to them is auxv
ENTRY_HEAD = 78  # bytes of a VisualSampleEntry in front of its boxes; its width and height are at 24
VERSION = bytes(4)  # and flags


def with_picture(data: bytes) -> bytes:
    """The file itself, unless it has frames (moov), no picture besides (meta), and a first frame that can be
    found."""
    kinds = {box.kind for box in boxes(data)}
    if b"moov" not in kinds or b"meta" in kinds:
        return data
    for kind, track in _contents(_inside(data, b"moov")):
        try:
            if kind == b"trak":
                return _first_frame(data, track)
        except (KeyError, struct.error):
            pass  # it is broken, or none of pictures: the next may be whole
    return data


def _first_frame(data: bytes, track: bytes) -> bytes:
    """Of a track, as a HEIC picture. Raises KeyError or struct.error if it is broken, or none of pictures."""
    samples = _samples(track)
    entry = _inside(_inside(samples, b"stsd")[8:], b"hvc1")
    size = struct.unpack_from(">HH", entry, 24)
    described = entry[ENTRY_HEAD:]  # as a picture is
    properties = [
        _box(b"hvcC", _inside(described, b"hvcC")),
        *(_box(kind, content) for kind, content in _contents(described) if kind == b"colr"),
        _box(b"ispe", VERSION, struct.pack(">II", *size)),
    ]
    start, length = _place_of_first(samples)
    return _picture(properties, data[start:start + length])


def _samples(track: bytes) -> bytes:
    """What a track of pictures says of its frames."""
    media = _inside(track, b"mdia")
    if _inside(media, b"hdlr")[8:12] != OF_PICTURES:
        raise KeyError(OF_PICTURES)
    return _inside(_inside(media, b"minf"), b"stbl")


def _place_of_first(samples: bytes) -> tuple[int, int]:
    """Of the first frame: where it begins in the file, and its length. One that all share comes first."""
    tables = dict(_contents(samples))
    if b"co64" in tables:
        [start] = struct.unpack_from(">Q", tables[b"co64"], 8)
    else:
        [start] = struct.unpack_from(">I", tables[b"stco"], 8)
    [common] = struct.unpack_from(">I", tables[b"stsz"], 4)
    [length] = [common] if common else struct.unpack_from(">I", tables[b"stsz"], 12)
    return start, length


def _picture(properties: list[bytes], coded: bytes) -> bytes:
    """A file of one item, which has all properties."""
    head = _box(b"ftyp", b"heic", VERSION, b"mif1", b"heic")
    places = bytes(range(1, 1 + len(properties)))
    tables = [
        _box(b"hdlr", VERSION, bytes(4), b"pict", bytes(13)),
        _box(b"pitm", VERSION, struct.pack(">H", 1)),
        _box(b"iinf", VERSION, struct.pack(">H", 1), _box(b"infe", b"\2\0\0\0", b"\0\1\0\0hvc1\0")),
        _box(
            b"iprp", _box(b"ipco", *properties),
            _box(b"ipma", VERSION, struct.pack(">IHB", 1, 1, len(places)), places)),
    ]
    place_bytes = 8 + 4 + 4 + 14  # of the box iloc
    start = len(head) + 12 + sum(map(len, tables)) + place_bytes + 8
    place = _box(b"iloc", VERSION, b"\x44\0\0\1", struct.pack(">HHHII", 1, 0, 1, start, len(coded)))
    return head + _box(b"meta", VERSION, *tables, place) + _box(b"mdat", coded)


def _inside(data: bytes, kind: bytes) -> bytes:
    """The content of the first box of a kind. Raises KeyError if there is none."""
    for name, content in _contents(data):
        if name == kind:
            return content
    raise KeyError(kind)


def _contents(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((box.kind, data[box.start:box.end]) for box in boxes(data))


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content
