"""JPEG XL: read where its package is installed, judged by its own header before that package decodes it."""
import sys

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from cache.formats.image_decoder import decode, decoded_bytes, open_image
from cache.formats.jxl_header import Bits, Header, read_header
from cache.formats.signatures import begins_like_an_image
from cache.limits import Limits, Skip
from tests.cache.formats import colour_profiles as profiles
from tests.cache.formats.decoded import hash_id, identity, seen
from tests.cache.formats.heif_files import box
from tests.cache.formats.jxl_files import (
    ANIMATION,
    LARGEST,
    SIGNATURE,
    TURNED,
    in_container,
    jxl,
    large_box,
    written,
)
from tests.drawing import drawn, encoded


def reason(data: bytes, limits: Limits = Limits()) -> tuple[str, str]:
    with pytest.raises(Skip) as caught:
        decode(open_image(data, limits))
    return caught.value.args


def test_it_needs_one_more_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    for data in (jxl(drawn(1)), in_container(TURNED), b"\xff\x0a", SIGNATURE):
        assert reason(data) == ("unsupported_type", "JPEG XL picture: pip install pillow-jxl-plugin")
        assert begins_like_an_image(data[:12])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_what_is_kept_without_loss_has_the_hash_of_a_png(mode):
    picture = drawn(1).convert(mode)
    if "A" in mode:
        picture.putalpha(drawn(2).convert("L"))
    assert identity(jxl(picture)) == {**identity(encoded(picture)), "type": "jxl"}


@pytest.mark.parametrize(("values", "container"), [
    ((np.arange(48 * 40) * 34).astype(np.uint16), "PNG"),
    (np.linspace(0, 1, 48 * 40, dtype=np.float32), "TIFF"),
], ids=["16 bits", "floats"])
def test_deep_greys_are_kept_with_the_profile_that_the_plugin_declares_for_them(values, container):
    picture = Image.fromarray(values.reshape(40, 48))
    data = jxl(picture)
    opened = open_image(data, Limits())
    opened.load()
    profile = opened.info["icc_profile"]
    assert hash_id(data) == hash_id(encoded(picture, container, icc_profile=profile))


