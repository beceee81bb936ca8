"""Pictures that are nearly the same form groups, none too large."""
import numpy as np
import pytest

from cache.vectors import near_duplicates
from cache.vectors.near_duplicates import ALIKE, directions, groups


def at_angles(*degrees: float) -> np.ndarray:
    """Vectors of length 1 in a plane: the cosine of 0.99 is one of 8.1 degrees."""
    radians = np.radians(degrees)
    return np.column_stack([np.cos(radians), np.sin(radians)]).astype(np.float32)


def test_pictures_are_near_duplicates_directly_or_through_others():
    assert groups(at_angles(0, 90, 7, 180, 14, 97, 270), largest=7).tolist() == [0, 1, 0, 2, 0, 1, 3]


def test_no_group_is_larger_than_allowed_and_the_nearest_stay_together():
    assert groups(at_angles(0, 6, 2, 4), largest=2).tolist() == [0, 1, 0, 1]
    assert np.bincount(groups(at_angles(*np.zeros(100)), largest=5)).tolist() == [5] * 20
    assert groups(at_angles(0, 0, 0), largest=1).tolist() == [0, 1, 2]


def test_likeness_is_measured_from_the_mean_of_all_vectors():
    far_away = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32) + 100
    assert groups(directions(far_away), 50).max() == 49
    assert groups(far_away / np.linalg.norm(far_away, axis=1, keepdims=True), 50).max() == 0
    assert directions(np.ones((3, 2), np.float32)).tolist() == [[0, 0]] * 3


def test_blocks_find_the_groups_that_one_product_finds(monkeypatch):
    random = np.random.default_rng(0)
    vectors = random.normal(size=(60, 5)).astype(np.float32)
    noise = 0.01 * random.normal(size=(60, 5)).astype(np.float32)
    alike = directions(np.concatenate([vectors, vectors + noise]))
    whole = groups(alike, 120)
    monkeypatch.setattr(near_duplicates, "NUMBERS_AT_ONCE", 700)
    assert np.array_equal(groups(alike, 120), whole)
    assert np.array_equal(whole[:60], whole[60:])


def plainly_grouped(alike: np.ndarray, largest: int) -> list[int]:
    """Row after row, every cosine at hand."""
    cosines = alike @ alike.T
    group_of = [-1] * len(alike)
    for start in range(len(alike)):
        if group_of[start] >= 0:
            continue
        members = newest = [start]
        while newest and len(members) < largest:
            free = [row for row in range(len(alike)) if group_of[row] < 0 and row not in members]
            near = {row: max(cosines[row, other] for other in newest) for row in free}
            nearest_first = sorted((row for row in free if near[row] >= ALIKE), key=lambda row: -near[row])
            newest = nearest_first[:largest - len(members)]
            members = members + newest
        number = max(group_of) + 1
        for row in members:
            group_of[row] = number
    return group_of


@pytest.mark.parametrize("remembered", [0, 300, 10**6])
@pytest.mark.parametrize("largest", [2, 7, 30, 90])
def test_groups_are_those_of_the_plain_way_whatever_is_remembered(monkeypatch, remembered, largest):
    """A cloud with a crowd in it, a chain, and strangers, in any order."""
    random = np.random.default_rng(0)
    cloud = np.concatenate([random.normal(0, 0.15, (40, 3)), random.normal(0, 0.03, (20, 3))]) + [0, 0, 1]
    chain = np.pad(at_angles(*random.uniform(100, 160, 20)), [(0, 0), (0, 1)])
    vectors = np.concatenate([cloud, chain, random.normal(size=(10, 3))]).astype(np.float32)
    alike = directions(random.permutation(vectors), np.zeros(3, np.float32))
    monkeypatch.setattr(near_duplicates, "MOST_REMEMBERED", remembered)
    counts = []
    assert groups(alike, largest, counts.append).tolist() == plainly_grouped(alike, largest)
    assert sum(counts) == 90
