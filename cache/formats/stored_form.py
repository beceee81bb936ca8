"""How a file stores its first frame, as far as its look depends on it and Pillow forgets it by loading."""
import io
import struct
from typing import NamedTuple, cast

from PIL import Image, ImageFile

from cache.pixels.strips import Box

STEPS_OF_GREY = {"L;2": 85, "L;4": 17}  # Pillow spreads 2 and 4 bits over 0 to 255, but not their tRNS
ANIMATED = 2  # among the flags of a WebP


class StoredForm(NamedTuple):
    """By default a picture is stored as Pillow reads it."""

    mode: str
    step: int = 1  # what Pillow multiplies the stored grey values by
    low_bytes: Image.Image | None = None  # of 16-bit RGB with a transparent colour the half that Pillow drops
    frame: Box | None = None  # where the frame lies on its canvas, if not everywhere


def stored_form(image: ImageFile.ImageFile) -> StoredForm:
    """Of a picture that open_image() opened from bytes, and that is not loaded yet."""
    if image.format == "PNG":
        return _form_of_png(image)
    if image.format == "GIF":
        return StoredForm(image.mode, frame=image.tile[0].extents)
    if image.format == "WEBP" and image.mode == "RGB":  # with alpha, Pillow has it right
        return StoredForm(image.mode, frame=_frame_of_webp(_data(image)))
    return StoredForm(image.mode)


def _form_of_png(image: ImageFile.ImageFile) -> StoredForm:
    raw_mode = str(image.tile[0].args)
    if raw_mode == "LA;16B":
        return StoredForm("LA")  # Pillow makes RGBA of it
    if raw_mode == "RGB;16B" and "transparency" in image.info:
        return StoredForm(image.mode, low_bytes=_low_bytes(image))
    return StoredForm(image.mode, STEPS_OF_GREY.get(raw_mode, 1))


def _low_bytes(image: ImageFile.ImageFile) -> Image.Image:
    """The same file read as if its bytes were in the other order: Pillow keeps the first of two."""
    half = Image.open(io.BytesIO(_data(image)), formats=["PNG"])
    half.tile = [tile._replace(args="RGB;16L") for tile in half.tile]
    half.load()
    return half


def _frame_of_webp(data: bytes) -> Box | None:
    """Of an animation; None of a still picture. Positions are stored by half (WebP container, ANMF)."""
    if data[12:16] != b"VP8X" or not data[20] & ANIMATED:
        return None
    start = 12
    while start + 24 <= len(data):
        name, size = struct.unpack_from("<4sI", data, start)
        if name == b"ANMF":
            left, top, width, height = (
                int.from_bytes(data[place:place + 3], "little") for place in range(start + 8, start + 20, 3)
            )
            return 2 * left, 2 * top, 2 * left + width + 1, 2 * top + height + 1
        start += 8 + size + size % 2
    return None


def _data(image: ImageFile.ImageFile) -> bytes:
    return cast(io.BytesIO, image.fp).getvalue()
