"""One picture: its hash, its crop, and the reasons for which it is left out."""
import io
import struct
from hashlib import blake2b

import numpy as np
import pytest
from PIL import Image

from cache.formats.image_decoder import FORMATS, decode, open_image
from cache.formats.signatures import HEIC_BRANDS, HEIC_SEQUENCE_BRANDS, begins_like_an_image
from cache.limits import Limits, Skip
from cache.pixels.crop_spec import CropSpec
from cache.pixels.pixel_hash import hash_ids
from tests.cache.formats.decoded import cropped, identity
from tests.cache.formats.raw_files import pair
from tests.drawing import drawn, encoded, png


def reason(data: bytes, limits: Limits = Limits()) -> tuple[str, str]:
    with pytest.raises(Skip) as caught:
        decode(open_image(data, limits))
    return caught.value.args


def test_the_hash_is_blake2b_of_the_decoded_pixels_whatever_the_format():
    picture = drawn(1)
    expected = blake2b(picture.tobytes()).hexdigest()
    for name in ("png", "bmp", "tiff", "ppm"):
        assert identity(encoded(picture, name.upper())) == {
            "hash_id": expected,
            "old_hash_id": None,
            "type": name,
            "width": 48,
            "height": 40,
            "orientation": 1,
        }


def test_every_format_is_known_by_its_first_bytes():
    names = ["JPEG", "MPO", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF"]
    assert set(FORMATS) - {"HEIF"} <= set(names)
    assert [name for name in names if not begins_like_an_image(encoded(drawn(1), name)[:12])] == []
    for video in (b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3", bytes(12), b""):
        assert not begins_like_an_image(video)


def test_what_begins_like_a_heic_and_is_none_is_damaged():
    for brand in HEIC_BRANDS + HEIC_SEQUENCE_BRANDS:
        head = b"\0\0\0\x18ftyp" + brand
        assert begins_like_an_image(head)
        assert reason(head) == reason(head + bytes(5000)) == ("damaged", "unreadable header")


def test_the_pair_of_jpegs_of_a_phone_is_a_jpeg():
    assert identity(pair(drawn(1)))["type"] == "jpeg"


def test_palette_pictures_hash_indices_and_palette_and_keep_the_digest_of_older_tools():
    red, blue = (Image.new("P", (4, 4)) for _ in range(2))
    red.putpalette([255, 0, 0])
    blue.putpalette([0, 0, 255])
    (red_hash, red_old), (blue_hash, blue_old) = hash_ids(red), hash_ids(blue)
    assert red_old == blue_old == blake2b(bytes(16)).hexdigest()
    assert red_hash == blake2b(bytes(16) + bytes([255, 0, 0])).hexdigest()
    assert blue_hash == blake2b(bytes(16) + bytes([0, 0, 255])).hexdigest()


def test_an_animation_is_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour).quantize() for colour in ("red", "blue")]
    animated = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert cropped(animated, CropSpec(2)).tolist() == [[[255, 0, 0]] * 2] * 2


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (224, 224), (37, 51), (383, 200)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_the_crop_is_open_clips_transform(size, mode):
    from open_clip.transform import image_transform

    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), dtype=np.uint8))
    zero_to_one = {"mean": (0, 0, 0), "std": (1, 1, 1)}
    theirs = image_transform(64, is_train=False, resize_mode=mode, fill_color=7, **zero_to_one)
    ours = cropped(encoded(picture), CropSpec(64, mode, "bicubic", fill=7))
    assert np.abs(ours.transpose(2, 0, 1) / 255 - theirs(picture).numpy()).max() < 1e-3


def test_a_sideways_phone_photo_is_turned_upright():
    picture = Image.new("RGB", (20, 10), "white")
    picture.paste("red", (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise: the red left half becomes the upper half
    upright = cropped(encoded(picture, "PNG", exif=exif), CropSpec(2, "squash", "nearest"))
    assert upright.tolist() == [[[255, 0, 0]] * 2, [[255, 255, 255]] * 2]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_cost_the_picture():
    broken = encoded(drawn(1), "JPEG", exif=b"Exif\x00\x00MM\x00*" + b"\xff" * 40)
    assert cropped(broken, CropSpec(8)).shape == (8, 8, 3)


def test_sixteen_bits_are_scaled_not_clipped():
    grey = Image.fromarray(np.full((4, 4), 32768, np.uint16))
    assert cropped(encoded(grey), CropSpec(1)).tolist() == [[[127, 127, 127]]]


@pytest.mark.parametrize(("picture", "pixel"), [
    (Image.new("RGBA", (4, 4), (0, 0, 0, 0)), [255, 255, 255]),
    (Image.new("LA", (4, 4), (0, 255)), [0, 0, 0]),
    (Image.new("1", (4, 4), 1), [255, 255, 255]),
    (Image.new("L", (4, 4), 90), [90, 90, 90]),
    (Image.new("CMYK", (4, 4), (0, 0, 0, 0)), [255, 255, 255]),
    (Image.fromarray(np.linspace(-1, 3, 16, dtype=np.float32).reshape(4, 4)), [128, 128, 128]),
], ids=["transparent", "grey with alpha", "bits", "grey", "cmyk", "floats"])
def test_every_mode_becomes_rgb_as_a_page_would_show_it(picture, pixel):
    data = encoded(picture, "TIFF" if picture.mode in ("CMYK", "F") else "PNG")
    assert cropped(data, CropSpec(1, "squash", "bilinear")).tolist() == [[pixel]]


def test_a_strip_of_65500_pixels_costs_no_more_than_its_crop():
    assert cropped(encoded(Image.new("L", (65500, 1), 200)), CropSpec(224)).shape == (224, 224, 3)


def test_reasons_for_leaving_a_file_out():
    assert reason(b"") == ("empty", "")
    assert reason(b"just text") == ("not_an_image", "")
    assert reason(b"%PDF-1.7 ...") == ("unsupported_type", "PDF document")
    assert reason(b"Rar!\x1a\x07\x01\x00") == ("unsupported_type", "RAR archive")
    assert reason(b"\x89PNG nonsense")[0] == "damaged"
    assert reason(encoded(drawn(1), "JPEG")[:300])[0] == "damaged"
    assert reason(png(1)[:200])[0] == "damaged"


def test_pixels_and_decoded_bytes_are_limited_before_decoding():
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = io.BytesIO(png(1)).getvalue()
    bomb = bomb[:16] + header + bomb[29:]
    assert reason(bomb)[0] in ("too_many_pixels", "damaged")  # Pillow may refuse the header's checksum first
    assert reason(png(1), Limits(max_pixels=1919)) == ("too_many_pixels", "48 x 40 RGB")
    white = encoded(Image.new("RGB", (1000, 1000)))
    assert reason(white, Limits(max_decoded_mib=2)) == ("too_many_pixels", "1000 x 1000 RGB")
    assert open_image(png(1), Limits(max_pixels=1920)).size == (48, 40)


def test_an_unknown_reason_code_is_a_bug():
    with pytest.raises(ValueError, match="unknown reason code 'bored'"):
        Skip("bored")
