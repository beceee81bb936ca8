"""TIFFs of several directories, written byte by byte: pages, thumbnails, sub-directories, raw photographs."""
import struct
from dataclasses import dataclass, field
from fractions import Fraction

from PIL import Image

BYTE, ASCII, SHORT, LONG, RATIONAL, SIGNED_RATIONAL = 1, 2, 3, 4, 5, 10
Value = int | str | bytes | Fraction | tuple[int, ...] | tuple[Fraction, ...]

REDUCED, PAGE, MASK = 1, 2, 4  # bits of NewSubfileType
FULL_IMAGE, REDUCED_IMAGE = 1, 2  # of the older SubfileType


@dataclass
class Directory:
    """`tags` by their numbers; those that say where pixels and sub-directories lie come by themselves."""

    tags: dict[int, Value]
    strip: bytes = b""
    below: list["Directory"] = field(default_factory=list)


def of_picture(picture: Image.Image, below: tuple[Directory, ...] = (), **tags: Value) -> Directory:
    """Uncompressed; `tags`: t254=1 and so on."""
    bands = len(picture.getbands())
    entries = {
        256: picture.width, 257: picture.height, 258: (8,) * bands, 259: 1, 262: 2 if bands == 3 else 1,
        277: bands, 278: picture.height, **{int(name[1:]): value for name, value in tags.items()},
    }
    return Directory(entries, picture.tobytes(), list(below))


def tiff_of(*chain: Directory, order: str = "<") -> bytes:
    """`order` is "<" (II) or ">" (MM)."""
    data = bytearray(b"II*\0" if order == "<" else b"MM\0*") + bytes(4)
    link = 4
    for directory in chain:
        place, following = _put(data, directory, order)
        struct.pack_into(order + "I", data, link, place)
        link = following
    return bytes(data)


def thumbnails(count: int, *, lead_on_to: int = 0) -> bytes:
    """A chain of thumbnails, whose last one leads to the directory of that number, the first being 1."""
    one = struct.pack("<HHHII", 1, 254, 4, 1, REDUCED)
    size = len(one) + 4
    following = [8 + number * size for number in range(1, count)]
    following.append(lead_on_to and 8 + (lead_on_to - 1) * size)
    return b"II*\0\x08\0\0\0" + b"".join(one + struct.pack("<I", place) for place in following)


def _put(data: bytearray, directory: Directory, order: str) -> tuple[int, int]:
    """Behind what is there: where it lies now, and where it says which one follows."""
    tags = dict(directory.tags)
    if directory.below:
        tags[330] = tuple(_put(data, child, order)[0] for child in directory.below)
    if directory.strip:
        tags = {273: _place(data, directory.strip), 279: len(directory.strip), **tags}
    entries = [_entry(data, tag, value, order) for tag, value in sorted(tags.items())]
    table = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    place = _place(data, table)
    return place, place + len(table) - 4


def _entry(data: bytearray, tag: int, value: Value, order: str) -> bytes:
    kind, count, packed = _packed(value, order)
    where = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(order + "I", _place(data, packed))
    return struct.pack(order + "HHI", tag, kind, count) + where


def _packed(value: Value, order: str) -> tuple[int, int, bytes]:
    """Type, number and bytes."""
    if isinstance(value, str):
        return ASCII, len(value) + 1, value.encode() + b"\0"
    if isinstance(value, bytes):
        return BYTE, len(value), value
    values = value if isinstance(value, tuple) else (value,)
    if isinstance(values[0], Fraction):
        numbers = [number for part in values for number in (part.numerator, part.denominator)]
        kind, letter = (SIGNED_RATIONAL, "i") if min(values) < 0 else (RATIONAL, "I")
        return kind, len(values), struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
    kind, letter = (SHORT, "H") if max(values) < 65536 else (LONG, "I")
    return kind, len(values), struct.pack(f"{order}{len(values)}{letter}", *values)


def _place(data: bytearray, added: bytes) -> int:
    """Behind all that is there, at an even place."""
    data.extend(bytes(len(data) % 2))
    place = len(data)
    data.extend(added)
    return place
