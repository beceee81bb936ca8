"""Pictures with as much to see as photographs have, drawn; and what people make of them."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from companions.cluster.methods import method_named
from companions.cluster.methods.method import Pair
from tests.drawing import encoded

Make = Callable[[Image.Image], Image.Image]

SIZE = (420, 320)
EASY: Mapping[str, Make] = {
    "as it is": lambda picture: picture,
    "saved badly": lambda picture: Image.open(BytesIO(encoded(picture, "JPEG", quality=30))),
    "half as large": lambda picture: picture.resize((SIZE[0] // 2, SIZE[1] // 2)),
    "cut": lambda picture: picture.crop((40, 30, 360, 270)),
    "lighter": lambda picture: picture.point(lambda value: 60 + value * 3 // 5),
}
HARD: Mapping[str, Make] = {
    "grey": lambda picture: ImageOps.grayscale(picture),
    "mirrored": ImageOps.mirror,
    "turned": lambda picture: picture.rotate(10, expand=True),
    "a quarter": lambda picture: picture.crop((120, 100, 330, 260)),
    "framed": lambda picture: ImageOps.expand(picture, 50, "white"),
    "written on": lambda picture: with_a_band(picture),
}


@cache
def scene(seed: int) -> Image.Image:
    """Clouds of noise of four sizes, and a few shapes."""
    random = np.random.default_rng(seed)
    picture = np.zeros((SIZE[1], SIZE[0], 3))
    for cells in (5, 12, 30, 70):
        noise = Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8))
        picture += np.asarray(noise.resize(SIZE, Image.Resampling.BICUBIC)) / 4
    drawn = Image.fromarray(picture.astype(np.uint8))
    draw = ImageDraw.Draw(drawn)
    for _ in range(25):
        x, y, width, height = random.integers(0, (380, 280, 60, 60)).tolist()
        draw.ellipse((x, y, x + width + 8, y + height + 8), tuple(random.integers(0, 256, 3).tolist()))
    return drawn


def with_a_band(picture: Image.Image) -> Image.Image:
    """A strip of text along the lower edge."""
    written = picture.copy()
    draw = ImageDraw.Draw(written)
    draw.rectangle((0, 270, 420, 320), "black")
    draw.text((15, 275), "HOLIDAYS IN THE HILLS", "white", ImageFont.load_default(size=32))
    return written


def with_a_logo(picture: Image.Image) -> Image.Image:
    """A sixteenth of the picture, in its upper right corner, with much to see in it."""
    written = picture.copy()
    written.paste(scene(999).crop((0, 0, 210, 160)).resize((105, 80)), (310, 5))
    return written


class Remembered:
    """Features in memory, in blocks of any size."""

    def __init__(self, features: Sequence[bytes], block: int = 100):
        self._features, self._block = features, block

    def __len__(self) -> int:
        return len(self._features)

    def of(self, numbers: Sequence[int]) -> list[bytes]:
        return [self._features[number] for number in numbers]

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        for start in range(0, len(self), self._block):
            yield start, list(self._features[start:start + self._block])


def fitted(picture: Image.Image, side: int) -> np.ndarray:
    """As the decoder gives it: its longer side as long as the method's."""
    factor = side / max(picture.size)
    width, height = (max(1, round(length * factor)) for length in picture.size)
    return np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))


@cache
def features_of(name: str, seed: int, make: Make) -> bytes:
    """Of one method, of what is made of one scene."""
    method = method_named(name)
    return method.features(fitted(make(scene(seed)), method.side))


def pairs_among(name: str, features: Sequence[bytes], block: int = 100) -> list[Pair]:
    method = method_named(name)
    return sorted(method.pairs(Remembered(features, block), method.threshold))
