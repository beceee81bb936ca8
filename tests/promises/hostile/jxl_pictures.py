"""Hostile JPEG XL: cut off, lying about its size, and large pictures in small files."""

import io
from collections.abc import Iterator
from functools import cache, partial

import numpy as np
from PIL import Image

from tests.cache.formats.heif_files import box
from tests.cache.formats.jxl_files import ANIMATION, LARGEST, SIGNATURE, TURNED, in_container, written
from tests.drawing import drawn, encoded
from tests.promises.hostile.case import Case, file_case

LEFT_OUT = ("damaged", "unsupported_type", "too_many_pixels")


def cases() -> Iterator[Case]:
    for family in (_damaged, _claims, _bombs, _modes, _boxes):
        yield from family()


@cache
def jxl(mode: str = "RGB", size: tuple[int, int] = (120, 90), **options) -> bytes:
    return encoded(drawn(7, "cats", size).convert(mode), "JXL", **options)


@cache
def _plain(mode: str, side: int) -> bytes:
    return encoded(Image.new(mode, (side, side)), "JXL", lossless=True, effort=1)


def _damaged() -> Iterator[Case]:
    for name, options in {"lossy": {}, "lossless": {"lossless": True}}.items():
        for share in (10, 50, 90):
            data = partial(_cut, share, options)
            yield file_case(f"{name} jxl cut to {share} percent", "cut.jxl", data, "damaged")
        for seed in range(8):
            data = partial(_flipped, seed, options)
            yield file_case(f"{name} jxl with flipped bits {seed}", "bits.jxl", data, *LEFT_OUT, "jxl")
    yield file_case("jxl with a tail", "tail.jxl", lambda: jxl() + b"<?php" * 50, "jxl", "damaged")
    yield file_case("jxl behind a word", "behind.jxl", lambda: b"word" + jxl(), "not_an_image")
    yield file_case("jxl named jpg", "picture.jpg", jxl, "jxl")
    for name, content in {"words": b"words\n" * 99, "noise": np.random.default_rng(5).bytes(50_000)}.items():
        data = partial(bytes, b"\xff\x0a" + content)
        yield file_case(f"{name} behind a jxl head", "other.jxl", data, *LEFT_OUT)


def _cut(share: int, options: dict) -> bytes:
    whole = jxl(**options)
    return whole[:len(whole) * share // 100]


def _flipped(seed: int, options: dict) -> bytes:
    random, data = np.random.default_rng(seed), bytearray(jxl(**options))
    for position in random.integers(2, len(data), 1 + 2 * seed):
        data[position] ^= 1 << int(random.integers(0, 8))
    return bytes(data)


def _claims() -> Iterator[Case]:
    yield file_case("jxl of two bytes", "head.jxl", lambda: b"\xff\x0a", "damaged")
    yield file_case("jxl head before zeros", "zeros.jxl", lambda: jxl()[:32] + bytes(5000), "damaged")
    for name, fields in {
        "billions of pixels": (*LARGEST, (1, 1)),
        "80 megapixels": ((0, 1), (1, 2), (8_191, 13), (0, 3), (2, 2), (9_999, 18), (1, 1)),
    }.items():
        data = partial(_claiming, fields)
        yield file_case(f"jxl that claims {name}", "claim.jxl", data, "too_many_pixels", "damaged")
    yield file_case("jxl animation", "moving.jxl", lambda: ANIMATION, "unsupported_type")


def _claiming(fields: tuple) -> bytes:
    return written(*fields) + jxl()[6:]


def _bombs() -> Iterator[Case]:
    yield file_case("jxl bomb of 400 megapixels", "bomb.jxl", partial(_plain, "L", 20_000), "too_many_pixels")
    yield file_case("jxl bomb of 300 MiB", "bomb.jxl", partial(_plain, "RGBA", 8_900), "too_many_pixels")
    yield file_case("jxl at the limit", "limit.jxl", partial(_plain, "RGB", 9_400), "jxl", "too_many_pixels")


def _modes() -> Iterator[Case]:
    for mode in ("L", "LA", "RGB", "RGBA"):
        yield file_case(f"jxl in mode {mode}", "mode.jxl", partial(jxl, mode), "jxl")
    yield file_case("jxl of one pixel", "pixel.jxl", partial(_plain, "RGB", 1), "jxl")


def _boxes() -> Iterator[Case]:
    large = (2**62).to_bytes(8, "big")
    for name, data, outcomes in (
        ("of a container alone", SIGNATURE, ("damaged",)),
        ("of 100000 boxes", SIGNATURE + box(b"free", b"") * 100_000 + box(b"jxlc", TURNED), ("damaged",)),
        ("of boxes of no size", SIGNATURE + b"\0\0\0\0free" * 50, ("damaged",)),
        ("of a box beyond its end", SIGNATURE + b"\0\0\0\1jxlc" + large + TURNED, ("damaged", "jxl")),
        ("of pieces in the wrong order", SIGNATURE + _piece(1, TURNED[20:]) + _piece(0, TURNED[:20]),
         ("damaged",)),
        ("with exif of noise", in_container(TURNED, box(b"Exif", b"\xff" * 5000)), ("jxl", "damaged")),
        ("with a packed box of noise", in_container(TURNED, box(b"brob", b"Exif" + b"\xff" * 999)),
         ("jxl", "damaged")),
        ("with a jpeg of noise", in_container(TURNED, box(b"jbrd", b"\xff" * 999)), ("jxl", "damaged")),
    ):
        yield file_case(f"jxl {name}", "boxes.jxl", partial(bytes, data), *outcomes)
    yield file_case("jxl whose exif is a bomb", "exif.jxl", _exif_bomb, "jxl", *LEFT_OUT)


def _piece(number: int, codestream: bytes) -> bytes:
    return box(b"jxlp", number.to_bytes(4, "big") + codestream)


@cache
def _exif_bomb() -> bytes:
    buffer = io.BytesIO()
    drawn(1).save(buffer, "JXL", exif=bytes(400_000_000), compress_metadata=True, use_container=True)
    return buffer.getvalue()
