"""Raw photographs: known by their content, shown as the camera's preview where that is large, and upright."""
import sys
from hashlib import blake2b

import numpy as np
import pytest
from PIL import Image

from cache.formats import raw
from cache.formats.image_decoder import decode, decoded_bytes, open_image
from cache.formats.signatures import begins_like_an_image
from cache.limits import Limits, Skip
from cache.pixels.turning import upright
from tests.cache.formats.colour_profiles import SWAPPED
from tests.cache.formats.decoded import hash_id, identity, seen
from tests.cache.formats.dng_files import CFA, HEADS, bare_dng, dng, light, linear_dng, sensor
from tests.cache.formats.tiff_files import REDUCED, Directory, of_picture, tiff_of
from tests.drawing import drawn, encoded

SMALL = light((0.5, 0.25, 0.1))
LARGE = light((0.5, 0.25, 0.1), (1100, 800))  # LibRaw takes the largest directory for the sensor's
PREVIEW_SIZE = (1000, 700)
SCENE = drawn(1, size=PREVIEW_SIZE)
TURNS = range(1, 9)


def jpeg(picture: Image.Image = SCENE, **options) -> bytes:
    return encoded(picture, "JPEG", **options)


def exif(orientation: int) -> Image.Exif:
    turned = Image.Exif()
    turned[0x0112] = orientation
    return turned


def reason(data: bytes, limits: Limits = Limits()) -> tuple[str, str]:
    with pytest.raises(Skip) as caught:
        decode(open_image(data, limits))
    return caught.value.args


def in_srgb(light: float) -> int:
    return round(255 * (1.055 * light ** (1 / 2.4) - 0.055 if light > 0.0031308 else 12.92 * light))


@pytest.fixture
def without_rawpy(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)


