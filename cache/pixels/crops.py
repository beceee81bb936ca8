"""A decoded picture -> the uint8 crop an encoder takes: upright, RGB, square."""
import numpy as np
from PIL import Image

from cache.limits import skip_for
from cache.pixels.crop_spec import CropSpec
from cache.pixels.seen import Seen, centre_box
from cache.pixels.strips import Box

RESAMPLING = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}
LONGEST_RATIO = 64  # longer strips are cut before resizing: 64 x 224 x 224 pixels are 10 MB


def crop(seen: Seen, spec: CropSpec) -> np.ndarray:
    """The picture as a model sees it: uint8, shape (size, size, 3). Raises Skip if its pixels cannot be
    converted."""
    try:
        return np.asarray(_square(seen, spec))
    except Exception as error:
        raise skip_for(error) from None


def box_in_crop(seen: Seen, spec: CropSpec) -> Box:
    """Where the upright picture lies in its crop."""
    if spec.resize_mode != "longest":
        return 0, 0, spec.size, spec.size
    return box_in_square(*seen.size, spec.size)


def _square(seen: Seen, spec: CropSpec) -> Image.Image:
    resampling = RESAMPLING[spec.interpolation]
    if spec.resize_mode == "longest":
        return _padded(seen, spec, resampling)
    if spec.resize_mode == "squash":
        return seen.scaled((spec.size, spec.size), resampling)
    return _centre(seen, spec.size, resampling)


def _centre(seen: Seen, size: int, resampling: Image.Resampling) -> Image.Image:
    """Shortest side to `size`, then the centre: torchvision's Resize and CenterCrop with their rounding.
    (Resizing only the box of the centre is not the same to the bit.)"""
    shortest = min(seen.size)
    longest = LONGEST_RATIO * shortest
    if max(seen.size) > longest:  # or 65,500 x 1 pixels would become 14 million x 224
        width, height = seen.size
        seen = seen.centre(min(width, longest), min(height, longest))
    width, height = (size if side == shortest else int(size * side / shortest) for side in seen.size)
    return centre_box(seen.scaled((width, height), resampling), size, size)


def _padded(seen: Seen, spec: CropSpec, resampling: Image.Resampling) -> Image.Image:
    """Longest side to `size`, the rest filled: open_clip's ResizeKeepRatio(longest=1) and CenterCropOrPad."""
    left, top, right, bottom = box_in_square(*seen.size, spec.size)
    square = Image.new("RGB", (spec.size, spec.size), (spec.fill,) * 3)
    square.paste(seen.scaled((right - left, bottom - top), resampling), (left, top))
    return square


def box_in_square(width: int, height: int, size: int) -> Box:
    """Where the whole picture lies in the crop of resize mode "longest": left, top, right, bottom."""
    ratio = max(width, height) / size
    inner_width = max(1, round(width / ratio))
    inner_height = max(1, round(height / ratio))
    left, top = (size - inner_width) // 2, (size - inner_height) // 2
    return left, top, left + inner_width, top + inner_height
