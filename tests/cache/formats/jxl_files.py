"""JPEG XL: what its plugin writes, and what it does not: other headers, boxes, animations."""
import pillow_jxl  # noqa: F401  so that encoded() can write it
from PIL import Image

from tests.cache.formats.heif_files import box
from tests.drawing import encoded

# Written by cjxl 0.7 and libjxl 0.11: the plugin writes neither.
TURNED = bytes.fromhex(  # 8 x 6, white with a red left half, to be turned by 90 degrees
    "ff0a28300b04149704080201006c004b188b15c209aa17e3ae170801207ff56772fb200c000000000000")
ANIMATION = bytes.fromhex(  # 8 x 6, a frame of red, one of green, one of blue
    "ff0a28304113008809080401003c004b188b15805dc6ff00625f963d873f080401003c004b188b15805dc6ff008e09e63d873f"
    "080405003c004b188b15805dc6ff00a209e63d873f")
SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"


def jxl(picture: Image.Image, **options) -> bytes:
    return encoded(picture, "JXL", **{"lossless": True, "effort": 1, **options})


def large_box(kind: bytes, content: bytes) -> bytes:
    """With a size of 64 bits."""
    return b"\0\0\0\1" + kind + (16 + len(content)).to_bytes(8, "big") + content


def in_container(codestream: bytes, *before: bytes) -> bytes:
    return SIGNATURE + box(b"ftyp", b"jxl \0\0\0\0jxl ") + b"".join(before) + box(b"jxlc", codestream)


def written(*fields: tuple[int, int]) -> bytes:
    """Numbers with how many bits each takes, behind the signature."""
    value, place = 0x0AFF, 16
    for number, bits in fields:
        value |= number << place
        place += bits
    return value.to_bytes(-(-place // 8), "little")


LARGEST = (0, 1), (3, 2), (2**30 - 1, 30), (0, 3), (3, 2), (2**30 - 1, 30)
