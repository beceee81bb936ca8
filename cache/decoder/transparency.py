"""What of a picture is transparent by other means than an alpha channel.

A colour, entries of the palette, or what its frame leaves bare.
"""
import io
from typing import NamedTuple, cast

import numpy as np
from PIL import Image, ImageFile

from cache.decoder.strips import strips

Box = tuple[int, int, int, int]  # left, top, right, bottom

WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
OPAQUE = 255
STEPS_OF_GREY = {"L;2": 85, "L;4": 17}  # Pillow spreads 2 and 4 bits over 0 to 255, but not their tRNS


class StoredForm(NamedTuple):
    """How a file stores its first frame, as far as transparency needs it. Loading forgets it."""

    step: int  # what Pillow multiplies the stored grey values by
    low_bytes: Image.Image | None  # of 16-bit RGB the half that Pillow drops
    frame: Box | None  # where the frame lies on its canvas


def stored_form(image: ImageFile.ImageFile) -> StoredForm:
    """Of an opened picture that is not loaded yet."""
    if image.format == "GIF":
        return StoredForm(1, None, image.tile[0].extents)
    if image.format != "PNG" or "transparency" not in image.info:
        return StoredForm(1, None, None)
    raw_mode = str(image.tile[0].args)
    low_bytes = _low_bytes(image) if raw_mode == "RGB;16B" else None
    return StoredForm(STEPS_OF_GREY.get(raw_mode, 1), low_bytes, None)


def _low_bytes(image: ImageFile.ImageFile) -> Image.Image:
    """The same file read as if its bytes were in the other order: Pillow keeps the first of two."""
    data = cast(io.BytesIO, image.fp).getvalue()
    half = Image.open(io.BytesIO(data), formats=["PNG"])
    half.tile = [tile._replace(args="RGB;16L") for tile in half.tile]
    half.load()
    return half


def transparency(image: Image.Image, form: StoredForm) -> Image.Image | None:
    """How opaque the pixels of a loaded picture are, 0 to 255: mode L, as large as the picture. None if all
    are opaque, or if the pixels themselves say it. Pillow's own note of it is taken off the picture."""
    key = image.info.pop("transparency", None)
    if image.mode in WITH_ALPHA:
        return None
    opacity = _by_key(image, key, form) if key is not None else _by_frame(image, form)
    if opacity is None or opacity.getextrema() == (OPAQUE, OPAQUE):
        return None
    return opacity


def _by_frame(image: Image.Image, form: StoredForm) -> Image.Image | None:
    """Where there is a key, Pillow has filled what the frame leaves bare with it."""
    if form.frame in (None, (0, 0, *image.size)):
        return None
    opacity = Image.new("L", image.size, 0)
    opacity.paste(OPAQUE, form.frame)
    return opacity


def _by_key(image: Image.Image, key: int | bytes | tuple, form: StoredForm) -> Image.Image | None:
    """`key` is Pillow's: an index or the opacities of the palette's first entries, a grey value, a colour. Of
    a key with more bits than the picture the low ones count (PNG, 11.3.2.1)."""
    if image.mode.startswith("I"):
        return _by_value([(image, np.array(key))])
    if form.low_bytes is not None:
        return _by_value([(image, np.array(key) >> 8), (form.low_bytes, np.array(key) & 255)])
    if image.mode == "RGB":
        return _by_value([(image, np.array(key) & 255)])
    return image.point(_opacities(key, form.step), "L")


def _opacities(key: int | bytes | tuple, step: int) -> list[int]:
    """Of the 256 values that a pixel may have."""
    if isinstance(key, bytes):
        return list(key[:256].ljust(256, b"\xff"))
    value = (cast(int, key) & 255) * step
    return [0 if pixel == value else OPAQUE for pixel in range(256)]


def _by_value(halves: list[tuple[Image.Image, np.ndarray]]) -> Image.Image:
    """Transparent is where each picture has its value: two, if a pixel's bytes lie in two pictures."""
    opacity = Image.new("L", halves[0][0].size)
    for box in strips(opacity):
        is_key = np.logical_and.reduce([_is(picture.crop(box), value) for picture, value in halves])
        opacity.paste(Image.fromarray(np.where(is_key, 0, OPAQUE).astype(np.uint8)), box)
    return opacity


def _is(strip: Image.Image, value: np.ndarray) -> np.ndarray:
    same = np.asarray(strip) == value
    return same.all(axis=2) if same.ndim == 3 else same
