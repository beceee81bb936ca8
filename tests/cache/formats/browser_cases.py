"""Small files of every form that a browser shows.

By format, mode, depth, transparency, orientation, colour profile and the place of the first frame.
"""
import struct
import zlib
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.cache.formats import colour_profiles as profiles
from tests.cache.formats.raw_files import (
    GREY,
    GREY_ALPHA,
    INDICES,
    RGB,
    RGB_ALPHA,
    bmp_with_alpha,
    chunk,
    gif,
    pair,
    png,
    trns,
    webp,
    with_chunks,
)
from tests.drawing import encoded

WIDTH, HEIGHT = 24, 16
PROFILES = {
    "sRGB": b"",
    "Display P3": profiles.DISPLAY_P3,
    "Adobe RGB": profiles.ADOBE_RGB,
    "ProPhoto RGB": profiles.PROPHOTO_RGB,
    "swapped": profiles.SWAPPED,
    "of grey": profiles.DARK_GREY,
}


class Case(NamedTuple):
    kind: str  # what is compared together
    name: str
    media_type: str
    data: bytes


def cases() -> Iterator[Case]:
    """Those of one profile follow each other: the decoder keeps few of them."""
    for profile in PROFILES:
        yield from _pngs(profile)
        yield from _pictures_with_exif(profile)
    yield from _gifs()
    yield from _bmps()
    yield from _cmyk()
    yield from _numbered()
    yield from _others()


ROW = np.arange(WIDTH) / (WIDTH - 1)
COLUMN = np.arange(HEIGHT)[:, None] / (HEIGHT - 1)
# Of red, green and blue, 0 to 1: (height, width, 3).
SHARES = np.stack([ROW + 0 * COLUMN, 0 * ROW + COLUMN, (ROW + COLUMN) / 2], axis=2)
ALPHA = np.abs(1 - ROW - COLUMN)
PICTURE = Image.fromarray((SHARES * 255).round().astype(np.uint8))
WITH_ALPHA = PICTURE.copy()
WITH_ALPHA.putalpha(Image.fromarray((ALPHA * 255).round().astype(np.uint8)))
COLOURS = [(37 * number % 256, 91 * number % 256, 155 * number % 256) for number in range(1, 257)]


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def _orientations(profile: str) -> list[int]:
    """All eight without a profile, and another one with each."""
    place = list(PROFILES).index(profile)
    return [place + 1] if place else list(range(1, 9))


def _pngs(profile: str) -> Iterator[Case]:
    for (name, data), orientation in product(_stored_pngs(), _orientations(profile)):
        chunks = [chunk(b"eXIf", exif(orientation).tobytes()[6:])]
        if PROFILES[profile]:
            chunks.append(chunk(b"iCCP", b"drawn\0\0" + zlib.compress(PROFILES[profile])))
        yield Case(f"PNG {name}, {profile}", str(orientation), "image/png", with_chunks(data, *chunks))


def _stored_pngs() -> Iterator[tuple[str, bytes]]:
    for depth in (1, 2, 4, 8, 16):
        grey = _samples(SHARES[:, :, 2:], depth)
        yield f"grey {depth}", png(depth, GREY, grey)
        yield f"grey {depth} with a transparent one", png(depth, GREY, grey, trns(grey[3][9]))
    for depth in (8, 16):
        colours = _samples(SHARES, depth)
        yield f"RGB {depth}", png(depth, RGB, colours)
        yield f"RGB {depth} with a transparent one", png(depth, RGB, colours, trns(*colours[3][9:12]))
        yield f"grey {depth} with alpha", png(depth, GREY_ALPHA, _samples(_beside(SHARES[:, :, 2:]), depth))
        yield f"RGB {depth} with alpha", png(depth, RGB_ALPHA, _samples(_beside(SHARES), depth))
    for depth in (1, 2, 4, 8):
        indices = _samples(SHARES[:, :, 2:], depth)
        palette = chunk(b"PLTE", bytes(value for colour in COLOURS[:2**depth] for value in colour))
        yield f"palette {depth}", png(depth, INDICES, indices, palette)
        for name, opacities in (("a transparent entry", [255, 0]), ("opacities", [128, 64])):
            transparency = chunk(b"tRNS", bytes(opacities))
            yield f"palette {depth} with {name}", png(depth, INDICES, indices, palette, transparency)


def _beside(shares: np.ndarray) -> np.ndarray:
    return np.concatenate([shares, ALPHA[:, :, None]], axis=2)


def _samples(shares: np.ndarray, depth: int) -> list[list[int]]:
    return (shares * (2**depth - 1)).round().astype(int).reshape(HEIGHT, -1).tolist()


def _pictures_with_exif(profile: str) -> Iterator[Case]:
    for orientation in _orientations(profile):
        options = {"exif": exif(orientation), "icc_profile": PROFILES[profile] or None}
        for name, data in _encoded_pictures(options):
            if (name[:4], profile) != ("AVIF", "of grey"):  # which the browser does not show at all
                yield Case(f"{name}, {profile}", str(orientation), f"image/{name[:4].lower()}", data)


