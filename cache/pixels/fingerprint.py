"""A fingerprint of how pictures are made ready for an encoder.

A model keeps it, to tell whether the vectors it learnt from were made as those it gets.
"""
from functools import cache
from hashlib import sha256

import numpy as np
from PIL import Image

from cache.pixels.crop_spec import CropSpec
from cache.pixels.crops import crop
from cache.pixels.seen import Seen

DIGITS = 16
SPECS = (
    CropSpec(48, "shortest"),
    CropSpec(48, "shortest", "bilinear"),
    CropSpec(48, "longest"),
    CropSpec(48, "squash"),
)
SIZES = ((97, 61), (577, 409))  # of the second, boxes of pixels are averaged first


@cache
def preprocessing_fingerprint() -> str:
    """Of what really happens to the pixels: drawn pictures are cropped as each kind of encoder wants them.
    Another Pillow that resizes to other bytes, or a change of ours, gives another one."""
    crops = (crop(_drawn(*size), spec).tobytes() for size in SIZES for spec in SPECS)
    return sha256(b"".join(crops)).hexdigest()[:DIGITS]


def _drawn(width: int, height: int) -> Seen:
    column, row, channel = np.meshgrid(np.arange(width), np.arange(height), np.arange(3), indexing="xy")
    pixels = column * column + 7 * row * (channel + 1) + column * row
    return Seen(Image.fromarray((pixels % 256).astype(np.uint8)))
