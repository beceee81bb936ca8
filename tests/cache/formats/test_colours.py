"""Colour profiles: what they change is in the crop and in the hash, what they do not is in neither."""
import struct
import zlib
from hashlib import blake2b
from itertools import product

import numpy as np
import pytest
from PIL import Image

from cache.pixels.crop_spec import CropSpec
from tests.cache.formats import colour_profiles as profiles
from tests.cache.formats.decoded import cropped, hash_id, seen
from tests.cache.formats.heif_files import heic
from tests.cache.formats.raw_files import GREY_ALPHA, chunk, png, tiff, with_chunks
from tests.drawing import encoded

LEVELS = np.linspace(0, 255, 4).round()
COLOURS = np.array(list(product(LEVELS, repeat=3)), np.uint8).reshape(8, 8, 3)
PICTURE = Image.fromarray(COLOURS)
GREYS = Image.fromarray(np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8))
SRGB_TO_XYZ = profiles.rgb_to_xyz_d50(profiles.SRGB_PRIMARIES, profiles.D65)
CURVES = {  # name: profile, primaries, curve, white point
    "Display P3": (profiles.DISPLAY_P3, profiles.P3_PRIMARIES, profiles.srgb_curve, profiles.D65),
    "Adobe RGB": (profiles.ADOBE_RGB, profiles.ADOBE_PRIMARIES, profiles.gamma(563 / 256), profiles.D65),
    "ProPhoto RGB": (
        profiles.PROPHOTO_RGB, profiles.PROPHOTO_PRIMARIES, profiles.gamma(1.8), profiles.WHITE_OF_PROPHOTO,
    ),
    "swapped channels": (profiles.SWAPPED, profiles.SWAPPED_PRIMARIES, profiles.srgb_curve, profiles.D65),
}


def srgb_of(light: np.ndarray) -> np.ndarray:
    """Linear sRGB, 0 to 1 -> what is stored, 0 to 255."""
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def plain_digest(picture: Image.Image) -> str:
    return blake2b(picture.tobytes()).hexdigest()


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "HEIC"])
def test_a_profile_of_rgb_is_in_the_crop_and_in_the_hash(name, file_format):
    profile, primaries, curve, white = CURVES[name]
    options = {"lossless": True} if file_format == "WEBP" else {}
    if file_format == "HEIC":
        data = heic(PICTURE, icc_profile=profile)
    else:
        data = encoded(PICTURE, file_format, icc_profile=profile, **options)
    to_srgb = np.linalg.inv(SRGB_TO_XYZ) @ profiles.rgb_to_xyz_d50(primaries, white)
    expected = srgb_of(curve(COLOURS / 255) @ to_srgb.T)
    assert np.abs(seen(data, 8) - expected).max() < 3
    named = b"profile" + len(profile).to_bytes(8, "big") + profile
    assert hash_id(data) == blake2b(PICTURE.tobytes() + named).hexdigest()


def test_a_profile_that_is_srgb_by_another_name_counts_as_none():
    rounded_otherwise = profiles.rgb_profile(profiles.SRGB_PRIMARIES, white=(0.3128, 0.3291))
    for profile in (profiles.SRGB, rounded_otherwise):
        data = encoded(PICTURE, icc_profile=profile)
        assert hash_id(data) == plain_digest(PICTURE)
        assert (seen(data, 8) == COLOURS).all()


DEEP_GREYS = Image.fromarray(np.asarray(GREYS) * np.uint16(257))


@pytest.mark.parametrize("picture", [GREYS, GREYS.convert("LA"), DEEP_GREYS], ids=["L", "LA", "I;16"])
def test_a_grey_picture_goes_by_a_profile_of_grey_or_of_rgb(picture):
    stored = np.asarray(GREYS)[:, :, None] / 255
    for profile in (profiles.DARK_GREY, profiles.rgb_profile(profiles.SRGB_PRIMARIES, profiles.gamma(3.0))):
        data = encoded(picture, icc_profile=profile)
        assert np.abs(seen(data, 8) - srgb_of(stored**3)).max() < 3
        assert hash_id(data) != hash_id(encoded(picture))


