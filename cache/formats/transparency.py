"""What of a picture is transparent by other means than an alpha channel.

A colour, entries of the palette, or what its frame leaves bare.
"""
from typing import cast

import numpy as np
from PIL import Image

from cache.formats.stored_form import StoredForm
from cache.pixels.rgb import OPAQUE, WITH_ALPHA
from cache.pixels.strips import strips


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
