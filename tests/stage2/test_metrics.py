"""Metrics are those of scikit-learn, and their intervals hold the truth as often as they say."""
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from cache.models.tag_scores import sigmoid
from stage2.metrics import (
    METRICS,
    NOTHING,
    Estimate,
    Resamples,
    _metrics_by_sample,
    average_precision,
    calibration_error,
    metrics_of,
)


def test_metrics_are_those_of_scikit_learn_also_with_equal_probabilities():
    random = np.random.default_rng(0)
    for count, digits in ((200, 1), (200, 6), (7, 1)):
        is_tag = np.append(random.random(count) < 0.2, [True, False])
        probabilities = np.round(np.clip(random.normal(0.3, 0.2, count + 2) + 0.2 * is_tag, 0, 1), digits)
        assert metrics_of(is_tag, probabilities) == {
            "average_precision": pytest.approx(average_precision_score(is_tag, probabilities), abs=1e-6),
            "roc_auc": pytest.approx(roc_auc_score(is_tag, probabilities), abs=1e-6),
            "f1": pytest.approx(f1_score(is_tag, probabilities >= 0.5, zero_division=0), abs=1e-6),
            "calibration_error": pytest.approx(calibration_error(is_tag, probabilities), abs=1e-6),
        }


def test_the_calibration_error_is_that_of_ten_bins():
    is_tag = np.array([True, False, False, True, True])
    probabilities = np.array([0.05, 0.1, 0.15, 0.95, 0.85])  # bins 1, 1, 2, 10 and 9
    assert calibration_error(is_tag, probabilities) == pytest.approx((abs(1 - 0.15) + 0.15 + 0.05 + 0.15) / 5)


def test_a_resampled_metric_is_the_metric_of_the_resampled_pictures():
    random = np.random.default_rng(0)
    is_tag, probabilities = random.random(40) < 0.4, np.sort(np.round(random.random(40), 1))[::-1]
    [weights] = Resamples(np.arange(40) // 2, count=3)._times_drawn(np.arange(40))
    assert np.array_equal(weights[::2], weights[1::2]), "near-duplicates are drawn together"
    measured = _metrics_by_sample(is_tag, probabilities, weights)
    for column in range(3):
        drawn = np.repeat(np.arange(40), weights[:, column].astype(int))
        assert {name: float(estimates[column]) for name, estimates in measured.items()} == pytest.approx(
            metrics_of(is_tag[drawn], probabilities[drawn]), abs=1e-5)


def test_blocks_of_samples_give_the_intervals_of_all_at_once(monkeypatch):
    random = np.random.default_rng(0)
    is_tag, probabilities = random.random(40) < 0.4, random.random(40)
    whole = Resamples(np.arange(40)).estimates(np.arange(40), is_tag, probabilities)
    monkeypatch.setattr("stage2.metrics.SAMPLES_AT_ONCE", 7)
    assert Resamples(np.arange(40)).estimates(np.arange(40), is_tag, probabilities) == whole


def test_an_interval_holds_its_value_and_shrinks_with_the_number_of_pictures():
    random = np.random.default_rng(0)
    widths = []
    for count in (100, 1000, 10000):
        is_tag = random.random(count) < 0.3
        probabilities = sigmoid(random.normal(size=count) + 2 * is_tag)
        estimates = Resamples(np.arange(count)).estimates(np.arange(count), is_tag, probabilities)
        assert all(estimate.low <= estimate.value <= estimate.high for estimate in estimates.values())
        widths.append(estimates["average_precision"].high - estimates["average_precision"].low)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


@pytest.mark.parametrize(("tags", "others", "distance"), [(5, 100, 3), (10, 200, 4), (30, 300, 2)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(tags, others, distance):
    random = np.random.default_rng(0)

    def draw(times=1):
        is_tag = np.arange(times * (tags + others)) < times * tags
        return is_tag, sigmoid(random.normal(size=len(is_tag)) + distance * is_tag)

    truth = average_precision(*draw(200))
    rows, resamples = np.arange(tags + others), Resamples(np.arange(tags + others))
    estimates = [resamples.estimates(rows, *draw())["average_precision"] for _ in range(150)]
    assert np.mean([estimate.low <= truth <= estimate.high for estimate in estimates]) >= 0.92


def test_a_perfect_ranking_of_few_images_is_not_certain():
    """0.025 ** (1 / n): 0.29 of 3 distinct images, 0.88 of 30; copies are no images of their own."""
    for images, copies, low in ((3, 1, 0.292402), (30, 1, 0.884297), (3, 10, 0.292402)):
        is_tag = np.arange(100) < images * copies
        group_of = np.where(is_tag, np.arange(100) // copies, np.arange(100) + 1000)
        resamples = Resamples(np.unique(group_of, return_inverse=True)[1])
        estimates = resamples.estimates(np.arange(100), is_tag, np.where(is_tag, 0.9, 0.1))
        assert estimates["average_precision"] == estimates["f1"] == Estimate(1.0, low, 1.0)


def test_without_both_kinds_of_pictures_nothing_is_measured():
    resamples = Resamples(np.arange(2), count=5)
    estimates = resamples.estimates(np.arange(2), np.array([True, True]), np.array([0.1, 0.2]))
    assert estimates == dict.fromkeys(METRICS, NOTHING)
    assert metrics_of(np.array([False, False]), np.array([0.1, 0.2])) == dict.fromkeys(METRICS)
