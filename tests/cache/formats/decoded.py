"""What the decoder makes of a file's bytes."""
import numpy as np

from cache.formats.image_decoder import decode, open_image
from cache.limits import Limits
from cache.pixels.crop_spec import CropSpec
from cache.pixels.crops import crop


def identity(data: bytes) -> dict:
    return decode(open_image(data, Limits()))[0]


def hash_id(data: bytes) -> str:
    return identity(data)["hash_id"]


def seen(data: bytes, size: int) -> np.ndarray:
    """The picture squashed to size x size without mixing pixels: (size, size, 3)."""
    return cropped(data, CropSpec(size, "squash", "nearest"))


def cropped(data: bytes, spec: CropSpec) -> np.ndarray:
    return crop(decode(open_image(data, Limits()))[1], spec)
