"""Large pictures are averaged over boxes before they are resampled, and turned when they are small."""
from functools import cache

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from cache.encoders.clip_encoder import ClipEncoder
from cache.pixels import seen
from cache.pixels.crop_spec import CropSpec
from cache.pixels.crops import crop
from cache.pixels.fingerprint import preprocessing_fingerprint
from cache.pixels.look import Look
from cache.pixels.packed import Packed
from cache.pixels.seen import Seen
from cache.pixels.thumbnail import thumbnail
from cache.pixels.turning import TURNS

MODES = ["shortest", "longest", "squash"]


@cache
def photographs() -> list[Image.Image]:
    """Two of scikit-learn's, 640 x 427, enlarged and with the noise of a camera."""
    random = np.random.default_rng(0)
    enlarged = [Image.fromarray(pixels).resize((2401, 1601)) for pixels in load_sample_images().images]
    return [Image.fromarray((np.asarray(picture) + random.normal(0, 4, (1601, 2401, 3))).clip(0, 255)
                            .astype(np.uint8)) for picture in enlarged]


def directly(picture: Seen, spec: CropSpec, monkeypatch) -> np.ndarray:
    with monkeypatch.context() as patch:
        patch.setattr(seen, "_factor", lambda most: 1)
        return crop(picture, spec)


def assert_close(first: np.ndarray, second: np.ndarray) -> None:
    """In levels of 255; the most where boxes are cut off at the right and below."""
    difference = np.abs(first.astype(int) - second)
    assert difference.mean() < .3
    assert difference.max() <= 8


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("mode", MODES)
def test_averaging_first_keeps_the_vector(mode, interpolation, monkeypatch):
    spec = CropSpec(224, mode, interpolation)
    encoder = ClipEncoder("EfficientNet-Lite0-MS", "imagenet")
    for picture in photographs():
        averaged, exact = crop(Seen(picture), spec), directly(Seen(picture), spec, monkeypatch)
        assert (averaged != exact).any()
        assert_close(averaged, exact)
        first, second = encoder.encode(np.stack([averaged, exact]))
        assert first @ second / np.linalg.norm(first) / np.linalg.norm(second) >= .9999


@pytest.mark.parametrize("mode", MODES)
def test_what_is_less_than_six_times_as_large_is_resampled_directly(mode, monkeypatch):
    picture, spec = Seen(photographs()[0].resize((1343, 1343))), CropSpec(224, mode)
    assert (crop(picture, spec) == directly(picture, spec, monkeypatch)).all()


def test_nearest_takes_pixels_as_they_are(monkeypatch):
    picture, spec = Seen(photographs()[0]), CropSpec(48, "squash", "nearest")
    assert (crop(picture, spec) == directly(picture, spec, monkeypatch)).all()


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("mode", MODES)
def test_turned_when_small_is_as_good_as_turned_before(mode, orientation):
    picture, spec = photographs()[0], CropSpec(224, mode)
    turned = crop(Seen(picture, Look(orientation=orientation)), spec)
    upright = crop(Seen(picture.transpose(TURNS[orientation])), spec)
    assert_close(turned, upright)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_packed_pixels_are_averaged_as_pillow_does_it(mode):
    picture = photographs()[0].resize((301, 203)).convert(mode)
    packed = Packed(mode, np.asarray(picture).reshape(203, 301, -1))
    for factor in (2, 4, 64):
        assert packed.averaged(factor).tobytes() == picture.reduce(factor).tobytes()
    for size in ((1, 1), (16, 11), (150, 101), (301, 203)):
        scaled = [Seen(image).scaled(size, Image.Resampling.BICUBIC).tobytes() for image in (packed, picture)]
        assert scaled[0] == scaled[1]


def test_crop_and_thumbnail_share_what_was_averaged(monkeypatch):
    made = []
    averaged = Packed.averaged

    def counted(packed: Packed, factor: int) -> Image.Image:
        made.append(factor)
        return averaged(packed, factor)

    monkeypatch.setattr(Packed, "averaged", counted)
    picture = Seen(Packed("RGB", np.asarray(photographs()[0])))
    crop(picture, CropSpec(224, "longest"))
    thumbnail(picture)
    assert made == [2]


def test_the_fingerprint_of_preprocessing_tells_whether_large_pictures_are_averaged(monkeypatch):
    fingerprint = preprocessing_fingerprint.__wrapped__()
    assert fingerprint == preprocessing_fingerprint()
    monkeypatch.setattr(seen, "_factor", lambda most: 1)
    assert preprocessing_fingerprint.__wrapped__() != fingerprint
