"""The pictures of the benchmark, the same every time: mixed ones as people have them, many small ones, and
photographs.

    python -m benchmarks                              # all parts; this file is none of them
"""
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageDraw

JPEG = ("jpg", {"quality": 85})
PNG = ("png", {"compress_level": 1})
WEBP = ("webp", {"quality": 80, "method": 1})
MIXED = (JPEG, JPEG, JPEG, PNG, WEBP)
SHORTEST, LONGEST = 300, 2000
TEXTURE_SIDE = 2400  # a product of small primes: quick to transform
SHAPES = 6
SMALL_SIZE = (48, 40)
TAGS = 10
PHOTOGRAPH = (4000, 3000)  # 12 megapixels
SCENES = 2
ROOM = 512  # pixels by which a scene is larger than the photographs cut from it
NOISE = 4.0  # standard deviation: with it 12 megapixels are 3.3 MB, as those of a phone by day
NOISE_SIDE = 1024  # of the tile that is repeated: twelve million normal numbers take a second
SIDEWAYS = 6  # as EXIF calls what a phone writes that is held upright


def draw_mixed(folder: Path, count: int, formats: Sequence[tuple[str, dict]] = MIXED) -> None:
    """Pictures of 300 to 2,000 pixels a side, each of one of the formats drawn by lot, in ten tag folders."""
    _spread(partial(_draw_mixed, folder, formats), folder, range(count))


def draw_small(folder: Path, count: int, first: int = 0) -> None:
    """PNGs of 48 x 40, no two alike, numbered from `first`: more can be drawn beside those that are there."""
    _spread(partial(_draw_small, folder), folder, range(first, first + count))


def draw_photographs(folder: Path, count: int, size: tuple[int, int] = PHOTOGRAPH) -> None:
    """JPEGs as a camera writes them: noisy, quality 90, colours at half the resolution, one in three lying on
    its side. No two alike: each is another cut from one of a few scenes."""
    _spread(partial(_draw_photograph, folder, size), folder, range(count))


def _spread(draw: Callable[[int], None], folder: Path, numbers: range) -> None:
    for number in numbers[:TAGS]:
        _path(folder, number, "").parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(numbers))) as processes:
        list(processes.map(draw, numbers, chunksize=20))


def _path(folder: Path, number: int, extension: str) -> Path:
    return folder / f"tag-{number % TAGS}" / f"{number:06}.{extension}"


def _draw_mixed(folder: Path, formats: Sequence[tuple[str, dict]], number: int) -> None:
    random = np.random.default_rng(number)
    extension, options = formats[int(random.integers(len(formats)))]
    width, height = np.exp(random.uniform(np.log(SHORTEST), np.log(LONGEST), 2)).astype(int).tolist()
    left = random.integers(0, TEXTURE_SIDE - width)
    top = random.integers(0, TEXTURE_SIDE - height)
    picture = Image.fromarray(_texture(number % 2)[top:top + height, left:left + width])
    draw = ImageDraw.Draw(picture)
    for _ in range(SHAPES):
        x, y, side = random.integers((0, 0, 20), (width, height, 200)).tolist()
        colour = tuple(random.integers(0, 255, 3).tolist())
        draw.ellipse((x, y, x + side, y + side), fill=colour)
    picture.save(_path(folder, number, extension), **options)


@cache
def _texture(seed: int) -> np.ndarray:
    """Noise whose amplitudes fall with the frequency, as those of photographs do, in channels that go largely
    together."""
    random = np.random.default_rng(seed)
    down, across = np.meshgrid(np.fft.fftfreq(TEXTURE_SIDE), np.fft.rfftfreq(TEXTURE_SIDE), indexing="ij")
    frequency = np.hypot(down, across)
    frequency[0, 0] = 1

    def noise() -> np.ndarray:
        white = random.standard_normal((TEXTURE_SIDE, TEXTURE_SIDE))
        field = np.fft.irfft2(np.fft.rfft2(white) / frequency**1.2)
        return field / field.std()

    common = noise()
    channels = [128 + 50 * (0.8 * common + 0.35 * noise()) for _ in range(3)]
    return np.clip(np.stack(channels, axis=2), 0, 255).astype(np.uint8)


def _draw_photograph(folder: Path, size: tuple[int, int], number: int) -> None:
    left, top = np.random.default_rng(number).integers(0, ROOM, 2).tolist()
    scene = _scene(size, number % SCENES)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = SIDEWAYS if number % 3 == 2 else 1
    scene.crop((left, top, left + size[0], top + size[1])).save(
        _path(folder, number, "jpg"), quality=90, subsampling="4:2:0", exif=exif)


@cache
def _scene(size: tuple[int, int], seed: int) -> Image.Image:
    """The texture enlarged, with noise of the size of a pixel on it."""
    width, height = size[0] + ROOM, size[1] + ROOM
    smooth = Image.fromarray(_texture(seed)).resize((width, height), Image.Resampling.BICUBIC)
    tile = np.random.default_rng(seed).normal(0, NOISE, (NOISE_SIDE, NOISE_SIDE, 3)).astype(np.int16)
    down, across = np.arange(height) % NOISE_SIDE, np.arange(width) % NOISE_SIDE
    pixels = np.asarray(smooth) + tile[down][:, across]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _draw_small(folder: Path, number: int) -> None:
    pixels = np.random.default_rng(number).bytes(3 * SMALL_SIZE[0] * SMALL_SIZE[1])
    Image.frombytes("RGB", SMALL_SIZE, pixels).save(_path(folder, number, "png"), compress_level=1)
