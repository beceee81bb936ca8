"""Structural similarity, template matching and vectors: their formulas, all pairs of alike ones, pictures of
one colour, and that nothing hangs on how much is compared at once."""
from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from companions.cluster.methods import products, ssim, template
from companions.cluster.methods.clip import Clip
from companions.cluster.methods.method import Method, Pair
from companions.cluster.methods.ssim import Ssim
from companions.cluster.methods.template import Template
from tests.companions.cluster.held_features import HeldFeatures, all_pairs, drawn_picture, flat

METHODS = [Ssim(), Template(), Clip()]
OF_BRIGHTNESS = [Ssim(), Template()]
by_name = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
of_brightness = pytest.mark.parametrize("method", OF_BRIGHTNESS, ids=lambda method: method.name)


def families() -> list[bytes]:
    """Grey pictures of 32 x 32 points, 8 times one and five that become less like it; two of one colour."""
    chance = np.random.default_rng(3)
    features = []
    for seed in range(8):
        grey = np.asarray(Image.fromarray(drawn_picture(seed, 32, 32)).convert("L")).astype(float)
        noise = chance.standard_normal(grey.shape)
        features += [np.clip(grey + strength * noise, 0, 255).astype(np.uint8).tobytes()
                     for strength in (0, 1, 4, 12, 30, 60)]
    return [*features[:30], b"\7\7\7", *features[30:], b"\7\7\5"]


def vectors() -> list[bytes]:
    chance = np.random.default_rng(4)
    centres = np.repeat(chance.standard_normal((8, 300)) + 1, 6, axis=0)
    strengths = np.tile([0, 0.01, 0.1, 0.3, 0.6, 1], 8)[:, None]
    rows = (centres + strengths * chance.standard_normal(centres.shape)).astype(np.float32)
    rows[5], rows[6], rows[7] = 0, np.nan, rows[0] * 1e-30
    return [row.tobytes() for row in rows]


FEATURES = {"ssim": families(), "tm": families(), "clip": vectors()}


@lru_cache
def pairs_from_a_half_on(method: Method) -> list[Pair]:
    return all_pairs(method, HeldFeatures(FEATURES[method.name]), 0.5)


@by_name
@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.97, 1.0])
def test_every_pair_is_found_whatever_is_compared_at_once(monkeypatch, method, threshold):
    features = FEATURES[method.name]
    pairs = [pair for pair in pairs_from_a_half_on(method) if pair.similarity >= threshold]
    assert pairs
    assert sorted(method.pairs(HeldFeatures(features), threshold)) == pairs
    monkeypatch.setattr(products, "AT_ONCE", 5)
    assert sorted(method.pairs(HeldFeatures(features, at_once=3), threshold)) == pairs


@by_name
def test_similarity_is_the_same_the_other_way_round_and_1_of_a_picture_and_itself(method):
    first, second, *_ = FEATURES[method.name]
    assert 0 < method.similarity(first, second) == method.similarity(second, first) < 1
    assert method.similarity(first, first) == 1.0


@by_name
@pytest.mark.parametrize("count", [0, 1])
def test_less_than_two_pictures_have_no_pairs(method, count):
    assert list(method.pairs(HeldFeatures(FEATURES[method.name][:count]), 0.5)) == []


@of_brightness
@pytest.mark.parametrize(("first", "second", "similarity"), [
    (flat(127, 127, 127), flat(127, 127, 127, height=90), 1.0),
    (flat(127, 127, 127, height=1, width=1), flat(127, 127, 127), 1.0),
    (flat(127, 127, 127), flat(130, 127, 127), 0.0),
    (flat(0, 0, 0), flat(255, 255, 255), 0.0),
    (flat(127, 127, 127), drawn_picture(1), 0.0),
])
def test_pictures_of_one_colour_are_alike_if_it_is_the_same(method, first, second, similarity):
    features = [method.features(first), method.features(second)]
    assert method.similarity(*features) == method.similarity(*reversed(features)) == similarity
    pairs = list(method.pairs(HeldFeatures(features), method.threshold))
    assert pairs == [(0, 1, 1.0)][:int(similarity)]


