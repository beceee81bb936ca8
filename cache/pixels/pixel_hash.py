"""hash_id: the digest that stands for how a picture looks."""
from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
from PIL import Image

from cache.pixels.look import Look
from cache.pixels.packed import Packed
from cache.pixels.strips import strips


def hash_ids(image: Image.Image | Packed, look: Look = Look()) -> tuple[str, str | None]:
    """BLAKE2b of the pixels in the file's own mode, then of whatever else decides how they look: the palette,
    and what Look.digested() gives. Of palette images that have nothing else the digest of the indices alone,
    which older tools wrote, comes second."""
    digest = blake2b()
    for some_pixels in _pixels(image):
        digest.update(some_pixels)
    old_hash_id = None
    if isinstance(image, Image.Image) and image.mode in ("P", "PA"):
        old_hash_id = digest.hexdigest() if look.is_plain else None
        digest.update(_palette(image))
    for piece in look.digested():
        digest.update(piece)
    return digest.hexdigest(), old_hash_id


def _pixels(image: Image.Image | Packed) -> Iterator[bytes | memoryview]:
    """In pieces: tobytes() of a whole image would hold its bytes twice."""
    if isinstance(image, Packed):
        yield image.pixels.data
    else:
        yield from (image.crop(box).tobytes() for box in strips(image))


def _palette(image: Image.Image) -> bytes:
    """Red, green and blue of each entry, without the unused black ones at the end: TIFF has them up to 256,
    GIF up to a power of 2."""
    palette = bytes(image.getpalette("RGB") or b"")
    largest = int(np.ravel(image.getextrema())[1])
    needed = max(3 * (largest + 1), len(palette.rstrip(b"\0")))
    return palette[: -(-needed // 3) * 3]
