"""A thumbnail is made of the pixels in hand, of the pictures for which one is wanted."""
import io

import numpy as np
from PIL import Image

from cache.pixels.crop_spec import CropSpec
from cache.reader.image_source import images
from tests.drawing import encoded, png, write


def shown(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))


def test_a_large_picture_becomes_an_upright_jpeg_of_256_pixels(here):
    sideways = Image.new("RGB", (600, 300), "white")
    sideways.paste("red", (0, 0, 300, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    write(here, {"x/photo.jpg": encoded(sideways, "JPEG", exif=exif)})
    [picture] = images("x", thumbnail_for=lambda picture: True)
    thumbnail = shown(picture.thumbnail)
    assert (thumbnail.format, thumbnail.mode, thumbnail.size) == ("JPEG", "RGB", (128, 256))
    upper, lower = (np.asarray(thumbnail)[row, 64].tolist() for row in (60, 200))
    assert upper[0] > 240
    assert max(upper[1:]) < 15
    assert min(lower) > 240


def test_a_small_picture_is_not_enlarged_and_lies_on_white(here):
    write(here, {"x/a.png": encoded(Image.new("RGBA", (20, 10), (0, 0, 0, 0)))})
    [picture] = images("x", thumbnail_for=lambda picture: True)
    thumbnail = shown(picture.thumbnail)
    assert thumbnail.size == (20, 10)
    assert thumbnail.getextrema() == ((255, 255),) * 3


def test_only_wanted_ones_are_made_beside_a_crop_or_without_one(here):
    write(here, {"x/1.png": png(1), "x/2.png": png(2)})
    first, second = images(
        "x",
        crop_for=lambda picture: CropSpec(8) if picture.file.file_name == "1.png" else None,
        thumbnail_for=lambda picture: picture.file.file_name == "2.png",
    )
    assert (first.crop.shape, first.thumbnail) == ((8, 8, 3), None)
    assert second.crop is None
    assert shown(second.thumbnail).size == (second.width, second.height)
