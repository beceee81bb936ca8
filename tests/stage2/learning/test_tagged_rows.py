"""Who is trained on what, what is held out, and who is in which fold: no picture is on both sides of anything."""
import numpy as np
import pytest

from stage2.learning.task import Task, folds_within
from tests.cache.vectors.test_near_duplicates import at_angles
from tests.stage2.datasets import rows_of, tagged


def test_the_negatives_of_a_tag_are_all_images_that_do_not_carry_it():
    tagged = rows_of({"b": ["h1", "h2"], "a": ["h0", "h1"], "gone": ["h99"], "other-validation": ["h5", "h1", "h2"]})
    assert tagged.tags() == ["a", "b", "gone"]
    assert tagged.of("b").tolist() == [1, 2]
    assert tagged.negatives("a").tolist() == [2]
    assert tagged.negatives("b").tolist() == [0]
    assert tagged.outside.tolist() == [5]
    assert tagged.without_vector == 1


def test_other_training_replaces_the_negatives():
    tagged = rows_of({"a": ["h0", "h1"], "b": ["h2"], "other-training": ["h5", "h6", "h1"]})
    assert tagged.tags() == ["a", "b"]
    assert tagged.negatives("a").tolist() == [5, 6]
    assert tagged.outside is None


def test_the_images_held_out_are_the_same_for_all_tags_and_the_same_share_of_each():
    tagged = rows_of({"a": [f"h{n}" for n in range(20)], "b": [f"h{n}" for n in range(20, 100)], "other-validation": ["h0", "h100"]}, 101)
    held_out = tagged.hold_out(0.1)
    assert (held_out[:20].sum(), held_out[20:100].sum(), held_out[100]) == (2, 8, False)
    assert np.array_equal(held_out, tagged.hold_out(0.1))
    split = tagged.split("a", held_out)
    assert split.counts() == {"tag_train": 18, "tag_test": 2, "other_train": 72, "other_test": 8}
    assert sorted([*split.tag_train, *split.tag_test]) == list(range(20))
    assert np.array_equal(tagged.split("b", held_out).tag_test, split.other_test)
    rows, classes = split.training()
    assert rows.tolist() == sorted([*split.tag_train, *split.other_train])
    assert np.array_equal(rows[classes == 0], split.tag_train)


@pytest.mark.parametrize(("images", "share", "expected"), [(2, 0.5, (2, 0)), (3, 0.5, (2, 1)), (10, 0, (10, 0)), (10, 0.99, (2, 8))])
def test_a_split_leaves_enough_to_train_on(images, share, expected):
    tagged = rows_of({"a": [f"h{n}" for n in range(images)], "b": [f"h{n}" for n in range(images, 2 * images)]}, 20)
    split = tagged.split("a", tagged.hold_out(share))
    assert (len(split.tag_train), len(split.tag_test)) == (len(split.other_train), len(split.other_test)) == expected


def test_images_of_several_tags_count_for_each_of_them():
    tagged = rows_of({"all": [f"h{n}" for n in range(10)], "some": ["h0", "h1", "h2", "h3"]})
    held_out = tagged.hold_out(0.25)
    assert (held_out.sum(), held_out[:4].sum()) == (2, 1)


def test_a_tag_that_would_lose_its_last_other_images_is_trained_on_all_of_them():
    split = rows_of({"a": ["h0", "h1", "h2"], "b": ["h1", "h2", "h3", "h4"]}).split("a", np.arange(10) == 4)
    assert split.counts() == {"tag_train": 3, "tag_test": 0, "other_train": 2, "other_test": 0}


def test_each_tag_is_spread_over_the_folds():
    tagged = rows_of({"a": [f"h{n}" for n in range(7)], "b": [f"h{n}" for n in range(5, 27)], "c": ["h27", "h28"], "d": ["h29"]}, 30)
    folds = tagged.folds(5)
    assert sorted(np.bincount(folds[:7], minlength=5)) == [1, 1, 1, 2, 2]
    assert sorted(np.bincount(folds[5:27], minlength=5)) == [4, 4, 4, 5, 5]
    assert len({*folds[27:30]}) == 3
    assert np.array_equal(folds, tagged.folds(5))


def test_a_tag_gets_folds_of_its_own_where_the_common_ones_leave_it_without_a_class():
    rows, classes, alone = np.arange(6), np.array([0, 0, 1, 1, 1, 1]), np.arange(6)
    assert folds_within(rows, classes, np.array([0, 1, 0, 1, 0, 1]), alone).tolist() == [0, 1, 0, 1, 0, 1]
    assert folds_within(rows, classes, np.array([2, 2, 0, 1, 0, 1]), alone).tolist() == [0, 1, 0, 1, 0, 1]
    assert folds_within(rows, classes, np.array([3, 3, 3, 3, 3, 3]), alone).tolist() == [0, 1, 0, 1, 0, 1]
    assert folds_within(rows, classes, np.array([3, 3, 3, 3, 3, 3]), np.array([0, 1, 2, 2, 3, 3])).tolist() == [0, 1, 0, 0, 1, 1]


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


def test_a_pair_of_copies_counts_as_one_image():
    """Dealt apart, each would be recognised by the other."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(12, 30)).astype(np.float32)
    vectors[1] = vectors[0] + np.float32(0.001)
    rows = tagged({"pair": [0, 1], "others": list(range(2, 12))}, vectors)
    split = rows.split("pair", rows.hold_out(0))
    learnt, classes = split.training()
    assert not Task("pair", learnt, classes, folds_within(learnt, classes, rows.folds(), rows.group_of)).has_folds
