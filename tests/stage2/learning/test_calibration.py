"""Scores become probabilities by a sigmoid that has not seen the pictures it speaks of."""
import numpy as np
import pytest
from sklearn.calibration import _SigmoidCalibration

from cache.models.tag_scores import sigmoid
from stage2.learning.calibration import FROM_TRAINING, LEFT_OUT, NO_SIGNAL, SIGMOID, _platt, calibrate
from stage2.learning.task import HELD_OUT, Scores, Task


def task(is_tag: np.ndarray, folds: np.ndarray) -> Task:
    return Task("a", np.arange(len(is_tag)), 1 - is_tag.astype(int), folds)


def said(folds: np.ndarray, learnt: np.ndarray | None = None) -> Scores:
    """Scores out of fold, and of the final model, if they are others."""
    nobody = np.full(len(folds), np.nan)
    return Scores(folds if learnt is None else learnt, folds, nobody, nobody)


def test_a_sigmoid_mends_scores_that_are_too_timid():
    random = np.random.default_rng(0)
    truth = random.normal(size=3000) * 3 - 2
    is_tag, folds = random.random(3000) < sigmoid(truth), np.arange(3000) % 5
    calibration = calibrate(task(is_tag, folds), said(truth / 4, truth))
    assert calibration.kind == SIGMOID
    assert calibration.slope == pytest.approx(4, rel=0.1)
    assert calibration.offset == pytest.approx(0, abs=0.2)
    assert calibration.error_with < calibration.error_without / 3
    assert np.abs(calibration.unseen - sigmoid(truth)).max() < 0.05
    weights, offset = calibration.of_linear(np.array([1.0, 2.0]), 0.5)
    slope = calibration.slope
    assert np.allclose([*weights, offset], [slope, 2 * slope, 0.5 * slope + calibration.offset])


@pytest.mark.parametrize(("count", "share", "distance", "size"), [
    (9000, 0.02, 2, 1), (200, 0.5, 30, 1), (40, 0.05, -1, 1),
    (300, 0.3, 3, 1000), (300, 0.3, 3, 0.001), (300, 0.3, 3, 0)])
def test_the_sigmoid_is_that_of_scikit_learn(count, share, distance, size):
    random = np.random.default_rng(0)
    is_tag = np.arange(count) < share * count
    scores = size * (random.normal(size=count) + distance * is_tag)
    alone = _SigmoidCalibration().fit(scores, is_tag)
    slope, offset = _platt(scores, is_tag)
    assert np.abs(sigmoid(slope * scores + offset) - alone.predict(scores)).max() < 0.005


def test_a_sigmoid_that_does_not_help_is_left_out():
    random = np.random.default_rng(7)
    truth = random.normal(size=200) * 2
    is_tag, folds = random.random(200) < sigmoid(truth), np.arange(200) % 5
    calibration = calibrate(task(is_tag, folds), said(truth, truth))
    assert (calibration.kind, calibration.slope, calibration.offset) == (LEFT_OUT, 1.0, 0.0)
    assert calibration.error_with >= calibration.error_without
    assert np.array_equal(calibration.unseen, sigmoid(truth))


def test_the_sigmoid_of_a_fold_has_not_seen_the_fold():
    random = np.random.default_rng(0)
    scores = random.normal(size=100)
    is_tag, folds = random.random(100) < sigmoid(3 * scores), np.arange(100) % 5
    before = calibrate(task(is_tag, folds), said(scores / 2, scores)).unseen
    is_tag[folds == 0] = ~is_tag[folds == 0]
    after = calibrate(task(is_tag, folds), said(scores / 2, scores)).unseen
    assert np.array_equal(before[folds == 0], after[folds == 0])
    assert not np.array_equal(before[folds != 0], after[folds != 0])


def test_where_unseen_scores_of_few_images_are_the_wrong_way_round_the_images_learnt_from_decide():
    is_tag, folds = np.array([True, True, False, False, False, False]), np.array([0, 1, 0, 1, 0, 1])
    unseen_scores, training_scores = np.array([-2.0, -1, 0, 1, 0, 1]), np.array([1.0, 2, -1, -1, -1, -1])
    calibration = calibrate(task(is_tag, folds), said(unseen_scores, training_scores))
    assert (calibration.kind, calibration.slope > 0) == (FROM_TRAINING, True)
    assert calibration.measured is None, "the model speaks on another scale than what was measured"


def test_where_many_images_give_no_signal_the_model_says_about_the_tags_share_of_each():
    random = np.random.default_rng(0)
    is_tag, folds, scores = np.arange(300) < 30, np.arange(300) % 5, random.normal(size=300)
    scores[:30] -= 1
    calibration = calibrate(task(is_tag, folds), said(scores, is_tag * 2.0))
    assert calibration.kind == NO_SIGNAL
    probabilities = sigmoid(calibration.slope * scores + calibration.offset)
    assert np.abs(probabilities - 0.1).max() < 1e-6
    assert np.array_equal(np.argsort(probabilities), np.argsort(scores)), "the order stays"
    assert np.abs(calibration.measured - 0.1).max() < 0.01


def test_of_a_single_image_nothing_is_known_out_of_fold():
    one_of_five = task(np.arange(5) == 0, np.arange(5) % 2)
    calibration = calibrate(one_of_five, said(np.full(5, np.nan), np.array([2.0, -1, -1, -1, -1])))
    assert (calibration.kind, calibration.unseen, calibration.error_with) == (FROM_TRAINING, None, None)
    assert calibration.slope * 2 + calibration.offset > 0


def test_a_sigmoid_of_pictures_learnt_from_has_not_seen_those_held_out():
    learnt = np.array([2.0, -1, -1, -1, -2, 5])
    held_out = np.array([0, 1, 0, 1, HELD_OUT, HELD_OUT])
    first, second = (
        calibrate(task(np.arange(6) == 0, held_out), said(np.full(6, np.nan), scores))
        for scores in (learnt, np.where(held_out == HELD_OUT, 0, learnt)))
    assert (first.slope, first.offset) == (second.slope, second.offset)
    assert first.kind == FROM_TRAINING
