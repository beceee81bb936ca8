"""The first frame of a file: its look, and its pixels, put right where Pillow gives others than are meant."""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin

from cache.formats.declared_colours import declared_profile
from cache.formats.jxl import JxlPicture
from cache.formats.plain_jpeg import plain_jpeg
from cache.formats.stored_form import stored_form
from cache.formats.transparency import transparency
from cache.pixels.colour_profile import changing
from cache.pixels.look import Look
from cache.pixels.packed import Packed
from cache.pixels.strips import strips

WHITE_IS_ZERO = 0  # TIFF's PhotometricInterpretation
TWELVE_BITS = (12,)  # TIFF's BitsPerSample
EXIF_KEYS = ("exif", "Raw profile type exif")  # the second is how ImageMagick writes it into PNG


class Frame(NamedTuple):
    image: Image.Image | Packed
    look: Look


def first_frame(image: ImageFile.ImageFile) -> Frame:
    """Decode the pixels of an opened picture. Raises whatever Pillow does where it cannot."""
    if isinstance(image, JxlPicture):
        image.load()  # or it would say nothing of its mode and colours
    image.info.pop("xmp", None)  # or Pillow would turn a TIFF by it
    form, profile = stored_form(image), declared_profile(image)
    packed = plain_jpeg(image)
    if packed is None:
        image.load()
        _put_right(image)
    look = Look(transparency(image, form), orientation(image), changing(profile, form.mode))
    return Frame(packed or image, look)


def orientation(image: Image.Image) -> int:
    """As its EXIF has it, 1 (upright) to 8; 1 where that says nothing, or nothing that can be understood. XMP
    is not asked: browsers do not. Loading turns a TIFF, and forgets that it did."""
    if image.format == "HEIF":
        return 1  # irot and imir have turned it; EXIF, which says it again, must not (23008-12, Annex A)
    try:
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            value = image.tag_v2.get(ExifTags.Base.Orientation)
        else:
            value = bare_exif(image).get(ExifTags.Base.Orientation)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def bare_exif(image: Image.Image) -> Image.Exif:
    """Without the orientation of XMP, which image.getexif() takes where EXIF has none."""
    bare = Image.Image()
    bare.info = {key: image.info[key] for key in EXIF_KEYS if key in image.info}
    return bare.getexif()


def _put_right(image: ImageFile.ImageFile) -> None:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _put_tiff_right(image)
    elif image.format == "BMP" and image.mode == "RGBA" and image.getextrema()[-1] == (0, 0):
        image.putalpha(255)  # an alpha of 0 all over was left empty, not meant
    elif image.format == "HEIF" and image.mode == "I;16":
        bits = image.info["bit_depth"]  # 10 or 12, which pi_heif moves to the upper end of 16
        _change(image, lambda values: values | values >> bits)


def _put_tiff_right(image: TiffImagePlugin.TiffImageFile) -> None:
    """Pillow inverts WhiteIsZero up to 8 bits, not above, and leaves 12 bits between 0 and 4095."""
    deep = image.mode.startswith("I;16")
    if deep and image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE) == TWELVE_BITS:
        _change(image, lambda values: values * 16 + values // 256)
    if image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) != WHITE_IS_ZERO:
        return
    if deep:
        _change(image, lambda values: 65535 - values)
    elif image.mode == "F":
        _change(image, lambda values: -values)


def _change(image: Image.Image, function: Callable[[np.ndarray], np.ndarray]) -> None:
    for box in strips(image):
        image.paste(Image.fromarray(function(np.asarray(image.crop(box)))), box)
