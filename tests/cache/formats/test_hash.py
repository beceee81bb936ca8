"""A hash stands for what a person sees: other looks, other hashes; one look in any container, one hash."""
from hashlib import blake2b

import numpy as np
import pytest
from PIL import Image

from tests.cache.formats.decoded import hash_id, identity, seen
from tests.cache.formats.raw_files import (
    BLACK_IS_ZERO,
    GREY,
    INDICES,
    PALETTE,
    RGB,
    WHITE_IS_ZERO,
    bmp_with_alpha,
    chunk,
    gif,
    pair,
    png,
    tiff,
    trns,
    webp,
    with_chunks,
)
from tests.drawing import drawn, encoded

SIDE = 8
RAMP = [list(range(16))] * SIDE  # 16 x 8 samples of 4 bits
PALETTE_BYTES = bytes([250, 10, 20, 30, 240, 40, 50, 60, 230, 5, 5, 5, 77, 88, 99])
FIVE_COLOURS = Image.frombytes("P", (10, SIDE), bytes([0, 1, 2, 3, 4] * 2 * SIDE))
FIVE_COLOURS.putpalette(PALETTE_BYTES)
GREYS = np.linspace(0, 65535, 128).astype(np.uint16).reshape(SIDE, 16)


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def digest(*parts: bytes) -> str:
    return blake2b(b"".join(parts)).hexdigest()


def test_a_plain_picture_has_the_digest_of_its_pixels_in_every_container():
    for picture in (drawn(1), drawn(1).convert("L")):
        name = BLACK_IS_ZERO if picture.mode == "L" else 2
        files = [encoded(picture, file_format) for file_format in ("PNG", "BMP", "TIFF", "PPM")]
        bits = (8,) * len(picture.getbands())
        files += [tiff(order, picture.size, bits, name, picture.tobytes()) for order in "<>"]
        assert {hash_id(data) for data in files} == {digest(picture.tobytes())}


def test_a_palette_picture_has_one_hash_in_every_container():
    colours = [tuple(PALETTE_BYTES[start:start + 3]) for start in range(0, 15, 3)]
    colour_map = [256 * colour[band] for band in range(3) for colour in colours + [(0, 0, 0)] * 251]
    indices = FIVE_COLOURS.tobytes()
    files = [encoded(FIVE_COLOURS, file_format) for file_format in ("PNG", "BMP", "GIF", "TIFF")]
    files += [tiff(order, (10, SIDE), (8,), PALETTE, indices, t320=tuple(colour_map)) for order in "<>"]
    assert {hash_id(data) for data in files} == {digest(indices, PALETTE_BYTES)}
    assert {identity(data)["old_hash_id"] for data in files} == {digest(indices)}


def test_black_entries_of_a_palette_are_left_off_only_behind_all_that_are_used():
    picture = Image.frombytes("P", (4, 1), bytes([0, 1, 2, 3]))
    picture.putpalette([9, 0, 0, 0, 0, 0, 8, 8, 0, 0, 0, 0, 0, 0, 0])
    assert hash_id(encoded(picture)) == digest(picture.tobytes(), bytes([9, 0, 0, 0, 0, 0, 8, 8, 0, 0, 0, 0]))


PLAIN_RGB = [[10, 20, 30, 40, 50, 60] * 4] * SIDE
PLTE = chunk(b"PLTE", PALETTE_BYTES)
LOOKS = {  # name: files that share their pixels, and look different
    "palette": [encoded(FIVE_COLOURS), png(8, GREY, [[0, 1, 2, 3, 4] * 2] * SIDE)],
    "colour of an RGB picture": [
        png(8, RGB, PLAIN_RGB),
        png(8, RGB, PLAIN_RGB, trns(10, 20, 30)),
        png(8, RGB, PLAIN_RGB, trns(40, 50, 60)),
    ],
    "colour of a grey picture": [png(4, GREY, RAMP), *(png(4, GREY, RAMP, trns(key)) for key in (3, 4))],
    "colour of a deep grey picture": [
        encoded(Image.fromarray(GREYS)), encoded(Image.fromarray(GREYS), transparency=int(GREYS[0, 3])),
    ],
    "entries of a palette": [
        encoded(FIVE_COLOURS),
        encoded(FIVE_COLOURS, transparency=1),
        encoded(FIVE_COLOURS, transparency=2),
        encoded(FIVE_COLOURS, transparency=bytes([255, 128])),
    ],
    "frame on a larger canvas": [
        gif(FIVE_COLOURS, (10, SIDE)), gif(FIVE_COLOURS, (11, SIDE)), gif(FIVE_COLOURS, (11, SIDE), (1, 0)),
    ],
    "first frame of a WebP": [
        webp(Image.new("RGB", (20, 20)), (48, 48), corner) for corner in ((0, 0), (2, 0), (0, 28))
    ],
    "orientation": [encoded(drawn(1), exif=turned(orientation)) for orientation in range(1, 9)],
    "orientation of a pair": [pair(drawn(1), exif=turned(orientation)) for orientation in range(1, 9)],
    "white is zero": [
        tiff("<", (16, SIDE), (16,), name, GREYS.tobytes()) for name in (BLACK_IS_ZERO, WHITE_IS_ZERO)
    ],
    "alpha that is empty": [bmp_with_alpha((1, 2, 3, 0)), encoded(Image.new("RGBA", (8, 8), (3, 2, 1, 0)))],
}


