"""How models are judged: groups of near-duplicates, metrics with intervals, calibration, and promises that are kept."""
import numpy as np
import pytest
from sklearn.calibration import _SigmoidCalibration
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from cache.models.tag_scores import sigmoid
from cache.stores.metadata import Metadata
from cache.vectors import near_duplicates
from cache.vectors.near_duplicates import directions, groups
from stage2.judging.promises import KEPT, OUT_OF_REACH, TOO_FEW, Promise, promises
from stage2.learning.calibration import FROM_TRAINING, LEFT_OUT, NO_SIGNAL, SIGMOID, _platt, calibrate
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.task import Task, folds_within
from stage2.learning.training import Training
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
    alike = directions(np.concatenate([vectors, vectors + 0.01 * random.normal(size=(60, 5)).astype(np.float32)]))
    whole = groups(alike, 120)
    monkeypatch.setattr(near_duplicates, "NUMBERS_AT_ONCE", 700)
    assert np.array_equal(groups(alike, 120), whole)
    assert np.array_equal(whole[:60], whole[60:])


def tagged(tags: dict[str, list[int]], vectors: np.ndarray) -> TaggedRows:
    rows = {f"h{number}": number for number in range(len(vectors))}
    return TaggedRows({tag: [f"h{number}" for number in numbers] for tag, numbers in tags.items()}, Metadata("M:p", rows, vectors))


def test_near_duplicates_of_the_same_tags_are_held_out_and_dealt_together():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 20)).astype(np.float32)
    twins = np.concatenate([vectors, vectors + np.float32(0.001)])  # picture 50 is the twin of picture 0
    rows = tagged({"a": [*range(30), *range(50, 80)], "b": [*range(30, 50), *range(80, 99)], "c": [30, 99]}, twins)
    held_out, folds = rows.hold_out(0.2), rows.folds(5)
    assert np.array_equal(held_out[:49][np.arange(49) != 30], held_out[50:99][np.arange(49) != 30])
    assert np.array_equal(folds[:49][np.arange(49) != 30], folds[50:99][np.arange(49) != 30])
    assert held_out[[*range(30), *range(50, 80)]].sum() == 12
    assert rows.group_of[30] != rows.group_of[80], "one of them carries another tag"


