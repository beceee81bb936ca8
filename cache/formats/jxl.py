"""JPEG XL (`pip install pillow-jxl-plugin`): judged by its header, since the plugin decodes as it opens.

Doing so it is held to the memory of a decoder process; the budget that all of them share comes too late.
"""
import io

from PIL import Image, ImageFile

from cache.formats.jxl_header import read_header
from cache.limits import Limits, Skip

FORMAT = "JXL"  # as the plugin calls it
NEEDED = "JPEG XL picture: pip install pillow-jxl-plugin"
ANIMATION = "JPEG XL animation"  # of which the plugin has the last frame only
MOST_MEMORY = 16  # bytes a pixel that libjxl takes: 7 where it was kept with losses, 16 without


def open_jxl(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Decoded, and upright; of one that keeps a JPEG that very JPEG. Raises Skip where the plugin is not
    installed, for too many pixels and for animations, UnidentifiedImageError where there is no header."""
    try:
        from pillow_jxl import JpegXLImagePlugin
    except ImportError:
        raise Skip("unsupported_type", NEEDED) from None
    width, height, is_animated, has_more_channels = read_header(data)
    limits.judge(width, height, FORMAT, width * height * (4 if has_more_channels else 3))
    if is_animated:
        raise Skip("unsupported_type", ANIMATION)
    JpegXLImagePlugin.DECODE_THREADS = 0  # each would have its share of the address space
    try:
        image = Image.open(io.BytesIO(data), formats=[FORMAT])
    except RuntimeError:  # whatever it was: libjxl does not say
        if width * height * MOST_MEMORY > limits.decoder_memory:
            raise MemoryError from None
        raise Skip("damaged", "not to be decoded") from None
    if isinstance(image, JpegXLImagePlugin.JXLImageFile) and not image.jpeg:
        image.info.pop("exif", None)  # its pixels have been turned, by their own header (18181-2, Exif box)
    return image
