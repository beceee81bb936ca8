"""JPEG XL (`pip install pillow-jxl-plugin`). Its header is read here, since the plugin decodes as it opens.

Doing so it is held to the memory of a decoder process; the budget that all of them share comes too late.
"""
import io
from collections.abc import Iterator

from PIL import Image, ImageFile, UnidentifiedImageError

from cache.formats.boxes import boxes
from cache.limits import Limits, Skip

FORMAT = "JXL"  # as the plugin calls it
NEEDED = "JPEG XL picture: pip install pillow-jxl-plugin"
ANIMATION = "JPEG XL animation"  # of which the plugin has the last frame only

CODESTREAM = b"\xff\x0a"
WHOLE, PART = b"jxlc", b"jxlp"  # boxes of a container that hold a codestream, or a piece behind its number
NUMBER_BYTES = 4
HEADER_BYTES = 64  # what is read takes up to 28

RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width to height, from 1 on
Sides = tuple[tuple[int, int], ...]  # kinds of numbers
SIDES = ((9, 1), (13, 1), (18, 1), (30, 1))  # how many bits, and what is added to their number
SIDES_BY_8 = ((5, 1),)
SIDES_OF_PREVIEW = ((6, 1), (8, 65), (10, 321), (12, 1345))
SIDES_OF_PREVIEW_BY_8 = ((0, 16), (0, 32), (5, 1), (9, 33))


def open_jxl(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Decoded, and upright; of one that keeps a JPEG that very JPEG. Raises Skip where the plugin is not
    installed, for too many pixels and for animations, else what Pillow does."""
    try:
        from pillow_jxl import JpegXLImagePlugin
    except ImportError:
        raise Skip("unsupported_type", NEEDED) from None
    width, height, is_animated = _header(data)
    limits.judge(width, height, FORMAT, 0)
    if is_animated:
        raise Skip("unsupported_type", ANIMATION)
    JpegXLImagePlugin.DECODE_THREADS = 0  # each would have its share of the address space
    try:
        image = Image.open(io.BytesIO(data), formats=[FORMAT])
    except RuntimeError:  # of libjxl, with advice for who builds it
        raise Skip("damaged", "not to be decoded") from None
    if isinstance(image, JpegXLImagePlugin.JXLImageFile) and not image.jpeg:
        image.info.pop("exif", None)  # its pixels have been turned, by their own header (18181-2, Exif box)
    return image


def _header(data: bytes) -> tuple[int, int, bool]:
    """Width and height as stored, and whether there are several frames (ISO/IEC 18181-1, SizeHeader and
    ImageMetadata). Raises UnidentifiedImageError where there is none."""
    bits = Bits(b"".join(_codestream(data))[:HEADER_BYTES])
    if bits.take(16) != int.from_bytes(CODESTREAM, "little"):
        raise UnidentifiedImageError
    width, height = _size(bits, SIDES, SIDES_BY_8)
    is_all_default = bits.take(1)
    if is_all_default or not bits.take(1):
        return width, height, False
    bits.take(3)  # orientation
    if bits.take(1):
        _size(bits, SIDES, SIDES_BY_8)  # how large it wants to be shown
    if bits.take(1):
        _size(bits, SIDES_OF_PREVIEW, SIDES_OF_PREVIEW_BY_8)
    return width, height, bool(bits.take(1))


def _size(bits: "Bits", sides: Sides, sides_by_8: Sides) -> tuple[int, int]:
    unit, sides = (8, sides_by_8) if bits.take(1) else (1, sides)
    height = unit * bits.number(sides)
    ratio = bits.take(3)
    if not ratio:
        return unit * bits.number(sides), height
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

    def number(self, kinds: Sides) -> int:
        """Of one of four kinds, as two bits before it say; or of the only one."""
        count, added = kinds[self.take(2) if len(kinds) > 1 else 0]
        return self.take(count) + added