def test_16_bit_grey_with_alpha_is_grey_though_pillow_reads_it_as_rgb():
    grey = png(16, GREY_ALPHA, [[0x8080, 0xFFFF]])
    profile = chunk(b"iCCP", b"drawn\0\0" + zlib.compress(profiles.DARK_GREY))
    assert np.abs(seen(with_chunks(grey, profile), 1) - srgb_of(np.array((128 / 255) ** 3))).max() < 3


INKS = np.array(list(product(LEVELS, repeat=4)), np.uint8).reshape(16, 16, 4)
PRINTED = Image.frombytes("CMYK", (16, 16), INKS.tobytes())


@pytest.mark.parametrize("mode", ["squash", "shortest", "longest"])
def test_a_profile_of_cmyk_makes_rgb_of_it(mode):
    data = encoded(PRINTED, "TIFF", icc_profile=profiles.CMYK)
    expected = 255 * profiles.printed(INKS / 255)
    shown = cropped(data, CropSpec(16, mode, "nearest"))
    assert np.abs(shown - expected).max() < 2  # the darkest is as dark as it is printed, which is not black
    assert hash_id(data) != plain_digest(PRINTED) == hash_id(encoded(PRINTED, "TIFF"))


def test_what_is_filled_beside_a_picture_does_not_go_by_its_profile():
    wide = encoded(PICTURE.resize((16, 4)), icc_profile=profiles.SWAPPED)
    assert (cropped(wide, CropSpec(16, "longest", fill=100))[0] == 100).all()


def damaged(profile: bytes) -> bytes:
    return profile[:150] + b"\xff" * 200 + profile[350:]


IGNORED = {
    "nonsense": b"no profile",
    "empty": b"\0" * 500,
    "cut": profiles.DISPLAY_P3[:200],
    "damaged": damaged(profiles.DISPLAY_P3),
    "of grey": profiles.DARK_GREY,
    "of CMYK": profiles.CMYK,
    "a link between devices": profiles.DISPLAY_P3[:12] + b"link" + profiles.DISPLAY_P3[16:],
    "too large": profiles.DISPLAY_P3 + bytes(4 * 1024 * 1024),
}


@pytest.mark.parametrize("profile", IGNORED.values(), ids=IGNORED)
def test_a_profile_that_says_nothing_about_the_picture_counts_as_none(profile):
    data = encoded(PICTURE, "TIFF", icc_profile=profile)
    assert hash_id(data) == plain_digest(PICTURE)
    assert (seen(data, 8) == COLOURS).all()


@pytest.mark.filterwarnings("ignore:Metadata Warning")
def test_a_tag_of_numbers_is_no_profile():
    data = tiff("<", PICTURE.size, (8, 8, 8), 2, PICTURE.tobytes(), t34675=(1, 2, 3))
    assert hash_id(data) == plain_digest(PICTURE)


def test_a_profile_of_rgb_says_nothing_about_cmyk():
    assert hash_id(encoded(PRINTED, "TIFF", icc_profile=profiles.SWAPPED)) == plain_digest(PRINTED)


@pytest.mark.parametrize("opacity", [255, 128, 0])
def test_colours_are_converted_before_they_are_mixed_with_the_paper(opacity):
    layer = PICTURE.copy()
    layer.putalpha(opacity)
    shown = seen(encoded(layer, icc_profile=profiles.PROPHOTO_RGB), 8)
    share = opacity / 255
    expected = share * seen(encoded(PICTURE, icc_profile=profiles.PROPHOTO_RGB), 8) + 255 * (1 - share)
    assert np.abs(shown - expected).max() < 2


GAMMA_1 = chunk(b"gAMA", struct.pack(">I", 100_000))
OF_SRGB = chunk(b"gAMA", struct.pack(">I", 45_455))


def chromaticities(primaries) -> bytes:
    numbers = [round(number * 100_000) for point in (profiles.D65, *primaries) for number in point]
    return chunk(b"cHRM", struct.pack(">8I", *numbers))


