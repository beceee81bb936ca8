"""A hash stands for what a person sees: pictures that look different never share a vector, nor a score."""
from hashlib import blake2b

import numpy as np
import pytest
from PIL import Image, ImageOps

from stage3 import classify
from tests.cache.formats.colour_profiles import SWAPPED_PRIMARIES, rgb_profile
from tests.cache.formats.raw_files import BLACK_IS_ZERO, tiff
from tests.drawing import drawn, encoded, write
from tests.promises.known.outcome import cosine, rows, vectors
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture

SAME = 0.9999  # the cosine of two vectors of one look
HEAT = [channel for level in range(256) for channel in (level, 255 - level, 128 if level % 2 else 0)]
TURNED = Image.Exif()
TURNED[0x0112] = 6


def grey() -> Image.Image:
    return ImageOps.autocontrast(drawn(7).convert("L"))


def heat_map() -> Image.Image:
    """The grey picture's very pixels, as indices into a palette."""
    picture = Image.frombytes("P", grey().size, grey().tobytes())
    picture.putpalette(HEAT)
    return picture


def on_white(picture: Image.Image, opaque: np.ndarray) -> Image.Image:
    shown = np.where(opaque[..., None], np.asarray(picture.convert("RGB")), 255)
    return Image.fromarray(shown.astype(np.uint8))


def with_a_colour_key() -> tuple[bytes, Image.Image]:
    picture = drawn(8)
    key = picture.getpixel((0, 0))
    opaque = (np.asarray(picture) != key).any(axis=2)
    return encoded(picture, transparency=key), on_white(picture, opaque)


def with_transparent_entries() -> tuple[bytes, Image.Image]:
    picture = heat_map()
    opaque = np.asarray(picture) >= 128
    return encoded(picture, transparency=bytes(128) + bytes([255]) * 128), on_white(picture, opaque)


def with_a_profile() -> tuple[bytes, Image.Image]:
    red, green, blue = drawn(8).split()
    swapped = Image.merge("RGB", (blue, red, green))
    return encoded(drawn(8), icc_profile=rgb_profile(SWAPPED_PRIMARIES)), swapped


PAIRS = {  # (a plain file, one with the same pixels that looks otherwise, what that looks like)
    "a palette": lambda: (encoded(grey()), encoded(heat_map()), heat_map().convert("RGB")),
    "a colour key": lambda: (encoded(drawn(8)), *with_a_colour_key()),
    "transparent entries": lambda: (encoded(heat_map()), *with_transparent_entries()),
    "an orientation": lambda: (
        encoded(drawn(8)), encoded(drawn(8), exif=TURNED), drawn(8).transpose(Image.Transpose.ROTATE_270)),
    "a profile": lambda: (encoded(drawn(8)), *with_a_profile()),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_what_looks_different_has_a_vector_of_its_own(here, stage1, pair):
    plain, other, look = PAIRS[pair]()
    write(here / "photos/a", {"1 plain.png": plain, "2 other.png": other, "3 look.png": encoded(look)})
    stage1()
    vector = vectors()
    assert cosine(vector["2 other.png"], vector["3 look.png"]) > SAME
    assert cosine(vector["2 other.png"], vector["1 plain.png"]) < SAME


def test_a_heat_map_is_scored_by_its_own_vector_though_its_grey_twin_is_known(ready, stage1, here):  # noqa: F811
    write(here / "photos/greys", {"twin.png": encoded(grey())})
    stage1()
    write(here / "new", {"twin.png": encoded(heat_map()), "look.png": encoded(heat_map().convert("RGB"))})
    assert ready(classify, "new") == 0
    score = {
        row["file_name"]: row["tag_prob"] for row in rows(
            "output/stage3.db",
            "SELECT * FROM stage3 WHERE tag_name = 'cats' AND model_type = 'ovr-logistic-regression'")}
    assert score["twin.png"] == pytest.approx(score["look.png"], abs=1e-6)


def test_an_orientation_that_is_rewritten_gives_the_vector_of_a_fresh_output(here, stage1):
    write(here / "photos/a", {"1.jpg": encoded(drawn(8), "JPEG")})
    stage1()
    before = vectors()["1.jpg"]
    write(here / "photos/a", {"1.jpg": encoded(drawn(8), "JPEG", exif=TURNED)})
    assert stage1()["processed"] == 1
    stage1(output_folder="fresh")
    assert cosine(vectors()["1.jpg"], before) < SAME
    assert vectors()["1.jpg"].tolist() == vectors("fresh")["1.jpg"].tolist()
    assert len(rows("output/stage1.db", "SELECT * FROM stage1")) == 1


EXACT = {"WEBP": {"lossless": True}, "GIF": {"optimize": False}}
ONE_HASH = {  # a picture and the files that hold it in its own mode
    "RGB": (drawn(3), ["PNG", "TIFF", "BMP", "PPM", "WEBP"]),
    "grey": (drawn(3).convert("L"), ["PNG", "TIFF", "BMP", "PPM", "GIF"]),
    "bits": (drawn(3).convert("1"), ["PNG", "TIFF", "BMP", "PPM"]),
    "palette": (drawn(3).quantize(16), ["PNG", "TIFF", "BMP", "GIF"]),
}


@pytest.mark.parametrize("look", ONE_HASH)
def test_one_look_in_one_mode_has_one_hash_whatever_the_container(here, stage1, look):
    picture, formats = ONE_HASH[look]
    files = {f"a.{form}": encoded(picture, form, **EXACT.get(form, {})) for form in formats}
    if look in ("RGB", "grey"):
        bands, photometric = len(picture.getbands()), 2 if look == "RGB" else BLACK_IS_ZERO
        files["big-endian.tiff"] = tiff(">", picture.size, (8,) * bands, photometric, picture.tobytes())
    write(here / "photos/a", files)
    stage1()
    hash_of = {row["file_name"]: row["hash_id"] for row in rows("output/stage1.db", "SELECT * FROM stage1")}
    assert hash_of == dict.fromkeys(sorted(files), hash_of["a.PNG"])
    if look in ("RGB", "grey"):
        assert hash_of["a.PNG"] == blake2b(picture.tobytes()).hexdigest()
    assert len(rows("output/clip_cache.sqlite", "SELECT * FROM clip_cache")) == 1
