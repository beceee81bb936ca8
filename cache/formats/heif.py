"""HEIC and other HEIF: libheif's decoder, by way of pi_heif, which is a plugin of Pillow.

It gives the primary picture upright (irot, imir) and cut to size (clap), puts grids of tiles together, and
refuses a picture whose decoded size is another than its header says.
"""
from collections.abc import Iterator
from itertools import islice

from pi_heif import register_heif_opener

MOST_BOXES = 1000  # of a file's outermost: it has a handful


def register() -> None:
    """Teach Pillow to open HEIF. Nothing beside the picture is asked for: neither thumbnails nor maps of
    depth or gain. A decoder process has its share of the cores, so tiles are decoded one by one."""
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=0)


def is_film_alone(data: bytes) -> bool:
    """Whether it is a sequence (moov) that has no picture besides (meta), which pi_heif does not read."""
    kinds = set(islice(_kinds_of_boxes(data), MOST_BOXES))
    return b"moov" in kinds and b"meta" not in kinds


def _kinds_of_boxes(data: bytes) -> Iterator[bytes]:
    """Of the outermost (ISO/IEC 14496-12, 4.2). A size of 0 reaches to the end; 1 has 64 bits behind it."""
    start = 0
    while start + 8 <= len(data):
        size = int.from_bytes(data[start:start + 4], "big")
        yield data[start + 4:start + 8]
        if size == 1:
            size = int.from_bytes(data[start + 8:start + 16], "big")
        if size < 8:
            return
        start += size
