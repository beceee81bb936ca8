"""The second decoder of JPEGs gives what Pillow gives, to the byte, or leaves the file to Pillow."""
import io
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from PIL import Image

from cache.formats import first_frame
from cache.formats.image_decoder import decode, open_image
from cache.formats.plain_jpeg import kept_bytes, plain_jpeg
from cache.limits import Limits, Skip
from tests.drawing import encoded

SIZES = [(1, 1), (7, 9), (8, 8), (15, 17), (16, 16), (33, 31), (64, 3), (3, 64), (100, 75)]
SAMPLINGS = ["4:4:4", "4:2:2", "4:2:0", "4:1:1", "keep grey"]
OPTIONS = [
    {},
    {"quality": 5},
    {"quality": 100, "optimize": True},
    {"progressive": True},
    {"progressive": True, "quality": 30},
    {"restart_marker_blocks": 1},
    {"restart_marker_rows": 1, "progressive": True},
    {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", "comment": b"a comment"},
]


def drawn(size: tuple[int, int], seed: int) -> Image.Image:
    """Blotches and noise."""
    random = np.random.default_rng(seed)
    blotches = Image.fromarray(random.integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize(size)
    noisy = np.asarray(blotches, np.int16) + random.integers(-20, 20, (size[1], size[0], 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def jpegs() -> Iterator[bytes]:
    for seed, (size, sampling, options) in enumerate(product(SIZES, SAMPLINGS, OPTIONS)):
        picture = drawn(size, seed)
        if sampling == "keep grey":
            yield encoded(picture.convert("L"), "JPEG", **options)
        else:
            yield encoded(picture, "JPEG", subsampling=sampling, **options)


def damaged(data: bytes, seed: int) -> Iterator[bytes]:
    """Cut off, followed by something, and changed somewhere in its second half."""
    random = np.random.default_rng(seed)
    yield data[:int(random.integers(len(data) // 2, len(data)))]
    yield data + bytes(random.integers(0, 256, 50, dtype=np.uint8))
    changed = bytearray(data)
    changed[int(random.integers(len(data) // 2, len(data)))] ^= 1 << int(random.integers(8))
    yield bytes(changed)


def verdict(data: bytes) -> str:
    """The hash, or why there is none."""
    try:
        return decode(open_image(data, Limits()))[0]["hash_id"]
    except Skip as skip:
        return f"{skip.reason} {skip.detail}"


def pillows(data: bytes, monkeypatch) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(first_frame, "plain_jpeg", lambda image: None)
        return verdict(data)


def test_every_plain_jpeg_has_the_bytes_that_pillow_gives(monkeypatch):
    """360 files of every subsampling, odd sizes, progressive, with restart markers."""
    for data in jpegs():
        image = open_image(data, Limits())
        packed = plain_jpeg(image)
        assert packed is not None
        assert packed.pixels.tobytes() == Image.open(io.BytesIO(data)).tobytes()
        assert verdict(data) == pillows(data, monkeypatch)


def test_damaged_files_get_pillows_verdict(monkeypatch):
    """1,080 files: cut off, followed by something, changed."""
    for seed, data in enumerate(jpegs()):
        for file in damaged(data, seed):
            assert verdict(file) == pillows(file, monkeypatch)


def with_adobe_note(data: bytes, transform: int) -> bytes:
    note = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    return data[:2] + note + data[2:]


def with_component_names(data: bytes, names: bytes) -> bytes:
    """In the frame's header and in that of the scan; without the note of JFIF, which speaks of YCbCr."""
    data = data[:2] + data[20:]
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    changed = bytearray(data)
    for number, name in enumerate(names):
        changed[frame + 10 + 3 * number] = name
        changed[scan + 5 + 2 * number] = name
    return bytes(changed)


BASELINE = encoded(drawn((33, 31), 0), "JPEG", subsampling="4:4:4")


@pytest.mark.parametrize("data", [
    with_adobe_note(BASELINE, 0),
    with_component_names(BASELINE, b"RGB"),
    encoded(drawn((33, 31), 0).convert("CMYK"), "JPEG"),
    encoded(drawn((33, 31), 0)),
], ids=["RGB by a note", "RGB by its components' names", "CMYK", "PNG"])
def test_what_is_not_plain_is_left_to_pillow(data, monkeypatch):
    assert plain_jpeg(open_image(data, Limits())) is None
    assert verdict(data) == pillows(data, monkeypatch)


def test_components_may_be_numbered_from_zero(monkeypatch):
    data = with_component_names(BASELINE, b"\0\1\2")
    assert plain_jpeg(open_image(data, Limits())) is not None
    assert verdict(data) == pillows(data, monkeypatch)


def test_memory_is_used_again_once_nobody_looks_at_its_picture():
    first, second = (encoded(drawn((64, 48), seed), "JPEG") for seed in (1, 2))
    kept = plain_jpeg(open_image(first, Limits()))
    assert kept is not None
    before = kept.pixels.copy()
    other = plain_jpeg(open_image(second, Limits()))
    assert other is not None
    assert (kept.pixels == before).all()
    place = other.pixels.ctypes.data
    del other
    assert kept_bytes() >= 64 * 48 * 3
    third = plain_jpeg(open_image(first, Limits()))
    assert third is not None
    assert third.pixels.ctypes.data == place
