"""A picture in strips: what is done to it step by step would otherwise take its memory several times over."""
from collections.abc import Iterator

from PIL import Image

Box = tuple[int, int, int, int]  # left, top, right, bottom

STRIP_PIXELS = 1_000_000


def strips(image: Image.Image) -> Iterator[Box]:
    """Boxes as wide as the picture, from top to bottom, of about STRIP_PIXELS
    each."""
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)
