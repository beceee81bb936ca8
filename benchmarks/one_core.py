"""Seconds of one core for each of some JPEGs, by one way: what must be done at least, or what a decoder does.

    python -m benchmarks.one_core ours a.jpg b.jpg      # prints [0.12, 0.11]; part of benchmarks.photographs

A program of its own: a decoder sets globals of its process, and each way shall find the memory as it left it.
"""
import json
import sys
import time
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path

from PIL import Image
from simplejpeg import decode_jpeg, decode_jpeg_header

KEPT_BLOCKS = 16  # of 16 MiB each: 48 megapixels take 12
WARM_UP = 2


def pillow(path: Path) -> None:
    """Decode into the blocks that the last picture had, and BLAKE2b over as many bytes in one piece."""
    with Image.open(path) as image:
        image.load()
    blake2b(_buffer(3 * image.width * image.height))


def simplejpeg(path: Path) -> None:
    """Decode into one piece of memory, the same for every picture, and BLAKE2b over it."""
    data = path.read_bytes()
    height, width, *_ = decode_jpeg_header(data)
    buffer = _buffer(3 * width * height)
    decode_jpeg(data, "RGB", buffer=buffer)
    blake2b(buffer)


def ours(path: Path) -> None:
    """What a decoder's process does for stage 1 with the embedded encoder."""
    from cache.formats.image_decoder import decode, open_image
    from cache.limits import Limits
    from cache.pixels.crop_spec import CropSpec
    from cache.pixels.crops import crop

    image = open_image(path.read_bytes(), Limits())
    _, seen = decode(image)
    crop(seen, CropSpec(224, "squash"))


@cache
def _buffer(size: int) -> bytearray:
    """Written to, since zeros that nobody has touched lie in no memory at all."""
    return bytearray(b"\1" * size)


WAYS: dict[str, Callable[[Path], None]] = {way.__name__: way for way in (pillow, simplejpeg, ours)}


def main() -> None:
    way, paths = WAYS[sys.argv[1]], [Path(name) for name in sys.argv[2:]]
    if way is ours:
        from cache.formats.image_decoder import prepare_process

        prepare_process()
    else:
        Image.core.set_blocks_max(KEPT_BLOCKS)
    for path in paths[:WARM_UP]:
        way(path)
    print(json.dumps([_core_seconds(way, path) for path in paths]))


def _core_seconds(way: Callable[[Path], None], path: Path) -> float:
    begin = time.process_time()
    way(path)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
