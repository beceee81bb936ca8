"""Pixels as a browser shows them, of files that no browser need be asked about: each has one right value."""
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cache.pixels import strips
from cache.pixels.crop_spec import CropSpec
from cache.pixels.crops import box_in_crop, crop
from cache.pixels.look import Look
from cache.pixels.seen import Seen
from tests.cache.formats.decoded import cropped, identity, seen
from tests.cache.formats.raw_files import (
    BLACK_IS_ZERO,
    GREY,
    RGB,
    WHITE_IS_ZERO,
    bmp_with_alpha,
    gif,
    pair,
    png,
    tiff,
    trns,
    webp,
)
from tests.drawing import encoded

WHITE = 255
IN_A_ROW = CropSpec(4, "longest", "nearest")  # four pixels, the second row of the crop


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_one_grey_of_a_png_is_transparent_whatever_its_depth(depth):
    largest = 2**depth - 1
    greys = [0, largest // 3, largest]
    for key in greys:
        shown = seen(png(depth, GREY, [greys] * 3, trns(key)), 3)[0, :, 0]
        expected = [WHITE if grey == key else 255 * grey // largest for grey in greys]
        assert shown.tolist() == expected


def test_one_colour_of_a_16_bit_png_is_transparent_and_not_the_one_that_differs_in_its_last_bit():
    colours = [(0x1234, 0x0000, 0x5678), (0x1235, 0x0000, 0x5678), (0x1234, 0x0000, 0x5678)]
    rows = [[sample for colour in colours for sample in colour]] * 3
    shown = seen(png(16, RGB, rows, trns(*colours[0])), 3)
    assert shown[0].tolist() == [[WHITE] * 3, [0x12, 0, 0x56], [WHITE] * 3]


def test_the_high_bits_of_a_key_are_not_looked_at_where_the_picture_has_none():
    assert seen(png(8, RGB, [[1, 2, 3]], trns(0x701, 0x602, 0x503)), 1).tolist() == [[[WHITE] * 3]]
    assert seen(png(8, GREY, [[7]], trns(0x707)), 1).tolist() == [[[WHITE] * 3]]


def test_what_the_frame_of_a_gif_leaves_bare_is_white():
    blue = Image.new("P", (4, 2))
    blue.putpalette([0, 0, 255, 1, 1, 1])
    shown = seen(gif(blue, (8, 8), (2, 4)), 8)
    expected = np.full((8, 8, 3), WHITE)
    expected[4:6, 2:6] = (0, 0, 255)
    assert shown.tolist() == expected.tolist()
    expected[4:6, 2:6] = 0
    assert seen(gif(Image.new("L", (4, 2)), (8, 8), (2, 4)), 8).tolist() == expected.tolist()


@pytest.mark.parametrize("has_alpha", [False, True])
def test_what_the_first_frame_of_a_webp_leaves_bare_is_white(has_alpha):
    expected = np.full((8, 8, 3), WHITE)
    expected[4:6, 2:6] = (0, 0, 255)
    data = webp(Image.new("RGB", (4, 2), "blue"), (8, 8), (2, 4), has_alpha)
    assert seen(data, 8).tolist() == expected.tolist()


@pytest.mark.parametrize(("photometric", "expected"), [
    (BLACK_IS_ZERO, [0, 63, 191, 255]),
    (WHITE_IS_ZERO, [255, 191, 63, 0]),
])
def test_a_deep_tiff_is_no_negative_of_itself(photometric, expected):
    shares = np.array([0, 0.25, 0.75, 1])
    deep = tiff("<", (4, 1), (16,), photometric, (shares * 65535).round().astype(np.uint16).tobytes())
    floats = tiff("<", (4, 1), (32,), photometric, shares.astype(np.float32).tobytes(), t339=(3,))
    assert cropped(deep, IN_A_ROW)[1, :, 0].tolist() == expected
    assert cropped(floats, IN_A_ROW)[1, :, 0].tolist() == expected


def test_12_bits_of_a_tiff_reach_from_black_to_white():
    pixels = bytes.fromhex("000fff" "800800")  # 0x000, 0xfff, 0x800, 0x800
    shown = cropped(tiff("<", (4, 1), (12,), BLACK_IS_ZERO, pixels), IN_A_ROW)
    assert shown[1, :, 0].tolist() == [0, 255, 127, 127]


def test_grey_that_is_multiplied_by_its_alpha_is_divided_by_it():
    pixels = bytes([0, 0, 0, 51, 51, 102])  # transparent; black and grey, partly transparent
    shown = crop(Seen(Image.frombytes("La", (3, 1), pixels)), CropSpec(3, "squash", "nearest"))
    assert shown[0, :, 0].tolist() == [255, 204, 204]


def test_an_alpha_of_zero_all_over_a_bmp_was_left_empty():
    assert seen(bmp_with_alpha((30, 20, 10, 0)), 1).tolist() == [[[10, 20, 30]]]
    assert seen(bmp_with_alpha((30, 20, 10, 51)), 1).tolist() == [[[206, 208, 210]]]


CORNERS = Image.new("RGB", (48, 32), "white")
CORNERS.paste("red", (0, 0, 24, 16))
CORNERS.paste("blue", (24, 16, 48, 32))
TURNED = {
    1: "red white / white blue",
    2: "white red / blue white",
    3: "blue white / white red",
    4: "white blue / red white",
    5: "red white / white blue",
    6: "white red / blue white",
    7: "blue white / white red",
    8: "white blue / red white",
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("form", ["JPEG", "MPO", "PNG", "WEBP", "AVIF", "TIFF"])
def test_every_orientation_is_turned_upright(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = pair(CORNERS, exif=exif) if form == "MPO" else encoded(CORNERS, form, exif=exif)
    shown = cropped(data, CropSpec(48, "longest", fill=128))
    assert (shown == 128).all(axis=2).any(axis=0).all() == (orientation <= 4)  # above and below, or beside
    corners = [[name_of(shown[row, column]) for column in (15, 32)] for row in (15, 32)]
    assert " / ".join(map(" ".join, corners)) == TURNED[orientation]
    assert identity(data)["orientation"] == orientation


def name_of(pixel: np.ndarray) -> str:
    colours = {"red": (255, 0, 0), "white": (255, 255, 255), "blue": (0, 0, 255)}
    return min(colours, key=lambda name: np.abs(pixel - np.array(colours[name], int)).sum())


XMP = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_orientation_in_xmp_alone_turns_nothing_as_in_browsers(form):
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    options = {"TIFF": {"tiffinfo": {700: XMP}}, "PNG": {"pnginfo": text}}.get(form, {"xmp": XMP})
    data = encoded(CORNERS, form, **options)
    assert identity(data)["orientation"] == 1
    assert (identity(data)["width"], identity(data)["height"]) == (48, 32)
    assert name_of(seen(data, 2)[0, 0]) == "red"


@pytest.mark.parametrize("orientation", TURNED)
def test_the_box_of_a_picture_in_its_crop_is_that_of_the_upright_one(orientation):
    box = box_in_crop(Seen(CORNERS, Look(orientation=orientation)), CropSpec(48, "longest"))
    assert box == ((0, 8, 48, 40) if orientation <= 4 else (8, 0, 40, 48))


@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_that_is_done_in_strips_is_the_same_as_in_one(orientation, monkeypatch):
    numbers = np.arange(48 * 31 * 4).reshape(31, 48, 4) * 7919 % 256
    picture = Image.fromarray(numbers.astype(np.uint8))
    keyed = picture.convert("P", palette=Image.Palette.ADAPTIVE)
    exif = Image.Exif()
    exif[0x0112] = orientation
    files = [encoded(picture, exif=exif), encoded(keyed, exif=exif, transparency=5)]
    whole = [(cropped(data, CropSpec(48, "longest")).tolist(), identity(data)) for data in files]
    monkeypatch.setattr(strips, "STRIP_PIXELS", 5 * 48)
    assert [(cropped(data, CropSpec(48, "longest")).tolist(), identity(data)) for data in files] == whole
