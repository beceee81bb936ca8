"""The header of a JPEG XL: its size, and what else tells how much memory decoding takes (ISO/IEC 18181-1)."""
from collections.abc import Callable, Iterator
from typing import NamedTuple

from PIL import UnidentifiedImageError

from cache.formats.boxes import boxes

CODESTREAM = b"\xff\x0a"
WHOLE, PART = b"jxlc", b"jxlp"  # boxes that hold a codestream, or a piece of it behind its number
NUMBER_BYTES = 4
HEADER_BYTES = 64  # what is read takes up to 32

Numbers = tuple[tuple[int, int], ...]  # four kinds: how many bits, and what is added to them
SIDES: Numbers = ((9, 1), (13, 1), (18, 1), (30, 1))
SIDES_OF_PREVIEW: Numbers = ((6, 1), (8, 65), (10, 321), (12, 1345))
SIDES_OF_PREVIEW_BY_8: Numbers = ((0, 16), (0, 32), (5, 1), (9, 33))
BITS_OF_INTEGERS: Numbers = ((0, 8), (0, 10), (0, 12), (6, 1))
BITS_OF_FLOATS: Numbers = ((0, 32), (0, 16), (0, 24), (6, 1))
MORE_CHANNELS: Numbers = ((0, 0), (0, 1), (4, 2), (12, 1))
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width to height, from 1 on


class Header(NamedTuple):
    width: int  # as stored
    height: int
    is_animated: bool = False
    has_more_channels: bool = False  # than colours: alpha, as a rule


def read_header(data: bytes) -> Header:
    """SizeHeader, and of ImageMetadata what is needed. Raises UnidentifiedImageError where there is none."""
    bits = Bits(b"".join(_codestream(data))[:HEADER_BYTES])
    if bits.take(16) != int.from_bytes(CODESTREAM, "little"):
        raise UnidentifiedImageError
    width, height = _size(bits)
    is_all_default = bits.take(1)
    if is_all_default:
        return Header(width, height)
    has_more_fields = bits.take(1)
    if has_more_fields and _skip_to_animation(bits):
        return Header(width, height, is_animated=True)
    _skip_depth(bits)
    return Header(width, height, has_more_channels=bits.number(MORE_CHANNELS) > 0)


def _skip_to_animation(bits: "Bits") -> int:
    bits.take(3)  # orientation
    if bits.take(1):
        _size(bits)  # how large it wants to be shown
    if bits.take(1):
        _size_of_preview(bits)
    return bits.take(1)


def _skip_depth(bits: "Bits") -> None:
    if bits.take(1):
        bits.number(BITS_OF_FLOATS)
        bits.take(4)  # how many of them are the exponent
    else:
        bits.number(BITS_OF_INTEGERS)
    bits.take(1)  # whether 16 bits are enough on the way


def _size(bits: "Bits") -> tuple[int, int]:
    if bits.take(1):
        return _sides(bits, lambda: 8 * (bits.take(5) + 1))
    return _sides(bits, lambda: bits.number(SIDES))


def _size_of_preview(bits: "Bits") -> tuple[int, int]:
    if bits.take(1):
        return _sides(bits, lambda: 8 * bits.number(SIDES_OF_PREVIEW_BY_8))
    return _sides(bits, lambda: bits.number(SIDES_OF_PREVIEW))


def _sides(bits: "Bits", side: Callable[[], int]) -> tuple[int, int]:
    height = side()
    ratio = bits.take(3)
    if not ratio:
        return side(), height
    across, down = RATIOS[ratio - 1]
    return height * across // down, height


def _codestream(data: bytes) -> Iterator[bytes]:
    """Its beginning, in pieces (18181-2, boxes)."""
    if data.startswith(CODESTREAM):
        yield data[:HEADER_BYTES]
        return
    for box in boxes(data):
        if box.kind in (WHOLE, PART):
            start = box.start + NUMBER_BYTES * (box.kind == PART)
            yield data[start:min(box.end, start + HEADER_BYTES)]


class Bits:
    """Numbers of so many bits, from the lowest bit of the first byte on."""

    def __init__(self, data: bytes):
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise UnidentifiedImageError
        number = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return number

    def number(self, kinds: Numbers) -> int:
        """Of the kind that the two bits before it name."""
        count, added = kinds[self.take(2)]
        return self.take(count) + added