def _encoded_pictures(options: dict) -> Iterator[tuple[str, bytes]]:
    exact = {"quality": 100, "subsampling": 0, **options}
    yield "JPEG RGB", encoded(PICTURE, "JPEG", **exact)
    yield "JPEG grey", encoded(PICTURE.convert("L"), "JPEG", quality=100, **options)
    yield "JPEG pair", pair(PICTURE, **exact)
    fast = {"quality": 100, "subsampling": "4:4:4", "speed": 10, "max_threads": 1, **options}
    yield "AVIF RGB", encoded(PICTURE, "AVIF", **fast)
    yield "AVIF RGB with alpha", encoded(WITH_ALPHA, "AVIF", **fast)
    lossless = {"lossless": True, "exact": True, "icc_profile": options["icc_profile"]}
    yield "WebP RGB", encoded(PICTURE, "WEBP", **lossless)
    yield "WebP RGB with alpha", encoded(WITH_ALPHA, "WEBP", **lossless)


def _gifs() -> Iterator[Case]:
    palette = PICTURE.quantize(60)
    for mode, picture in (("palette", palette), ("grey", PICTURE.convert("L"))):
        small = picture.crop((0, 0, 10, 8))
        key = {"transparency": small.getpixel((5, 4))}
        for name, options in (("", {}), (" with a transparent entry", key)):
            whole = encoded(picture, "GIF", **options)
            yield Case(f"GIF {mode}{name}", "whole", "image/gif", whole)
            for corner in ((0, 0), (5, 3), (14, 8)):
                data = gif(small, (WIDTH, HEIGHT), corner, **options)
                yield Case(f"GIF {mode}{name}, frame in its canvas", str(corner), "image/gif", data)
            outside = gif(small, (8, 6), (14, 8), **options)
            yield Case(f"GIF {mode}{name}, frame beyond its canvas", "", "image/gif", outside)


def _bmps() -> Iterator[Case]:
    for mode in ("1", "L", "RGB"):
        yield Case(f"BMP {mode}", "", "image/bmp", encoded(PICTURE.convert(mode), "BMP"))
    for colours in (2, 16, 200):
        yield Case("BMP palette", str(colours), "image/bmp", encoded(PICTURE.quantize(colours), "BMP"))
    for alpha in (0, 1, 128, 255):
        yield Case("BMP with alpha", str(alpha), "image/bmp", bmp_with_alpha((200, 20, 90, alpha), WIDTH))


def _cmyk() -> Iterator[Case]:
    no_black = Image.merge("CMYK", [*PICTURE.split(), Image.new("L", PICTURE.size)])
    black = Image.merge("CMYK", [*PICTURE.split(), PICTURE.getchannel(2)])
    for name, picture in (("CMY", no_black), ("CMYK", black)):
        plain = encoded(picture, "JPEG", quality=100)
        yield Case(f"JPEG {name}", "", "image/jpeg", plain)
        data = encoded(picture, "JPEG", quality=100, icc_profile=profiles.CMYK)
        yield Case(f"JPEG {name}, of CMYK", "", "image/jpeg", data)


def _numbered() -> Iterator[Case]:
    """Colours by the numbers of CICP: primaries of sRGB, Rec. 2020 and P3; curves."""
    avif = encoded(PICTURE, "AVIF", quality=100, subsampling="4:4:4")
    for primaries, curve in product((1, 9, 12), (1, 4, 8, 13, 14)):
        name, numbers = f"{primaries}, {curve}", struct.pack(">HH", primaries, curve)
        data = with_chunks(encoded(PICTURE), chunk(b"cICP", bytes([primaries, curve, 0, 1])))
        yield Case("PNG with numbers, of CICP", name, "image/png", data)
        data = avif.replace(b"nclx\0\1\0\r", b"nclx" + numbers)
        yield Case("AVIF with numbers, of CICP", name, "image/avif", data)


def _others() -> Iterator[Case]:
    turned = PICTURE.transpose(Image.Transpose.ROTATE_180)
    several = {"save_all": True, "append_images": [turned]}
    yield Case("first of several frames", "PNG", "image/png", encoded(PICTURE, **several))
    frames = encoded(PICTURE, "WEBP", lossless=True, **several)
    yield Case("first of several frames", "WebP", "image/webp", frames)
    yield Case("first of several frames", "GIF", "image/gif", encoded(PICTURE.quantize(60), "GIF", **several))
    sideways = encoded(PICTURE, "WEBP", lossless=True, exif=exif(6))
    yield Case("WebP turned by EXIF", "", "image/webp", sideways)
    small = PICTURE.crop((0, 0, 10, 8))
    for has_alpha in (False, True):
        data = webp(small, (WIDTH, HEIGHT), (4, 2), has_alpha)
        yield Case("WebP, frame in its canvas", str(has_alpha), "image/webp", data)
    hidden = {"default_image": True, "save_all": True, "append_images": [turned, PICTURE]}
    yield Case("PNG that hides its first picture", "", "image/png", encoded(PICTURE, **hidden))
    for name, gamma, primaries in (
        ("of sRGB", 45_455, None), ("1", 100_000, None), ("1.8", 55_556, None),
        ("1 and P3", 100_000, profiles.P3_PRIMARIES), ("2.2 and P3", 45_455, profiles.P3_PRIMARIES),
        ("2.2 and sRGB", 45_455, profiles.SRGB_PRIMARIES),
    ):
        chunks = [chunk(b"gAMA", struct.pack(">I", gamma))]
        if primaries:
            numbers = [round(number * 100_000) for point in (profiles.D65, *primaries) for number in point]
            chunks.append(chunk(b"cHRM", struct.pack(">8I", *numbers)))
        yield Case(f"PNG gamma {name}", "", "image/png", with_chunks(encoded(PICTURE), *chunks))