def test_a_jpeg_that_is_packed_in_it_is_that_jpeg_however_it_lies(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    drawn(1).save(path, exif=exif, icc_profile=profiles.DISPLAY_P3)
    with Image.open(path) as jpeg:
        data = encoded(jpeg, "JXL", lossless_jpeg=True)
    assert identity(data) == {**identity(path.read_bytes()), "type": "jxl"}
    assert identity(data)["orientation"] == 6


@pytest.mark.parametrize("wrapped", [lambda data: data, in_container], ids=["bare", "in a container"])
def test_its_own_header_turns_it_once(wrapped):
    data = wrapped(TURNED)
    assert (identity(data)["width"], identity(data)["height"], identity(data)["orientation"]) == (6, 8, 1)
    assert seen(data, 2).tolist() == [[[255, 0, 0]] * 2, [[255, 255, 255]] * 2]


def test_exif_does_not_turn_it(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = jxl(drawn(1), exif=exif.tobytes(), use_container=True)
    assert identity(data) == {**identity(encoded(drawn(1))), "type": "jxl"}


def test_an_animation_is_left_out_since_the_plugin_gives_its_last_frame():
    for data in (ANIMATION, in_container(ANIMATION)):
        assert reason(data) == ("unsupported_type", "JPEG XL animation")


SIZES = [
    (1, 1), (8, 8), (256, 256), (64, 48), (512, 257), (600, 500), (48, 40), (9, 7), (320, 180), (5000, 3),
]


@pytest.mark.parametrize("size", SIZES)
def test_the_size_is_read_before_anything_is_decoded(size):
    assert read_header(jxl(Image.new("L", size))) == Header(*size)


SQUARE = (1, 1), (0, 5), (1, 3)  # 8 x 8
SHOWN_AS_LARGE = (1, 1), *LARGEST


EXTRA = (0, 1), (1, 1), (5, 3)  # no default, but more: an orientation first


@pytest.mark.parametrize(("fields", "expected"), [
    ([*LARGEST, (1, 1)], (2**30, 2**30)),
    ([*SQUARE, (1, 1)], (8, 8)),
    ([*SQUARE, (0, 1), (0, 1)], (8, 8)),
    # 12 bits and one more channel, 16 bits and three more, floats of 24 bits and none
    ([*SQUARE, (0, 1), (0, 1), (0, 1), (2, 2), (1, 1), (1, 2)], (8, 8, False, True)),
    ([*SQUARE, (0, 1), (0, 1), (0, 1), (3, 2), (15, 6), (0, 1), (2, 2), (1, 4)], (8, 8, False, True)),
    ([*SQUARE, (0, 1), (0, 1), (1, 1), (2, 2), (7, 4), (1, 1), (0, 2)], (8, 8, False, False)),
    ([*SQUARE, *EXTRA, (0, 1), (0, 1), (1, 1)], (8, 8, True)),
    ([*SQUARE, *EXTRA, (0, 1), (0, 1), (0, 1)], (8, 8, False)),
    ([*SQUARE, *EXTRA, *SHOWN_AS_LARGE, (0, 1), (1, 1)], (8, 8, True)),
    # a preview of 16 x 16 by eights, and one of 65 x 321
    ([*SQUARE, *EXTRA, (0, 1), (1, 1), (1, 1), (0, 2), (1, 3), (1, 1)], (8, 8, True)),
    ([*SQUARE, *EXTRA, (0, 1), (1, 1), (0, 1), (2, 2), (0, 10), (0, 3), (1, 2), (0, 8), (1, 1)],
     (8, 8, True)),
])
def test_the_header_is_read_bit_by_bit(fields, expected):
    assert read_header(written(*fields) + bytes(8)) == Header(*expected)


def test_the_size_that_its_header_claims_is_judged():
    assert reason(written(*LARGEST, (1, 1))) == ("too_many_pixels", f"{2**30} x {2**30} JXL")
    data = jxl(drawn(1))
    assert reason(data, Limits(max_pixels=1919)) == ("too_many_pixels", "48 x 40 JXL")
    for mode, sides in {"RGB": (1000, 350), "RGBA": (1000, 263)}.items():
        wide = jxl(Image.new(mode, sides))
        assert reason(wide, Limits(max_decoded_mib=1)) == ("too_many_pixels", f"1000 x {sides[1]} JXL")
        assert identity(wide)["height"] == sides[1]


@pytest.mark.parametrize(("mode", "bands"), [("L", 3), ("LA", 4), ("RGB", 3), ("RGBA", 4)])
def test_the_bytes_that_it_takes_are_known_before_anything_is_decoded(mode, bands):
    """Of one that cannot be: the budget that all decoders share is asked between opening and decoding."""
    cut = jxl(Image.new(mode, (600, 400)))[:-9]
    assert decoded_bytes(open_image(cut, Limits())) == bands * 600 * 400
    assert reason(cut) == ("damaged", "not to be decoded")


def test_one_that_cannot_be_decoded_and_may_want_more_memory_than_there_is_has_too_many_pixels():
    whole = jxl(Image.new("RGB", (600, 400)))
    assert reason(whole[:-9]) == ("damaged", "not to be decoded")
    too_much = ("too_many_pixels", "more memory than a decoder may have")
    assert reason(whole[:-9], Limits(max_decoded_mib=1)) == too_much


@pytest.mark.parametrize("data", [
    b"\xff\x0a",
    SIGNATURE,
    in_container(b"word" * 20),
    SIGNATURE + box(b"free", b"") * 2000 + box(b"jxlc", TURNED),
    SIGNATURE + b"\0\0\0\3jxlp" + bytes(40),
    b"\xff\x0a" + bytes(100),
], ids=["signature", "container", "word", "many boxes", "box of no size", "zeros"])
def test_one_without_a_header_is_damaged(data):
    assert reason(data)[0] == "damaged"


def test_boxes_may_be_large_or_lie_before_or_hold_only_a_piece():
    pieces = [box(b"jxlp", bytes([0, 0, 0, number]) + TURNED[start:start + 3])
              for number, start in enumerate(range(0, 9, 3))]
    last = box(b"jxlp", b"\x80\0\0\3" + TURNED[9:])
    files = [
        in_container(TURNED, box(b"Exif", bytes(90)), large_box(b"xml ", bytes(300))),
        SIGNATURE + box(b"ftyp", b"jxl \0\0\0\0jxl ") + b"".join(pieces) + last,
        SIGNATURE + box(b"ftyp", b"jxl \0\0\0\0jxl ") + b"\0\0\0\0jxlc" + TURNED,
    ]
    assert {hash_id(data) for data in files} == {hash_id(TURNED)}


def test_it_ends_where_its_bytes_do():
    bits = Bits(b"\x05")
    assert [bits.take(2), bits.take(1), bits.take(5)] == [1, 1, 0]
    with pytest.raises(UnidentifiedImageError):
        bits.take(1)


def test_one_that_is_cut_off_is_damaged():
    whole = jxl(drawn(1))
    assert {reason(data)[0] for data in (whole[:-4], whole[:40], in_container(whole)[:-30])} == {"damaged"}
