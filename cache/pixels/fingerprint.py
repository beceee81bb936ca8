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


@cache
def preprocessing_fingerprint() -> str:
    """Of what really happens to the pixels: a drawn picture is cropped as each kind of encoder wants it.
    Another Pillow that resizes to other bytes, or a change of ours, gives another one. The picture is small:
    that large ones are averaged first is not in it, since their vectors stay the same within .0001."""
    column, row, channel = np.meshgrid(np.arange(97), np.arange(61), np.arange(3), indexing="xy")
    pixels = column * column + 7 * row * (channel + 1) + column * row
    seen = Seen(Image.fromarray((pixels % 256).astype(np.uint8)))
    crops = b"".join(crop(seen, spec).tobytes() for spec in SPECS)
    return sha256(crops).hexdigest()[:DIGITS]
