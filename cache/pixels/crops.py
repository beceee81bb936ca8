"""A decoded picture -> the uint8 crop an encoder takes: upright, RGB, square."""
import numpy as np
from PIL import Image

from cache.limits import skip_for
from cache.pixels.colour_profile import to_srgb
from cache.pixels.crop_spec import CropSpec
from cache.pixels.look import Look
from cache.pixels.rgb import shows_paper, to_rgb
from cache.pixels.strips import Box
from cache.pixels.turning import upright, upright_size

RESAMPLING = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}
LONGEST_RATIO = 64  # longer strips are cut before resizing: 64 x 224 x 224 pixels are 10 MB


def crop(image: Image.Image, spec: CropSpec, look: Look = Look()) -> np.ndarray:
    """The picture as a model sees it: uint8, shape (size, size, 3). Raises Skip if its pixels cannot be
    converted."""
    try:
        picture, profile = _seen(image, look)
        return np.asarray(_resized(picture, spec, profile))
    except Exception as error:
        raise skip_for(error) from None


def box_in_crop(image: Image.Image, spec: CropSpec, look: Look) -> Box:
    """Where the upright picture lies in its crop."""
    if spec.resize_mode != "longest":
        return 0, 0, spec.size, spec.size
    return box_in_square(*upright_size(image, look.orientation), spec.size)


def _seen(image: Image.Image, look: Look) -> tuple[Image.Image, bytes]:
    """Upright on white paper, and the profile that it still has to be converted by: when it is small, since
    12 million pixels take half a second. Only what lets the paper through has to be converted before. CMYK
    with a profile stays CMYK: the profile makes RGB of it."""
    if look.profile and image.mode == "CMYK":
        return upright(image, look.orientation), look.profile
    if look.profile and shows_paper(image, look):
        return to_rgb(image, look, look.profile), b""
    return to_rgb(image, look), look.profile


def _resized(picture: Image.Image, spec: CropSpec, profile: bytes) -> Image.Image:
    """As the model wants it, and in sRGB."""
    resampling = RESAMPLING[spec.interpolation]
    if spec.resize_mode == "longest":
        return _padded(picture, spec, resampling, profile)
    if spec.resize_mode == "squash":
        return to_srgb(picture.resize((spec.size, spec.size), resampling), profile)
    return to_srgb(_centre(picture, spec.size, resampling), profile)


def _centre(picture: Image.Image, size: int, resampling: Image.Resampling) -> Image.Image:
    """Shortest side to `size`, then the centre: torchvision's Resize and CenterCrop with their rounding.
    (Resizing only the box of the centre is not the same to the bit.)"""
    shortest = min(picture.size)
    longest = LONGEST_RATIO * shortest
    if max(picture.size) > longest:  # or 65,500 x 1 pixels would become 14 million x 224
        picture = _centre_box(picture, min(picture.width, longest), min(picture.height, longest))
    width, height = (size if side == shortest else int(size * side / shortest) for side in picture.size)
    return _centre_box(picture.resize((width, height), resampling), size, size)


def _centre_box(picture: Image.Image, width: int, height: int) -> Image.Image:
    left = round((picture.width - width) / 2)
    top = round((picture.height - height) / 2)
    return picture.crop((left, top, left + width, top + height))


def _padded(
    picture: Image.Image, spec: CropSpec, resampling: Image.Resampling, profile: bytes
) -> Image.Image:
    """Longest side to `size`, the rest filled: open_clip's ResizeKeepRatio(longest=1) and CenterCropOrPad."""
    left, top, right, bottom = box_in_square(*picture.size, spec.size)
    square = Image.new("RGB", (spec.size, spec.size), (spec.fill,) * 3)
    inner = picture.resize((right - left, bottom - top), resampling)
    square.paste(to_srgb(inner, profile), (left, top))
    return square


def box_in_square(width: int, height: int, size: int) -> Box:
    """Where the whole picture lies in the crop of resize mode "longest": left, top, right, bottom."""
    ratio = max(width, height) / size
    inner_width = max(1, round(width / ratio))
    inner_height = max(1, round(height / ratio))
    left, top = (size - inner_width) // 2, (size - inner_height) // 2
    return left, top, left + inner_width, top + inner_height
