"""The small picture that is kept of every one: a JPEG, upright, in sRGB."""
import io

from PIL import Image

from cache.limits import skip_for
from cache.pixels.crops import box_in_square
from cache.pixels.seen import Seen

SIDE = 256  # pixels of the longer side
QUALITY = 75
SPARE = 1.5  # see Seen.scaled(): finer than that is not seen in it


def thumbnail(seen: Seen) -> bytes:
    """A JPEG, as large as the picture if that is smaller than SIDE. Raises Skip if its pixels cannot be
    converted."""
    left, top, right, bottom = box_in_square(*seen.size, min(SIDE, max(seen.size)))
    try:
        small = seen.scaled((right - left, bottom - top), Image.Resampling.HAMMING, SPARE)
    except Exception as error:
        raise skip_for(error) from None
    return jpeg_bytes(small)


def jpeg_bytes(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