OF_A_CAMERA = {  # a TIFF: its thumbnail, and below it what only a camera writes
    "NEF": of_picture(SCENE, (Directory({262: CFA, 259: 34713}),), t254=REDUCED),
    "ARW": of_picture(SCENE, (Directory({262: CFA, 259: 32767}),), t254=REDUCED),
    "ARW of older cameras": of_picture(SCENE, (Directory({259: 32767}),), t254=REDUCED),
    "SRW": of_picture(SCENE, (Directory({262: CFA, 259: 32770}),)),
    "PEF": Directory({256: 64, 257: 48, 262: CFA, 259: 65535}),
    "DNG with its picture first": of_picture(SCENE, t50706=bytes([1, 4, 0, 0])),
    "DNG of one directory": Directory({256: 64, 257: 48, 262: 34892}),
}
FILES = {
    **{name: head + bytes(500) for name, head in HEADS.items()},
    **{name: tiff_of(directory) for name, directory in OF_A_CAMERA.items()},
    "raw picture behind its thumbnail": tiff_of(of_picture(SCENE, t254=REDUCED), Directory({262: CFA})),
    "DNG": dng(SMALL),
    "DNG of a phone": bare_dng(SMALL),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_raw_photograph_needs_one_more_package_and_is_never_its_thumbnail(data, without_rawpy):
    assert reason(data) == ("unsupported_type", "raw photograph: pip install rawpy")
    assert begins_like_an_image(data[:12])


@pytest.mark.parametrize("name", [*HEADS, *OF_A_CAMERA])
def test_one_that_libraw_does_not_know_is_not_its_thumbnail_either(name):
    assert reason(FILES[name])[0] in ("unsupported_type", "damaged")


def test_a_tiff_of_a_camera_that_holds_a_picture_is_a_tiff(without_rawpy):
    data = tiff_of(of_picture(SCENE, (of_picture(drawn(2), t254=REDUCED),), t271="Maker", t272="Model"))
    assert (identity(data)["type"], hash_id(data)) == ("tiff", hash_id(encoded(SCENE)))


@pytest.mark.parametrize("size", [(1000, 700), (700, 1000), (1040, 780)])
def test_a_preview_of_1000_pixels_is_the_picture_as_any_jpeg(size):
    scene = jpeg(drawn(1, size=size))
    assert identity(dng(LARGE, scene, size)) == {**identity(scene), "type": "raw"}


def test_a_preview_that_is_cut_off_behind_its_header_is_damaged_whatever_the_sensor_saw():
    scene = jpeg()
    assert reason(dng(LARGE, scene[:len(scene) // 2], PREVIEW_SIZE))[0] == "damaged"


def test_a_preview_keeps_its_colour_profile():
    scene = jpeg(icc_profile=SWAPPED)
    assert hash_id(dng(LARGE, scene, PREVIEW_SIZE)) == hash_id(scene) != hash_id(jpeg())


@pytest.mark.parametrize("orientation", TURNS)
def test_a_preview_that_does_not_say_how_it_lies_lies_as_the_sensor_did(orientation):
    data = dng(LARGE, jpeg(), PREVIEW_SIZE, orientation=orientation)
    assert identity(data) == {**identity(jpeg(exif=exif(orientation))), "type": "raw"}
    assert identity(data)["orientation"] == orientation


@pytest.mark.parametrize("orientation", TURNS)
def test_a_preview_that_says_it_is_believed(orientation):
    turned = jpeg(exif=exif(orientation))
    assert identity(dng(LARGE, turned, PREVIEW_SIZE, orientation=6)) == {**identity(turned), "type": "raw"}


@pytest.mark.parametrize("orientation", TURNS)
def test_a_preview_that_was_turned_already_is_not_turned_again(orientation):
    scene = jpeg(SCENE.transpose(Image.Transpose.ROTATE_90))
    sideways = orientation >= 5
    data = dng(LARGE, scene, PREVIEW_SIZE[::-1], orientation=orientation)
    assert identity(data)["orientation"] == (1 if sideways else orientation)


NONE_OR_SMALL = {
    "none": dng(LARGE),
    "of one directory": bare_dng(LARGE),
    "small": dng(LARGE, jpeg(SCENE.resize((999, 700))), (999, 700)),
    "no jpeg": dng(LARGE, b"word" * 1000, PREVIEW_SIZE),
    "jpeg of no header": dng(LARGE, jpeg()[:100], PREVIEW_SIZE),
}


@pytest.mark.parametrize("data", NONE_OR_SMALL.values(), ids=NONE_OR_SMALL)
def test_without_a_large_preview_the_picture_is_what_the_sensor_saw_at_half_its_size(data):
    assert identity(data) == {
        "hash_id": blake2b(sensor(LARGE).strip).hexdigest(),
        "old_hash_id": None,
        "type": "raw",
        "width": 550,
        "height": 400,
        "orientation": 1,
    }
    assert decoded_bytes(open_image(data, Limits())) == 2 * 1100 * 800
    shown = seen(data, 4)
    assert np.abs(shown - [[[in_srgb(part) for part in (0.5, 0.25, 0.1)]]]).max() <= 1


def corners() -> np.ndarray:
    """Light that is another one in each corner."""
    scene = light((0.1, 0.1, 0.1))
    scene[:24, :32], scene[:24, 32:], scene[24:, :32] = (0.6, 0.1, 0.1), (0.1, 0.6, 0.1), (0.1, 0.1, 0.6)
    return scene


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("draw", [dng, bare_dng])
def test_what_the_sensor_saw_is_turned_once(draw, orientation):
    levels = {light: in_srgb(light) for light in (0.1, 0.6)}
    scene = corners()[::8, ::8]
    picture = Image.fromarray(np.where(scene > 0.5, levels[0.6], levels[0.1]).astype(np.uint8))
    expected = np.asarray(upright(picture, orientation).resize((8, 8), Image.Resampling.NEAREST), np.int16)
    data = draw(corners(), orientation=orientation)
    assert np.abs(seen(data, 8) - expected).max() <= 1
    told = identity(data)
    assert (told["width"], told["height"], told["orientation"]) == (32, 24, orientation)


def test_three_colours_for_each_pixel_are_read_as_well():
    data = linear_dng(LARGE)
    told = identity(data)
    assert (told["type"], told["width"], told["height"]) == ("raw", 1100, 800)
    assert decoded_bytes(open_image(data, Limits())) == 8 * 1100 * 800
    assert np.abs(seen(data, 2) - [[[in_srgb(part) for part in (0.5, 0.25, 0.1)]]]).max() <= 1
    assert hash_id(linear_dng(LARGE * 0.9)) != told["hash_id"]


def test_white_is_what_the_camera_says_it_is():
    data = bare_dng(light((0.25, 0.5, 0.4)), neutral=(0.5, 1, 0.8))
    assert np.ptp(seen(data, 2)) <= 1


def test_the_hash_stands_for_the_sensors_values_and_how_they_lie():
    values = sensor(SMALL).strip
    turned = blake2b(values + b"orientation" + bytes([0] * 7 + [1, 6])).hexdigest()
    assert hash_id(dng(SMALL)) == hash_id(bare_dng(SMALL)) == blake2b(values).hexdigest()
    assert hash_id(dng(SMALL, neutral=(0.5, 1, 0.8))) == hash_id(dng(SMALL))
    assert hash_id(dng(SMALL, orientation=6)) == turned
    assert hash_id(dng(SMALL * 0.9)) != hash_id(dng(SMALL))


def test_the_sensors_size_is_limited_before_anything_is_unpacked(monkeypatch):
    data = dng(SMALL)
    monkeypatch.setattr(raw.SensorPicture, "load", None)
    assert reason(data, Limits(max_pixels=64 * 48 - 1)) == ("too_many_pixels", "64 x 48 raw")
    large = bare_dng(light((0.1, 0.1, 0.1), (1024, 600)))
    assert reason(large, Limits(max_decoded_mib=1)) == ("too_many_pixels", "1024 x 600 raw")
    assert open_image(data, Limits(max_pixels=64 * 48)).size == (32, 24)


def test_the_size_of_a_preview_is_limited_as_that_of_any_picture():
    data = dng(LARGE, jpeg(), PREVIEW_SIZE)
    assert reason(data, Limits(max_pixels=699_999)) == ("too_many_pixels", "1000 x 700 RGB")
    assert open_image(data, Limits(max_pixels=700_000)).size == PREVIEW_SIZE


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_one_that_is_cut_off_is_damaged():
    assert reason(dng(SMALL)[:3000])[0] == "damaged"
    whole = dng(LARGE, jpeg(), PREVIEW_SIZE)
    assert reason(whole[:-len(jpeg()) // 2])[0] == "damaged"


def test_one_whose_last_rows_are_empty_is_cut_off_though_libraw_does_not_say_so():
    scene = light((0.1, 0.1, 0.1), (64, 400))
    scene[-64:] = 0
    assert reason(bare_dng(scene)) == ("damaged", "nothing in the last 64 rows of the sensor")
    scene[-64] = 0.001
    assert identity(bare_dng(scene))["height"] == 200
    assert reason(bare_dng(SMALL * 0)) == ("damaged", "nothing in the last 12 rows of the sensor")


def test_what_libraw_says_is_passed_on(monkeypatch):
    import rawpy

    behind_its_end = bare_dng(SMALL, {"t273": 10_000_000})
    assert reason(behind_its_end) == ("damaged", "LibRaw: Input/output error")
    assert raw._text(rawpy.LibRawDataError("data error")) == "data error"


def test_more_memory_than_a_decoder_has_is_no_damage(monkeypatch):
    import rawpy

    picture = open_image(dng(SMALL), Limits())

    def overflow(raw, *arguments):
        raise rawpy.LibRawMemPoolOverflowError

    monkeypatch.setattr(raw.SensorPicture, "_develop", overflow)
    with pytest.raises(Skip) as caught:
        decode(picture)
    assert caught.value.args == ("too_many_pixels", "more memory than a decoder may have")
