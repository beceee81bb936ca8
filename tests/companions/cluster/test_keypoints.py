"""Methods that look for the same points: what they find, and what does not join unlike pictures."""
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from companions.cluster.methods import method_named
from companions.cluster.methods.all_over import all_over
from companions.cluster.methods.described import Described, described
from companions.cluster.methods.sift_bits import mirrored_bits, sift_bits
from tests.companions.cluster.scenes import (
    EASY,
    HARD,
    features_of,
    fitted,
    pairs_among,
    scene,
    with_a_band,
    with_a_logo,
)
from tests.conftest import ROOT

BY_POINTS = ("orb", "sift", "minhash")
SAME_CELLS = ("as it is", "saved badly", "half as large", "lighter")  # what keeps every corner in its place


AS_IT_IS = EASY["as it is"]


@pytest.mark.parametrize(("name", "variants"), [
    ("orb", EASY),
    ("sift", {"as it is": AS_IT_IS, **HARD}),
    ("minhash", {name: EASY[name] for name in SAME_CELLS}),
])
def test_all_that_was_made_of_a_picture_is_found_and_nothing_else(name, variants):
    features = [features_of(name, seed, make) for seed in (1, 2) for make in variants.values()]
    features += [features_of(name, seed, AS_IT_IS) for seed in (3, 4)]
    pairs = pairs_among(name, features)
    count = len(variants)
    assert joined(pairs) == [set(range(count)), set(range(count, 2 * count))]
    assert all(pair.first < pair.second and 0 < pair.similarity <= 1 for pair in pairs)
    assert len({pair[:2] for pair in pairs}) == len(pairs)


def joined(pairs) -> list[set[int]]:
    groups: list[set[int]] = []
    for first, second, _ in pairs:
        touched = [group for group in groups if group & {first, second}]
        groups = [group for group in groups if group not in touched] + [{first, second}.union(*touched)]
    return sorted(groups, key=min)


@pytest.mark.parametrize("name", BY_POINTS)
@pytest.mark.parametrize("marked", [with_a_logo, with_a_band])
def test_what_many_pictures_have_in_a_part_of_them_does_not_join_them(name, marked):
    assert pairs_among(name, [features_of(name, seed, marked) for seed in range(1, 9)]) == []


@pytest.mark.parametrize("name", BY_POINTS)
def test_pictures_without_points_are_alike_to_none(name):
    method = method_named(name)
    flat = [Image.new("RGB", size, (shade, shade, shade))
            for size in ((400, 300), (1, 1), (1000, 20), (20, 1000)) for shade in (90, 120)]
    strips = [scene(seed).resize((1000, 20)) for seed in (1, 2, 3)]
    features = [method.features(fitted(picture, method.side)) for picture in (*flat, *strips)]
    assert pairs_among(name, features) == []


@pytest.mark.parametrize("name", BY_POINTS)
def test_pairs_do_not_hang_on_the_size_of_blocks(name):
    features = [features_of(name, seed, make) for seed in (1, 2) for make in (AS_IT_IS, EASY["lighter"])]
    by_block = [pairs_among(name, features, block) for block in (1, 3, 100)]
    assert by_block[0] == by_block[1] == by_block[2] != []


@pytest.mark.parametrize("name", BY_POINTS)
def test_similarity_is_the_same_both_ways_and_one_for_the_same(name):
    method = method_named(name)
    first, other = (features_of(name, seed, AS_IT_IS) for seed in (1, 2))
    second = features_of(name, 1, EASY["lighter"])
    assert method.similarity(first, first) == 1
    assert method.similarity(first, second) == method.similarity(second, first) > method.threshold
    assert method.similarity(first, other) < method.threshold


PRINTED = """
from tests.companions.cluster.scenes import EASY, features_of, pairs_among
for name in ("orb", "sift", "minhash"):
    print(pairs_among(name, [features_of(name, 1, EASY[made]) for made in ("as it is", "lighter")]))
"""


def test_neither_the_seed_of_hashes_nor_the_number_of_threads_changes_a_pair():
    environments = [
        {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"},
    ]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PRINTED], cwd=ROOT, env={**os.environ, **environment},
            stdout=subprocess.PIPE, text=True)
        for environment in environments]
    first, second = (run.communicate()[0] for run in runs)
    assert first == second
    assert first.count("Pair(") == 3


def test_a_described_picture_comes_back_from_its_bytes():
    random = np.random.default_rng(1)
    points = random.integers(0, 512 * 64, (7, 2)).astype(np.float32) / 64
    bits, small = (random.integers(0, 256, shape, np.uint8) for shape in ((7, 32), (5, 9)))
    picture = Described(points, bits, small)
    again = described(picture.as_bytes())
    assert np.array_equal(again.points, picture.points)
    assert np.array_equal(again.bits, picture.bits)
    assert np.array_equal(again.small, picture.small)


def test_bits_of_a_mirrored_descriptor_are_the_mirrored_bits():
    descriptors = np.random.default_rng(1).integers(0, 200, (50, 4, 4, 8)).astype(np.float32)
    mirrored = descriptors[:, ::-1][..., -np.arange(8)]
    bits, other = sift_bits(descriptors.reshape(50, 128)), sift_bits(mirrored.reshape(50, 128))
    assert np.unpackbits(mirrored_bits(bits) ^ other).mean() < 0.002  # sums of nothing have no sign to turn
    assert 0.4 < np.unpackbits(bits).mean() < 0.6


def test_points_are_kept_from_all_over_a_picture():
    """The weak half of one has its share before the strong half has all of its own."""
    places = np.random.default_rng(1).uniform(0, (400, 300), (1000, 2))
    strength = np.where(places[:, 0] < 200, 100, 1) + places[:, 1] / 1000
    chosen = all_over(places, strength, (300, 400))
    assert sorted(chosen) == list(range(1000))
    assert (places[chosen[:32], 0] < 200).all()  # one of every cell
    assert (places[chosen[32:64], 0] > 200).all()
    assert 0.4 < (places[chosen[:400], 0] < 200).mean() < 0.6
