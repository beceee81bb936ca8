"""Plain JPEGs, decoded to the same bytes in less time: in one piece, into memory that is used again.

Both decoders are libjpeg-turbo. Pillow judges the header before, and decides about all that is not whole.
"""
import io
import weakref
from typing import cast

import numpy as np
import simplejpeg
from PIL import ImageFile, JpegImagePlugin

from cache.limits import MIB
from cache.pixels.packed import Packed

COLOUR_SPACES = {"L": "GRAY", "RGB": "RGB"}
LARGEST_KEPT = 48 * MIB  # 16 million pixels; what is larger gets memory of its own

_kept: list[np.ndarray] = []  # none, or one that no picture uses


def plain_jpeg(image: ImageFile.ImageFile) -> Packed | None:
    """The pixels of an opened picture. None for whatever is no JPEG in grey or YCbCr with 8 bits, or is
    damaged in any way: Pillow decides what can be read of it."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or not _is_plain(image):
        return None
    data = cast(io.BytesIO, image.fp).getbuffer()
    memory = _memory(image.width * image.height * len(image.mode))
    try:
        pixels = simplejpeg.decode_jpeg(data, COLOUR_SPACES[image.mode], buffer=memory)
    except ValueError:
        return None
    weakref.finalize(pixels, _keep, memory)
    return Packed(image.mode, pixels)


def kept_bytes() -> int:
    return sum(memory.size for memory in _kept)


def _is_plain(image: JpegImagePlugin.JpegImageFile) -> bool:
    """By the header: RGB that is stored as such has other names of its components, or a note of Adobe's."""
    if image.mode not in COLOUR_SPACES:
        return False
    components = [layer[0] for layer in image.layer]
    return image.bits == 8 and components != [*b"RGB"] and image.info.get("adobe_transform") in (None, 1)


def _memory(size: int) -> np.ndarray:
    memory = _kept.pop() if _kept else np.empty(0, np.uint8)
    return memory if memory.size >= size else np.empty(size, np.uint8)


def _keep(memory: np.ndarray) -> None:
    if not _kept and memory.size <= LARGEST_KEPT:
        _kept.append(memory)