@of_brightness
def test_the_same_picture_larger_smaller_or_lighter_is_alike_and_no_other(method):
    pictures = [variant for seed in range(5) for variant in (
        drawn_picture(seed), drawn_picture(seed, 40, 60), drawn_picture(seed, 128, 192),
        (drawn_picture(seed) * 0.9 + 20).astype(np.uint8))]
    pairs = all_pairs(method, HeldFeatures(map(method.features, pictures)), method.threshold)
    assert [pair[:2] for pair in pairs] == [
        two for two in combinations(range(20), 2) if two[0] // 4 == two[1] // 4]


def test_structural_similarity_is_that_of_wang_and_others():
    """Their formula, window by window."""
    first, second = (np.frombuffer(picture, np.uint8).reshape(32, 32).astype(float)
                     for picture in (FEATURES["ssim"][0], FEATURES["ssim"][3]))
    away = np.arange(11) - 5
    window = np.exp(-(away[:, None] ** 2 + away ** 2) / (2 * 1.5 ** 2))
    window /= window.sum()
    values = []
    for row, column in np.ndindex(22, 22):
        one, other = (picture[row:row + 11, column:column + 11] for picture in (first, second))
        mean, mean_of_other = (one * window).sum(), (other * window).sum()
        variance, variance_of_other = ((value ** 2 * window).sum() - (value * window).sum() ** 2
                                       for value in (one, other))
        covariance = (one * other * window).sum() - mean * mean_of_other
        values.append((2 * mean * mean_of_other + 6.5025) * (2 * covariance + 58.5225) / (
            (mean ** 2 + mean_of_other ** 2 + 6.5025) * (variance + variance_of_other + 58.5225)))
    similarity = Ssim().similarity(FEATURES["ssim"][0], FEATURES["ssim"][3])
    assert similarity == pytest.approx(np.mean(values), abs=2e-4)


def test_template_matching_is_the_correlation_whatever_light_and_contrast():
    dark = np.arange(1024, dtype=np.uint8).tobytes()
    light = (np.arange(1024, dtype=np.uint8) // 2 + 100).astype(np.uint8).tobytes()
    first, second = (np.frombuffer(picture, np.uint8).astype(float) for picture in (dark, light))
    assert Template().similarity(dark, light) == round(float(np.corrcoef(first, second)[0, 1]), 6) == 0.999977
    assert Template().similarity(dark, bytes(reversed(dark))) == 0.0  # not below


def test_the_similarity_of_vectors_is_their_cosine():
    first, second = (np.frombuffer(FEATURES["clip"][place], np.float32).astype(float) for place in (0, 4))
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert Clip().similarity(FEATURES["clip"][0], FEATURES["clip"][4]) == pytest.approx(cosine, abs=1e-6)


@pytest.mark.parametrize("place", [5, 6])
def test_a_vector_of_zeros_or_of_what_is_no_number_is_like_none(place):
    features = FEATURES["clip"]
    assert {Clip().similarity(features[place], other) for other in features} == {0.0}


def test_a_vector_has_a_direction_however_short_it_is():
    assert Clip().similarity(FEATURES["clip"][0], FEATURES["clip"][7]) == 1.0


@pytest.mark.parametrize("short", [template._squares, ssim._squares], ids=["tm", "ssim"])
def test_no_sum_of_products_of_short_vectors_leaves_what_float32_holds(short):
    hostile = [bytes(512) + b"\xff" * 512, b"\0\xff" * 512, *families()[:30]]
    lengths = (short(hostile).astype(np.int64) ** 2).sum(1)
    assert lengths.min() >= 0.98 * products.UNIT ** 2
    assert lengths.max() <= 2 ** 24