@pytest.mark.parametrize("files", LOOKS.values(), ids=LOOKS)
def test_what_looks_different_has_another_hash(files):
    assert len({seen(data, 48).tobytes() for data in files}) == len(files)
    assert len({hash_id(data) for data in files}) == len(files)


ONE_LOOK = {  # name: files that look the same, in one mode
    "transparent colour that no pixel has": [
        png(8, RGB, PLAIN_RGB), png(8, RGB, PLAIN_RGB, trns(1, 2, 3)),
    ],
    "opaque palette": [encoded(FIVE_COLOURS), encoded(FIVE_COLOURS, transparency=bytes([255] * 5))],
    "index and opacities": [
        with_chunks(png(8, INDICES, [[0, 1, 2, 3, 4] * 2] * SIDE), PLTE, chunk(b"tRNS", opacities))
        for opacities in (b"\xff\0", b"\xff\0\xff", b"\xff\0\xff\xff\xff")
    ] + [encoded(FIVE_COLOURS, "GIF", transparency=1)],
    "bits of a grey picture": [
        png(4, GREY, RAMP, trns(3)),
        png(8, GREY, [[17 * sample for sample in row] for row in RAMP], trns(51)),
    ],
    "sides of zero": [
        encoded(Image.fromarray(GREYS)),
        tiff("<", (16, SIDE), (16,), BLACK_IS_ZERO, GREYS.tobytes()),
        tiff("<", (16, SIDE), (16,), WHITE_IS_ZERO, (65535 - GREYS).tobytes()),
    ],
    "empty alpha": [bmp_with_alpha((1, 2, 3, 0)), bmp_with_alpha((1, 2, 3, 255))],
    "orientation that says nothing": [
        encoded(drawn(1)), encoded(drawn(1), exif=turned(1)), encoded(drawn(1), exif=turned(9)),
    ],
}


@pytest.mark.parametrize("files", ONE_LOOK.values(), ids=ONE_LOOK)
def test_what_looks_the_same_in_one_mode_has_one_hash(files):
    assert len({seen(data, 48).tobytes() for data in files}) == 1
    assert len({hash_id(data) for data in files}) == 1


def test_a_turned_tiff_is_what_it_looks_like_since_pillow_turns_its_pixels():
    data = encoded(drawn(1), "TIFF", tiffinfo={0x0112: 6})
    assert hash_id(data) == digest(drawn(1).transpose(Image.Transpose.ROTATE_270).tobytes())
    assert identity(data)["orientation"] == 6


def test_the_digest_of_the_indices_finds_an_older_tools_entry_only_where_the_palette_is_all_there_is():
    indices = FIVE_COLOURS.tobytes()
    assert identity(encoded(FIVE_COLOURS))["old_hash_id"] == digest(indices)
    assert identity(encoded(FIVE_COLOURS, transparency=1))["old_hash_id"] is None
    assert identity(encoded(FIVE_COLOURS, exif=turned(6)))["old_hash_id"] is None
    assert identity(gif(FIVE_COLOURS, (11, SIDE)))["old_hash_id"] is None
    assert identity(encoded(drawn(1)))["old_hash_id"] is None


def test_what_is_digested_is_named_and_measured():
    picture = Image.frombytes("P", (2, 1), bytes([0, 1]))
    picture.putpalette([1, 2, 3, 4, 5, 6])
    data = encoded(picture, transparency=1, exif=turned(3))
    opacity = b"opacity" + bytes([0] * 7 + [2, 255, 0])
    orientation = b"orientation" + bytes([0] * 7 + [1, 3])
    assert hash_id(data) == digest(bytes([0, 1]), bytes([1, 2, 3, 4, 5, 6]), opacity, orientation)