def test_a_chain_of_similar_pictures_does_not_swallow_a_tag():
    vectors = np.concatenate([at_angles(*np.zeros(100)), at_angles(*range(90, 120))])
    rows = tagged({"a": list(range(100)), "b": list(range(100, 130))}, vectors)
    sizes = np.bincount(rows.group_of)
    assert sizes[sizes > 0].max() == 5
    assert np.bincount(rows.folds(5)[:100]).tolist() == [20] * 5


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
    [weights] = Resamples(np.arange(40) // 2, count=3)._weights(np.arange(40))
    assert np.array_equal(weights[::2], weights[1::2]), "near-duplicates are drawn together"
    measured = _metrics_by_sample(is_tag, probabilities, weights)
    for column in range(3):
        drawn = np.repeat(np.arange(40), weights[:, column].astype(int))
        assert {name: float(found[column]) for name, found in measured.items()} == pytest.approx(
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
        found = Resamples(np.arange(count)).estimates(np.arange(count), is_tag, sigmoid(random.normal(size=count) + 2 * is_tag))
        assert all(estimate.low <= estimate.value <= estimate.high for estimate in found.values())
        widths.append(found["average_precision"].high - found["average_precision"].low)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


@pytest.mark.parametrize(("tags", "others", "distance"), [(5, 100, 3), (10, 200, 4), (30, 300, 2)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(tags, others, distance):
    random = np.random.default_rng(0)

    def draw(times=1):
        is_tag = np.arange(times * (tags + others)) < times * tags
        return is_tag, sigmoid(random.normal(size=len(is_tag)) + distance * is_tag)

    truth = average_precision(*draw(200))
    rows, resamples = np.arange(tags + others), Resamples(np.arange(tags + others))
    found = [resamples.estimates(rows, *draw())["average_precision"] for _ in range(150)]
    assert np.mean([estimate.low <= truth <= estimate.high for estimate in found]) >= 0.92


def test_a_perfect_ranking_of_few_images_is_not_certain():
    """0.025 ** (1 / n): 0.29 of 3 distinct images, 0.88 of 30; copies are no images of their own."""
    for images, copies, low in ((3, 1, 0.292402), (30, 1, 0.884297), (3, 10, 0.292402)):
        is_tag = np.arange(100) < images * copies
        group_of = np.where(is_tag, np.arange(100) // copies, np.arange(100) + 1000)
        found = Resamples(np.unique(group_of, return_inverse=True)[1]).estimates(np.arange(100), is_tag, np.where(is_tag, 0.9, 0.1))
        assert (found["average_precision"], found["f1"]) == (Estimate(1.0, low, 1.0), Estimate(1.0, low, 1.0))


def test_without_both_kinds_of_pictures_nothing_is_measured():
    resamples = Resamples(np.arange(2), count=5)
    assert resamples.estimates(np.arange(2), np.array([True, True]), np.array([0.1, 0.2])) == dict.fromkeys(METRICS, NOTHING)
    assert metrics_of(np.array([False, False]), np.array([0.1, 0.2])) == dict.fromkeys(METRICS)


def task(is_tag: np.ndarray, folds: np.ndarray) -> Task:
    return Task("a", np.arange(len(is_tag)), 1 - is_tag.astype(int), folds)


def test_a_sigmoid_mends_scores_that_are_too_timid():
    random = np.random.default_rng(0)
    truth = random.normal(size=3000) * 3 - 2
    is_tag, folds = random.random(3000) < sigmoid(truth), np.arange(3000) % 5
    found = calibrate(task(is_tag, folds), truth / 4, lambda: truth)
    assert (found.kind, found.slope, found.offset) == (SIGMOID, pytest.approx(4, rel=0.1), pytest.approx(0, abs=0.2))
    assert found.error_with < found.error_without / 3
    assert np.abs(found.unseen - sigmoid(truth)).max() < 0.05
    weights, offset = found.of_linear(np.array([1.0, 2.0]), 0.5)
    assert np.allclose([*weights, offset], [found.slope, 2 * found.slope, 0.5 * found.slope + found.offset])


@pytest.mark.parametrize(("count", "share", "distance", "size"), [
    (9000, 0.02, 2, 1), (200, 0.5, 30, 1), (40, 0.05, -1, 1), (300, 0.3, 3, 1000), (300, 0.3, 3, 0.001), (300, 0.3, 3, 0)])
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
    found = calibrate(task(is_tag, folds), truth, lambda: truth)
    assert (found.kind, found.slope, found.offset) == (LEFT_OUT, 1.0, 0.0)
    assert found.error_with >= found.error_without
    assert np.array_equal(found.unseen, sigmoid(truth))


def test_the_sigmoid_of_a_fold_has_not_seen_the_fold():
    random = np.random.default_rng(0)
    scores = random.normal(size=100)
    is_tag, folds = random.random(100) < sigmoid(3 * scores), np.arange(100) % 5
    before = calibrate(task(is_tag, folds), scores / 2, lambda: scores).unseen
    is_tag[folds == 0] = ~is_tag[folds == 0]
    after = calibrate(task(is_tag, folds), scores / 2, lambda: scores).unseen
    assert np.array_equal(before[folds == 0], after[folds == 0])
    assert not np.array_equal(before[folds != 0], after[folds != 0])


def test_where_unseen_scores_of_few_images_are_the_wrong_way_round_the_images_learnt_from_decide():
    is_tag, folds = np.array([True, True, False, False, False, False]), np.array([0, 1, 0, 1, 0, 1])
    found = calibrate(task(is_tag, folds), np.array([-2.0, -1, 0, 1, 0, 1]), lambda: np.array([1.0, 2, -1, -1, -1, -1]))
    assert (found.kind, found.slope > 0) == (FROM_TRAINING, True)
    assert found.measured is None, "the model speaks on another scale than what was measured"


def test_where_many_images_give_no_signal_the_model_says_about_the_tags_share_of_each():
    random = np.random.default_rng(0)
    is_tag, folds, scores = np.arange(300) < 30, np.arange(300) % 5, random.normal(size=300)
    scores[:30] -= 1
    found = calibrate(task(is_tag, folds), scores, lambda: is_tag * 2.0)
    assert found.kind == NO_SIGNAL
    probabilities = sigmoid(found.slope * scores + found.offset)
    assert np.abs(probabilities - 0.1).max() < 1e-6
    assert np.array_equal(np.argsort(probabilities), np.argsort(scores)), "the order stays"
    assert np.abs(found.measured - 0.1).max() < 0.01


def test_of_a_single_image_nothing_is_known_out_of_fold():
    found = calibrate(task(np.arange(5) == 0, np.arange(5) % 2), np.full(5, np.nan), lambda: np.array([2.0, -1, -1, -1, -1]))
    assert (found.kind, found.unseen, found.error_with) == (FROM_TRAINING, None, None)
    assert found.slope * 2 + found.offset > 0


def test_a_promise_takes_as_many_images_as_it_takes_to_prove_it():
    """59 of 59 prove a share of 0.95, 58 of 58 do not: 0.95 ** 58 is more than 0.05."""
    for images, outcome, more in ((58, TOO_FEW, 1), (59, KEPT, 0), (20, TOO_FEW, 39)):
        is_tag = np.arange(200) < images
        found = promises(is_tag, np.where(is_tag, 0.9, 0.1), np.arange(200), 0.95, 0.95)
        assert (found.precision.outcome, found.precision.more_needed) == (found.recall.outcome, found.recall.more_needed) == (outcome, more)
        assert (found.yes_from, found.no_below) == ((0.9, 0.9) if outcome == KEPT else (None, None))


def test_between_the_two_thresholds_nothing_is_promised():
    is_tag = np.arange(400) < 200
    probabilities = np.where(is_tag, 0.9, 0.1)
    probabilities[180:220] = 0.5  # 20 of the tag and 20 others, which nobody can tell apart
    found = promises(is_tag, probabilities, np.arange(400), 0.95, 0.95)
    assert found.precision == Promise(0.95, KEPT, 0.9, 1.0, 0.983495, 1.0, 180, 0)
    assert found.recall == Promise(0.95, KEPT, 0.5, 1.0, 0.985133, 1.0, 200, 0)
    assert (found.yes_from, found.no_below) == (0.9, 0.5)
    assert found.as_dict() == {
        "yes_from": 0.9, "no_below": 0.5, "target_precision": 0.95, "target_recall": 0.95,
        "precision": {"target": 0.95, "outcome": "kept", "threshold": 0.9, "share": 1.0, "low": 0.983495, "high": 1.0, "images": 180,
                      "more_needed": 0},
        "recall": {"target": 0.95, "outcome": "kept", "threshold": 0.5, "share": 1.0, "low": 0.985133, "high": 1.0, "images": 200,
                   "more_needed": 0},
    }


def test_what_no_number_of_images_would_keep_is_out_of_reach():
    found = promises(np.arange(100) % 2 == 0, np.full(100, 0.5), np.arange(100), 0.9, 0.9)
    assert (found.precision.outcome, found.precision.more_needed, found.precision.share) == (OUT_OF_REACH, None, 0.5)
    assert found.recall.outcome == KEPT
    assert found.precision.in_words() == "out of reach; at best 0.500 of 100, surely 0.414"


def test_of_a_single_image_a_promise_says_how_many_more_it_takes():
    found = promises(np.arange(10) == 0, None, np.arange(10), 0.95, 0.9)
    assert (found.precision.outcome, found.precision.more_needed, found.recall.more_needed) == (TOO_FEW, 58, 28)
    assert found.precision.in_words() == "not enough examples: about 58 more images needed"


def test_promises_are_kept_on_new_pictures():
    """That the interval is looked at for many thresholds makes it a little too sure: 5 % may be broken, 4.5 % of 400 were."""
    random = np.random.default_rng(0)

    def draw(count):
        is_tag = random.random(count) < 0.2
        return is_tag, sigmoid(3 * random.normal(size=count) + 9 * is_tag - 6)

    broken = []
    for _ in range(100):
        found = promises(*draw(1500), np.arange(1500), 0.95, 0.95)
        is_tag, probabilities = draw(20_000)
        broken += [is_tag[probabilities >= found.yes_from].mean() < 0.95, (probabilities[is_tag] < found.no_below).mean() > 0.05]
    assert np.mean(broken) < 0.1


def test_copies_prove_nothing():
    """59 of 59 keep a promise of 0.95, but not if they are 30 pictures."""
    is_tag = np.arange(200) < 60
    found = promises(is_tag, np.where(is_tag, 0.9, 0.1), np.where(is_tag, np.arange(200) // 2, np.arange(200)), 0.95, 0.95)
    assert (found.precision.outcome, found.precision.images, found.precision.more_needed) == (TOO_FEW, 30, 29)
    assert (found.recall.outcome, found.recall.images, found.recall.more_needed) == (TOO_FEW, 30, 29)


def test_how_many_more_images_it_takes_is_asked_of_the_surest_threshold_not_of_the_luckiest():
    is_tag = np.array([True, *[False] * 3, *[True] * 40, *[False] * 300])
    found = promises(is_tag, np.linspace(1, 0, len(is_tag)), np.arange(len(is_tag)), 0.9, 0.9)
    assert (found.precision.outcome, found.precision.images, found.precision.share) == (TOO_FEW, 44, 0.931818)
    assert found.precision.more_needed == 118


def test_with_enough_images_and_nothing_known_no_number_is_named():
    found = promises(np.arange(101) < 100, None, np.arange(101), 0.95, 0.95)
    assert (found.precision.outcome, found.precision.more_needed, found.precision.in_words()) == (TOO_FEW, None, "not enough examples")


def test_a_pair_of_copies_counts_as_one_image():
    """Dealt apart, each would be recognised by the other."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(12, 30)).astype(np.float32)
    vectors[1] = vectors[0] + np.float32(0.001)
    rows = tagged({"pair": [0, 1], "others": list(range(2, 12))}, vectors)
    split = rows.split("pair", rows.hold_out(0))
    learnt, classes = split.training()
    assert not Task("pair", learnt, classes, folds_within(learnt, classes, rows.folds(), rows.group_of)).has_folds


def test_a_tag_with_folds_and_one_without_are_not_judged_together():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(7, 16)).astype(np.float32)
    rows = tagged({"a": [0, 1], "m": [2, 3, 4, 5], "z": [6]}, vectors)
    splits = {tag: rows.split(tag, rows.hold_out(0)) for tag in rows.tags()}
    metadata = Metadata("M:p", {f"h{number}": number for number in range(7)}, vectors)
    unseen = {(model.tag, model.model_type): model.calibration.unseen
              for model in Training(metadata, splits, rows, {}).models(lambda count=1: None)}
    assert {tag for (tag, _), found in unseen.items() if found is None} == {"z"}
    assert all(np.isfinite(found).all() for found in unseen.values() if found is not None)