def test_a_png_may_say_its_gamma_and_its_primaries_without_a_profile():
    data = with_chunks(encoded(PICTURE), GAMMA_1)
    assert np.abs(seen(data, 8) - srgb_of(COLOURS / 255)).max() < 3
    wide = with_chunks(encoded(PICTURE), GAMMA_1, chromaticities(profiles.P3_PRIMARIES))
    to_srgb = np.linalg.inv(SRGB_TO_XYZ) @ profiles.rgb_to_xyz_d50(profiles.P3_PRIMARIES, profiles.D65)
    assert np.abs(seen(wide, 8) - srgb_of(COLOURS / 255 @ to_srgb.T)).max() < 3
    assert len({hash_id(data), hash_id(wide), plain_digest(PICTURE)}) == 3


@pytest.mark.parametrize("chunks", [
    [OF_SRGB],
    [OF_SRGB, chromaticities(profiles.SRGB_PRIMARIES)],
    [chunk(b"sRGB", b"\0"), GAMMA_1],
    [chromaticities(profiles.P3_PRIMARIES)],
    [GAMMA_1, chromaticities(((0, 0), (0, 0), (0, 0)))],
    [chunk(b"gAMA", bytes(4))],
], ids=["gamma of sRGB", "primaries, too", "chunk sRGB", "primaries alone", "no primaries", "gamma 0"])
def test_what_a_png_says_of_srgb_or_says_in_vain_counts_as_none(chunks):
    assert hash_id(with_chunks(encoded(PICTURE), *chunks)) == plain_digest(PICTURE)


def test_the_profile_is_asked_before_what_a_png_says_besides():
    data = with_chunks(encoded(PICTURE, icc_profile=profiles.SWAPPED), GAMMA_1)
    assert (seen(data, 8) == COLOURS[:, :, [2, 0, 1]]).all()


def cicp(primaries: int, curve: int) -> bytes:
    return chunk(b"cICP", bytes([primaries, curve, 0, 1]))


@pytest.mark.parametrize(("primaries", "curve", "lights", "light"), [
    (12, 13, profiles.P3_PRIMARIES, profiles.srgb_curve),
    (9, 8, profiles.REC_2020_PRIMARIES, profiles.gamma(1)),
    (1, 4, profiles.SRGB_PRIMARIES, profiles.gamma(2.2)),
])
def test_a_png_an_avif_or_a_heic_may_say_its_colours_by_number(primaries, curve, lights, light):
    to_srgb = np.linalg.inv(SRGB_TO_XYZ) @ profiles.rgb_to_xyz_d50(lights, profiles.D65)
    expected = srgb_of(light(COLOURS / 255) @ to_srgb.T)
    numbered = with_chunks(encoded(PICTURE, icc_profile=profiles.SWAPPED), cicp(primaries, curve))
    assert np.abs(seen(numbered, 8) - expected).max() < 3
    avif = encoded(PICTURE, "AVIF", quality=100, subsampling="4:4:4")
    other = avif.replace(b"nclx\0\1\0\r", b"nclx" + struct.pack(">HH", primaries, curve))
    assert np.abs(seen(other, 8) - expected).mean() < 2  # AVIF is not lossless
    assert hash_id(other) != hash_id(avif)
    numbered = heic(PICTURE).replace(b"nclx\0\1\0\r", b"nclx" + struct.pack(">HH", primaries, curve))
    assert np.abs(seen(numbered, 8) - expected).max() < 3
    assert hash_id(numbered) != hash_id(heic(PICTURE)) == plain_digest(PICTURE)


def test_numbers_of_srgb_and_of_hdr_count_as_none():
    for numbers in ((1, 13), (9, 16), (9, 18), (2, 2)):
        assert hash_id(with_chunks(encoded(PICTURE), cicp(*numbers))) == plain_digest(PICTURE)
        numbered = heic(PICTURE).replace(b"nclx\0\1\0\r", b"nclx" + struct.pack(">HH", *numbers))
        assert hash_id(numbered) == plain_digest(PICTURE)
    hdr_beside_profile = with_chunks(encoded(PICTURE, icc_profile=profiles.SWAPPED), cicp(9, 16))
    assert hash_id(hdr_beside_profile) == hash_id(encoded(PICTURE, icc_profile=profiles.SWAPPED))
