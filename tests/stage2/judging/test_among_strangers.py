"""What a promise of yes takes where new pictures may be of kinds that nobody has taught."""
import numpy as np

from stage2.judging.among_strangers import STRANGERS, Asked, precision_among_strangers
from stage2.judging.promises import KEPT, OUT_OF_REACH, Promise, lower_end, promises

# 100 pictures of the tag, and ten other kinds of 40.
IS_TAG = np.arange(500) < 100
KIND_OF = np.where(IS_TAG, 0, (np.arange(500) - 100) // 40 + 1)
KNOWN = np.where(IS_TAG, 0.9, 0.1)


def promised(strangers: np.ndarray, known: np.ndarray = KNOWN, target: float = 0.9) -> Promise:
    return promised_to(known, strangers, np.arange(500), target)


def promised_to(
    known: np.ndarray, strangers: np.ndarray, group_of: np.ndarray, target: float = 0.9,
) -> Promise:
    own, others = IS_TAG, ~IS_TAG
    parts = ((known, own), (known, others), (strangers, others))
    asked = [Asked(said[places], KIND_OF[places], group_of[places]) for said, places in parts]
    return precision_among_strangers(*asked, target)


def test_where_strangers_fare_as_known_kinds_the_promise_is_that_of_the_closed_world():
    assert promised(KNOWN) == promises(IS_TAG, KNOWN, np.arange(500), 0.9, 0.9).precision


def test_the_mistakes_with_strangers_are_counted_by_share_and_those_with_the_worst_kind_twice():
    strangers = np.where(IS_TAG, KNOWN, np.where(np.arange(500) % 40 < 1, 0.9, 0.1))  # one of every kind
    wrong = STRANGERS * (10 + 1) * 10 / 11
    shares = [round(float(share), 6) for share in (100 / (100 + wrong), lower_end(100.0, 100 + wrong))]
    kept = promised(strangers, target=0.85)
    assert kept == Promise(0.85, KEPT, 0.9, *shares, kept.high, 107, 0)
    of_one_kind = np.where((KIND_OF == 3) & (np.arange(500) % 4 == 0), 0.9, KNOWN)  # ten as well
    assert (promised(of_one_kind).outcome, promised(of_one_kind).share) == (
        OUT_OF_REACH, round(100 / (100 + STRANGERS * (10 + 10) * 10 / 11), 6))


def test_the_threshold_lies_above_the_strangers_that_would_break_the_promise():
    known, strangers = KNOWN.copy(), KNOWN.copy()
    known[:60] = strangers[:60] = 0.99
    strangers[KIND_OF == 5] = 0.95
    assert promises(IS_TAG, known, np.arange(500), 0.9, 0.9).yes_from == 0.9
    assert promised(strangers, known).threshold == 0.99


def test_what_nothing_tried_comes_near_to_takes_what_nine_of_ten_of_its_own_pictures_reach():
    """The stricter the promise, the fewer: four of five."""
    known = np.where(IS_TAG, 0.5 + np.arange(500) / 250, 0.1)
    for target, floor in ((0.9, 0.54), (0.95, 0.58)):
        assert promises(IS_TAG, known, np.arange(500), target, target).yes_from == 0.5
        assert promised(known, known, target).threshold == floor


def test_copies_count_as_one_picture_of_their_kind():
    group_of = np.arange(500)
    group_of[KIND_OF == 5] = 260  # the first of them
    strangers = np.where(KIND_OF == 5, 0.9, KNOWN)
    promise = promised_to(KNOWN, strangers, group_of)
    assert promise.share == round(100 / (100 + STRANGERS * 2 * 10 / 11), 6)


def test_where_few_others_could_be_tried_these_stand_for_all():
    strangers = np.where(KIND_OF == 5, 0.9, KNOWN)
    all_tried = promised(strangers)
    own, others, tried = IS_TAG, ~IS_TAG, np.isin(KIND_OF, [5, 6, 7, 8])
    rows = np.arange(500)
    asked = [
        Asked(said[places], KIND_OF[places], rows[places])
        for said, places in ((KNOWN, own), (KNOWN, others), (strangers, tried))]
    promise = precision_among_strangers(*asked, 0.9)
    assert all_tried.share == round(100 / (100 + STRANGERS * 2 * 40 * 10 / 11), 6)
    assert promise.share == round(100 / (100 + STRANGERS * 2 * 40 * (400 / 160) * 4 / 5), 6)
