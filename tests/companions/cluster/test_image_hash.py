"""The perceptual hash: the library's code, all pairs of near ones, and pictures that have no waves."""
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dct

from companions.cluster.methods.image_hash import ImageHash
from tests.companions.cluster.held_features import HeldFeatures, all_pairs, drawn_picture, flat

METHOD = ImageHash()


@pytest.mark.parametrize("seed", range(20))
def test_the_code_is_that_of_the_library_imagehash(seed):
    """phash of imagehash 4.3, line by line."""
    picture = drawn_picture(seed)
    pixels = np.asarray(Image.fromarray(picture).convert("L").resize((32, 32), Image.Resampling.LANCZOS))
    waves = dct(dct(pixels.astype(float), axis=0), axis=1)[:8, :8]
    bits = "".join(str(int(bit)) for bit in (waves > np.median(waves)).ravel())
    assert METHOD.features(picture).hex() == f"{int(bits, 2):016x}"


def test_similarity_is_the_share_of_bits_that_are_equal():
    assert METHOD.similarity(bytes(8), bytes(7) + b"\7") == 0.953125
    assert METHOD.similarity(bytes(8), b"\xff" * 8) == 0.0
    assert METHOD.similarity(b"\7" * 8, b"\7" * 8) == 1.0


@pytest.mark.parametrize("threshold", [0.02, 0.6, 0.875, 0.95, 0.96875, 0.97, 1.0])
@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_every_pair_is_found_whatever_the_threshold_and_the_size_of_the_blocks(threshold, at_once):
    codes = [bytes(7) + bytes([bits]) for bits in (0, 1, 3, 7, 255, 0)]  # two pictures of one code
    colours = [b"\0\0\0", b"\2\2\2", b"\5\2\2", b"\2\2\2"]
    features = HeldFeatures([*codes, *colours, *map(METHOD.features, map(drawn_picture, range(12)))], at_once)
    assert sorted(METHOD.pairs(features, threshold)) == all_pairs(METHOD, features, threshold)


@pytest.mark.parametrize(("first", "second", "similarity"), [
    (flat(127, 127, 127), flat(127, 127, 127, height=90), 1.0),
    (flat(127, 127, 127, height=1, width=1), flat(127, 127, 127), 1.0),
    (flat(127, 127, 127), flat(129, 125, 127), 1.0),  # as a JPEG has it
    (flat(127, 127, 127), flat(130, 127, 127), 0.0),
    (flat(0, 0, 0), flat(255, 255, 255), 0.0),
    (flat(127, 127, 127), drawn_picture(1), 0.0),
])
def test_pictures_of_one_colour_are_alike_if_it_is_the_same(first, second, similarity):
    features = [METHOD.features(first), METHOD.features(second)]
    assert METHOD.similarity(*features) == METHOD.similarity(*reversed(features)) == similarity


def test_the_same_picture_smaller_or_saved_badly_is_alike_and_no_other():
    pictures = [drawn_picture(seed, height, width)
                for seed in range(5) for height, width in ((64, 96), (40, 60), (200, 300))]
    pairs = METHOD.pairs(HeldFeatures(map(METHOD.features, pictures)), METHOD.threshold)
    assert sorted(pair[:2] for pair in pairs) == [
        two for two in combinations(range(15), 2) if two[0] // 3 == two[1] // 3]
