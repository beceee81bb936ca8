"""What so many images of every tag would give: learnt from one half of what there is, measured on the
other."""
from itertools import pairwise

import numpy as np
import pytest

from stage2.judging import learning_curve as module
from stage2.judging.learning_curve import learning_curve
from stage2.judging.results import CurvePoint
from stage2.learning.task import Task


def tasks_of(tags: np.ndarray, pool: np.ndarray | None = None, prior: np.ndarray | None = None) -> list[Task]:
    """tags: bool (n, tags), of tags named a, b, c ...; pool: the rows that may be negatives, all if it is not
    given; prior: like tags."""
    tasks = []
    for column, is_tag in enumerate(tags.T):
        rows = np.flatnonzero(is_tag | (True if pool is None else pool))
        logits = 0.0 if prior is None else prior[rows, column]
        tasks.append(Task(chr(97 + column), rows, 1 - is_tag[rows].astype(int), rows % 5, logits))
    return tasks


def clouds(*sizes: int, width: int = 20, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A cloud of vectors for each tag, and the tags."""
    random, kinds = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    centres = random.normal(size=(len(sizes), width))
    vectors = centres[kinds] + spread * random.normal(size=(len(kinds), width))
    standardised = ((vectors - vectors.mean(0)) / vectors.std(0)).astype(np.float32)
    return standardised, kinds[:, None] == np.arange(len(sizes))


def curve(
    features: np.ndarray, tags: np.ndarray, group_of: np.ndarray | None = None, **more,
) -> list[CurvePoint]:
    groups = np.arange(len(tags)) if group_of is None else group_of
    return learning_curve(features, tasks_of(tags, **more), groups)


def test_more_images_are_better_and_a_tag_takes_part_as_long_as_it_has_twice_as_many():
    points = curve(*clouds(150, 60, 41, 9, spread=2.0))
    assert [(point.images, point.tags, list(point.by_tag)) for point in points] == [
        (1, 4, ["a", "b", "c", "d"]), (2, 4, ["a", "b", "c", "d"]), (5, 3, ["a", "b", "c"]),
        (10, 3, ["a", "b", "c"]), (20, 3, ["a", "b", "c"]), (50, 1, ["a"])]
    for tag in "abc":
        first, *_, last = (point.by_tag[tag] for point in points if tag in point.by_tag)
        assert last > first + 0.05
    assert points[0].mean < 0.7 < 0.9 < points[-1].mean


def test_a_point_sums_up_its_tags():
    for point in curve(*clouds(40, 30, 20, spread=2.0)):
        values = list(point.by_tag.values())
        assert (point.tags, point.low, point.high) == (len(values), min(values), max(values))
        assert point.mean == pytest.approx(sum(values) / len(values), abs=1e-6)


def test_labels_that_mean_nothing_are_not_learnt_even_if_every_image_is_there_ten_times():
    """A copy of a drawn image among those measured on would be recognised."""
    random = np.random.default_rng(0)
    vectors, is_a = random.normal(size=(60, 100)).astype(np.float32), np.arange(60) % 2 == 0
    tags, group_of = np.column_stack([is_a, ~is_a]), np.arange(60)
    copied = curve(np.tile(vectors, (10, 1)), np.tile(tags, (10, 1)), np.tile(group_of, 10))
    assert copied == curve(vectors, tags)
    assert [point.images for point in copied] == [1, 2, 5, 10]
    assert max(point.mean for point in copied) < 0.65
    assert curve(np.tile(vectors, (10, 1)), np.tile(tags, (10, 1)))[-1].mean > 0.95


def test_no_image_is_both_learnt_from_and_measured_on(monkeypatch):
    learnt_from, measured_on = [], []

    def solved(self, rows, used, learnt):
        learnt_from.append(set(rows.tolist()))
        return np.zeros((21, learnt.sum()), np.float32)

    def precision(self, scores, measured, wanted):
        measured_on.append(set(measured.tolist()))
        return np.zeros(len(wanted))

    monkeypatch.setattr(module._Problem, "_solved", solved)
    monkeypatch.setattr(module._Problem, "_precision", precision)
    curve(*clouds(21, 12))
    halves = list(zip(learnt_from, measured_on, strict=True))
    assert len(halves) == 3 * 4  # draws of 1, 2, 5 and 10
    assert [len(learnt) for learnt, _ in halves] == [2, 4, 10, 16] * 3
    assert all(len(measured) == 11 + 6 and not learnt & measured for learnt, measured in halves)
    for draw in (halves[:4], halves[4:8], halves[8:]):
        for (fewer, measured), (more, measured_again) in pairwise(draw):
            assert fewer < more
            assert measured == measured_again


def test_of_an_image_with_several_tags_each_tag_uses_as_many_as_it_may(monkeypatch):
    used = []

    def solved(self, rows, used_now, learnt):
        own = self._tags[rows][:, learnt] & used_now
        used.append(own.sum(0).tolist())
        return np.zeros((21, learnt.sum()), np.float32)

    monkeypatch.setattr(module._Problem, "_solved", solved)
    features, tags = clouds(40, 24, 30)
    tags[:, 0] |= tags[:, 1]  # every b is an a
    curve(features, tags)
    assert used == 3 * [[1, 1, 1], [2, 2, 2], [5, 5, 5], [10, 10, 10], [20]]


def test_what_the_texts_say_is_the_beginning_of_the_curve():
    features, tags = clouds(40, 30, spread=4.0)
    random = np.random.default_rng(0)
    good, silent = (2.0 * tags + random.normal(size=tags.shape)).astype(np.float32), curve(features, tags)
    told = curve(features, tags, prior=good)
    assert [point.images for point in silent] == [1, 2, 5, 10, 20]
    assert [point.images for point in told] == [0, 1, 2, 5, 10, 20]
    assert told[0].mean > silent[0].mean + 0.1
    assert told[1].mean > silent[0].mean + 0.1


def test_images_of_no_tag_are_negatives_from_the_first_image_on():
    features, tags = clouds(30, 200, spread=2.0)
    points = curve(features, tags[:, :1])
    assert [(point.images, list(point.by_tag)) for point in points] == [
        (1, ["a"]), (2, ["a"]), (5, ["a"]), (10, ["a"])]
    assert points[-1].mean > 0.7  # of 115 images measured on, 15 carry it


def test_images_that_are_not_negatives_of_a_tag_count_neither_for_nor_against_it():
    """As with a folder other-training: b looks like a, and nobody minds."""
    features, tags = clouds(40, 40, 40)
    features[40:80] = features[:40]
    other_training = tags[:, 2]
    assert curve(features, tags[:, :2])[-1].mean < 0.8
    assert curve(features, tags[:, :2], pool=other_training)[-1].mean > 0.95


def test_where_nothing_can_be_drawn_there_is_no_curve():
    features, tags = clouds(10, 10)
    nothing = np.empty(0, np.int64)
    assert learning_curve(features, [], np.arange(20)) == []
    assert learning_curve(features[:0], [Task("a", nothing, nothing, nothing)], nothing) == []
    assert curve(features[:10], tags[:10, :1]) == []  # one tag, and nothing else
    assert curve(features[[0, 10]], tags[[0, 10]]) == []  # two tags of one image each
    assert curve(features, tags, np.zeros(20, int)) == []  # all images nearly the same
    assert curve(features, np.zeros((20, 2), bool)) == []


def test_vectors_that_say_nothing_give_a_curve_of_chance():
    assert [point.mean for point in curve(np.zeros((40, 50), np.float32), clouds(20, 20)[1])] == [0.5] * 4


def test_the_curve_is_the_same_every_time_and_does_not_depend_on_features_without_use():
    features, tags = clouds(50, 40, 30)
    points = curve(features, tags)
    assert curve(features, tags) == points
    wide = curve(np.concatenate([features, np.zeros((120, 200), np.float32)], axis=1), tags)
    assert [point.by_tag for point in wide] == [pytest.approx(point.by_tag, abs=0.01) for point in points]


def test_the_curve_ends_where_it_would_take_too_long(monkeypatch):
    features, tags = clouds(50, 40, 30)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 3 * 15)
    assert [point.images for point in curve(features, tags)] == [1, 2, 5]
