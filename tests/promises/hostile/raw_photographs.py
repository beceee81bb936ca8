"""Hostile raw photographs, and TIFFs whose directories lead astray: cut off, lying about sizes and places."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial

import numpy as np
from PIL import Image

from tests.cache.formats.dng_files import CFA, HEADS, bare_dng, camera_tags, dng, light, preview, sensor
from tests.cache.formats.tiff_files import REDUCED, Directory, Value, of_picture, thumbnails, tiff_of
from tests.drawing import drawn, encoded
from tests.promises.hostile.case import Case, file_case

LEFT_OUT = ("damaged", "unsupported_type", "too_many_pixels")
ANYTHING = (*LEFT_OUT, "raw", "tiff", "not_an_image")  # what a flipped bit may end as
SIZE = (1002, 48)  # the least that has room for a large preview, and that LibRaw takes for a sensor
PREVIEW_SIZE = (1000, 16)
MAKES = (
    "Canon", "NIKON CORPORATION", "SONY", "OLYMPUS IMAGING CORP.", "PENTAX", "Panasonic", "FUJIFILM",
    "SAMSUNG", "Kodak", "LEICA", "Hasselblad", "Phase One", "Apple", "Google", "DJI",
)
COMPRESSIONS = (0, 7, 8, 34713, 32767, 32769, 32770, 34892, 52546, 65000, 65535)


def cases() -> Iterator[Case]:
    for family in (_damaged, _sizes, _places, _previews, _oddities, _cameras, _heads, _directories):
        yield from family()


@cache
def _with_preview() -> bytes:
    return dng(_noise(SIZE), encoded(drawn(1, size=PREVIEW_SIZE), "JPEG"), PREVIEW_SIZE)


@cache
def _without() -> bytes:
    return bare_dng(_noise((64, 48)))


def _noise(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(1).random((size[1], size[0], 3), np.float32)


def _changed(**tags: Value) -> bytes:
    return bare_dng(light((0.3, 0.2, 0.1)), tags)


def _damaged() -> Iterator[Case]:
    for name, whole in {"preview": _with_preview, "sensor alone": _without}.items():
        yield file_case(f"dng with {name}", "good.dng", whole, "raw")
        yield file_case(f"dng with {name} and a tail", "tail.dng", partial(_with_tail, whole), "raw")
        for share in (10, 50, 90, 99):
            data = partial(_cut, whole, share)
            yield file_case(f"dng with {name} cut to {share} percent", "cut.dng", data, *LEFT_OUT)
        for seed in range(6):
            data = partial(_flipped, whole, seed)
            yield file_case(f"dng with {name} and flipped bits {seed}", "bits.dng", data, *ANYTHING)
    yield file_case("dng behind a word", "behind.dng", lambda: b"word" + _without(), "not_an_image")
    yield file_case("dng named jpg", "picture.jpg", _without, "raw")
    yield file_case("png named dng", "picture.dng", lambda: encoded(drawn(1)), "png")
    yield file_case("tiff named nef", "picture.nef", lambda: encoded(drawn(1), "TIFF"), "tiff")


def _with_tail(whole) -> bytes:
    return whole() + b"x" * 999


def _cut(whole, share: int) -> bytes:
    return whole()[:len(whole()) * share // 100]


def _flipped(whole, seed: int) -> bytes:
    """In the directories, which lie behind the pixels."""
    random, data = np.random.default_rng(seed), bytearray(whole())
    for position in random.integers(len(data) - 600, len(data), 1 + 2 * seed):
        data[position] ^= 1 << int(random.integers(0, 8))
    return bytes(data)


def _sizes() -> Iterator[Case]:
    """Claims that no pixels stand behind."""
    claims: dict[str, tuple[int, int]] = {
        "billions of pixels": (2**31, 2**31), "400 megapixels": (20_000, 20_000),
        "80 megapixels": (9_000, 8_900), "no width": (0, 48), "no height": (64, 0), "a line": (60_000, 1),
        "a column": (1, 60_000),
    }
    for name, (width, height) in claims.items():
        data = partial(_changed, t256=width, t257=height)
        yield file_case(f"dng that claims {name}", "claim.dng", data, *LEFT_OUT)
    for side in (0, 1, 2**16, 2**31):
        tiles: dict[str, Value] = {"t322": side, "t323": side, "t324": (8,) * 5000, "t325": (99,) * 5000}
        data = partial(_changed, t256=9_000, t257=8_900, t259=7, **tiles)
        yield file_case(f"dng of tiles of {side}", "tiles.dng", data, *LEFT_OUT)
    for bits in (0, 1, 7, 12, 32, 64, 65_535):
        yield file_case(f"dng of {bits} bits", "bits.dng", partial(_changed, t258=bits), *LEFT_OUT, "raw")
    for samples in (0, 3, 4, 65_535):
        data = partial(_changed, t277=samples)
        yield file_case(f"dng of {samples} samples", "samples.dng", data, *LEFT_OUT, "raw")
    data = partial(_changed, t262=34892, t277=4, t258=(16,) * 4, t256=9_000, t257=8_900)
    yield file_case("dng of 300 megapixels in four layers", "layers.dng", data, *LEFT_OUT)


def _places() -> Iterator[Case]:
    for name, tags in {
        "a strip behind its end": {"t273": 2**31},
        "a strip that ends behind it": {"t279": 2**32 - 1},
        "a strip that is its own directory": {"t273": 8},
        "60000 strips": {"t273": (8,) * 60_000, "t279": (2**32 - 1,) * 60_000, "t278": 1},
        "strips of no rows": {"t278": 0},
    }.items():
        yield file_case(f"dng with {name}", "strips.dng", partial(_changed, **tags), *LEFT_OUT, "raw")


def _previews() -> Iterator[Case]:
    small = encoded(drawn(1, size=PREVIEW_SIZE), "JPEG")
    previews = {
        "that is cut off": (small[:len(small) // 2], {}, ("raw", "damaged")),
        "of noise": (np.random.default_rng(2).bytes(5000), {}, ("raw",)),
        "of 100 megapixels": (encoded(Image.new("L", (10_000, 10_000)), "JPEG"), {}, ("too_many_pixels",)),
        "outside the file": (small, {"t273": 2**31}, ("raw",)),
        "of 4 GB": (small, {"t279": 2**32 - 1}, ("raw",)),
        "that is the file itself": (small, {"t273": 0}, ("raw",)),
        "that claims to be larger than the sensor": (
            small, {"t256": 60_000, "t257": 60_000}, (*LEFT_OUT, "raw")),
        "that is a png": (encoded(drawn(1, size=PREVIEW_SIZE)), {}, ("raw",)),
        "in cmyk": (encoded(drawn(1, size=PREVIEW_SIZE).convert("CMYK"), "JPEG"), {}, ("raw",)),
        "with exif of noise": (
            encoded(drawn(1, size=PREVIEW_SIZE), "JPEG", exif=b"Exif\0\0" + b"\xff" * 99), {}, ("raw",)),
    }
    for name, (jpeg, tags, outcomes) in previews.items():
        data = partial(_of_preview, jpeg, tags)
        yield file_case(f"dng with a preview {name}", "preview.dng", data, *outcomes)
    yield file_case("dng with 500 previews", "previews.dng", partial(_of_preview, small, {}, 500), "raw")


def _of_preview(jpeg: bytes, tags: dict[str, Value], count: int = 1) -> bytes:
    thumbnail = of_picture(drawn(3, size=(32, 24)), t254=REDUCED)
    thumbnail.tags.update(camera_tags())
    thumbnail.below = [sensor(_noise(SIZE)), *[preview(jpeg, PREVIEW_SIZE, **tags)] * count]
    return tiff_of(thumbnail)


def _oddities() -> Iterator[Case]:
    """Of what decides the look."""
    nothing, word = Fraction(0), np.random.default_rng(3).bytes(4000)
    for name, tags in {
        "a pattern of colours that do not exist": {"t33422": bytes([9, 250, 0, 77])},
        "a pattern of 65535 rows": {"t33421": (65_535, 65_535)},
        "a pattern of no rows": {"t33421": (0, 0)},
        "white at 0": {"t50717": 0},
        "white at 4 billion": {"t50717": 2**32 - 1},
        "black above white": {"t50714": 65_535},
        "black of 65535 kinds": {"t50713": (65_535, 65_535), "t50714": (1,) * 60_000},
        "an empty table of light": {"t50712": (0,)},
        "a table of light that is too long": {"t50712": (65_535,) * 70_000},
        "colours of nothing": {"t50721": (nothing,) * 9, "t50728": (nothing,) * 3},
        "a visible part outside": {"t50829": (5000, 5000, 9000, 9000)},
        "a visible part the wrong way round": {"t50829": (40, 60, 2, 2)},
        "a cut outside": {"t50719": (5000, 5000), "t50720": (9000, 9000)},
        "operations of noise": {"t51008": word, "t51009": word, "t51022": word},
        "private data of noise": {"t50740": word},
        "an orientation that does not exist": {"t274": 77},
    }.items():
        yield file_case(f"dng with {name}", "odd.dng", partial(_changed, **tags), *LEFT_OUT, "raw")
    for compression in COMPRESSIONS:
        data = partial(_changed, t259=compression)
        yield file_case(f"dng of compression {compression}", "packed.dng", data, *LEFT_OUT, "raw")


def _cameras() -> Iterator[Case]:
    """Raw photographs as cameras write them, with notes of noise."""
    for make in MAKES:
        yield file_case(f"raw of {make} with notes of noise", "notes.nef", partial(_of_make, make), *ANYTHING)


def _of_make(make: str) -> bytes:
    word = np.random.default_rng(len(make)).bytes(3000)
    notes = Directory({37500: word[:2000], 33434: Fraction(1, 60)})
    raw = Directory({256: 64, 257: 48, 258: 14, 259: 34713, 262: CFA, 277: 1, 278: 48}, word)
    first = of_picture(drawn(3, size=(32, 24)), t254=REDUCED, t271=make, t272="Model", t50341=word[:90])
    first.below = [raw, notes]
    return tiff_of(first)


def _heads() -> Iterator[Case]:
    for name, head in HEADS.items():
        yield file_case(f"{name} head alone", "head.raw", partial(bytes, head), *LEFT_OUT)
        for what, data in {"zeros": bytes(50_000), "noise": np.random.default_rng(4).bytes(50_000)}.items():
            yield file_case(f"{name} head before {what}", "head.raw", partial(bytes, head + data), *LEFT_OUT)


def _directories() -> Iterator[Case]:
    scene, small = drawn(1, size=(64, 48)), of_picture(drawn(1), t254=REDUCED)
    chains = {
        "a million thumbnails": partial(thumbnails, 1_000_000),
        "a thumbnail after itself": partial(thumbnails, 1, lead_on_to=1),
        "thumbnails in a circle": partial(thumbnails, 50, lead_on_to=20),
    }
    for name, data in chains.items():
        yield file_case(f"tiff of {name}", "chain.tiff", data, "damaged")
    for name, below in {
        "itself": (8,), "nothing": (2**31,), "its own middle": (10,), "10000 times itself": (8,) * 10_000,
    }.items():
        data = partial(tiff_of, of_picture(scene, t254=REDUCED, t330=below))
        yield file_case(f"tiff with {name} below it", "below.tiff", data, "tiff", "damaged")
    bomb = Directory({254: 0, 256: 60_000, 257: 60_000, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1})
    behind = ("bomb", bomb, "too_many_pixels"), ("void", Directory({254: 0}), "damaged")
    for name, directory, outcome in behind:
        data = partial(tiff_of, small, directory)
        yield file_case(f"tiff with a {name} behind its thumbnail", "behind.tiff", data, outcome)
    link = partial(_with_last_link, tiff_of(small, of_picture(scene)), 2**31)
    yield file_case("tiff whose chain leads out of it", "out.tiff", link, "tiff")


def _with_last_link(data: bytes, place: int) -> bytes:
    assert data.endswith(bytes(4))
    return data[:-4] + struct.pack("<I", place)
