"""ICC profiles: whether one changes how a picture looks, and what its colours are in sRGB.

All of it is LittleCMS, which comes with Pillow. Profiles may be as hostile as pictures: one that is damaged
does not cost its picture, and a decoder that hangs in one is killed.
"""
import io
from functools import lru_cache
from itertools import product

import numpy as np
from PIL import Image, ImageCms

from cache.limits import MIB

MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}  # ICC's name of what a profile describes: Pillow's
PROBED_LEVELS = {"L": 256, "RGB": 9, "CMYK": 5}  # of each band
SAME = 2  # of 255: another table of the curve of sRGB, or its primaries rounded, differ by 1
LARGEST_PROFILE = 4 * MIB  # those of printing presses have up to 3
KEPT = 4  # pictures of one camera or program share a profile
GREYS = ("1", "L", "LA", "La", "I", "F")  # and I;16
WITHOUT = ("CMYK", "LAB")  # what a profile of RGB says nothing about


def changing(profile: bytes, mode: str) -> bytes:
    """The profile itself if it changes how pictures of that mode look. One that does not, is damaged or is
    about something else counts as none."""
    if not profile or len(profile) > LARGEST_PROFILE:
        return b""
    transform = _transform(profile)
    return profile if transform and _is_about(transform.input_mode, mode) else b""


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """A picture in RGB or CMYK, by the profile that changing() gave for it; as it is if that is none."""
    transform = _transform(profile) if profile else None
    if transform is None:
        return picture
    return transform.apply(picture.convert(transform.input_mode))


def _is_about(profile_mode: str, mode: str) -> bool:
    """As browsers see it, who show greys as equal parts of red, green and blue."""
    if profile_mode == "L":
        return mode in GREYS or mode.startswith("I;16")
    if profile_mode == "RGB":
        return mode not in WITHOUT
    return mode == profile_mode


@lru_cache(KEPT)
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """None if there is nothing to change, or no way to."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = MODES[opened.profile.xcolor_space.strip()]
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        # Black stays as dark as it was printed, as browsers have it; perceptually it would become 0.
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        transform = ImageCms.ImageCmsTransform(opened, srgb, mode, "RGB", intent)
        return transform if _changes(transform) else None
    except MemoryError:
        raise
    except Exception:
        return None


def _changes(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether colours from all over come out other than Pillow would show them."""
    mode = transform.input_mode
    bands = Image.getmodebands(mode)
    levels = np.linspace(0, 255, PROBED_LEVELS[mode]).round().astype(np.uint8)
    colours = np.array(list(product(levels, repeat=bands)), np.uint8)
    probe = Image.frombytes(mode, (len(colours), 1), colours.tobytes())
    shown = np.asarray(transform.apply(probe), np.int16)
    return bool(np.abs(shown - np.asarray(probe.convert("RGB"))).max() > SAME)
