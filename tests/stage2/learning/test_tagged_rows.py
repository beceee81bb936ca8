"""Who is trained on what, what is held out, and who is in which fold: no picture is on both sides of
anything."""
import numpy as np
import pytest

from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.task import Task, folds_within
from tests.cache.vectors.test_near_duplicates import at_angles
from tests.stage2.datasets import hashes, metadata_of, tagged, unlike


def test_the_negatives_of_a_tag_are_all_images_that_do_not_carry_it():
    rows = unlike({"b": [1, 2], "a": [0, 1], "gone": [99], "other-validation": [5, 1, 2]})
    assert rows.tags() == ["a", "b", "gone"]
    assert rows.of("b").tolist() == [1, 2]
    assert rows.negatives("a").tolist() == [2]
    assert rows.negatives("b").tolist() == [0]
    assert rows.outside.tolist() == [5]
    assert rows.without_vector == 1


def test_other_training_replaces_the_negatives():
    rows = unlike({"a": [0, 1], "b": [2], "other-training": [5, 6, 1]})
    assert rows.tags() == ["a", "b"]
    assert rows.negatives("a").tolist() == [5, 6]
    assert rows.outside is None


def test_the_images_held_out_are_the_same_for_all_tags_and_the_same_share_of_each():
    tagged_rows = unlike({"a": range(20), "b": range(20, 100), "other-validation": [0, 100]}, 101)
    held_out = tagged_rows.hold_out(0.1)
    assert (held_out[:20].sum(), held_out[20:100].sum(), held_out[100]) == (2, 8, False)
    assert np.array_equal(held_out, tagged_rows.hold_out(0.1))
    split = tagged_rows.split("a", held_out)
    assert split.counts() == {"tag_train": 18, "tag_test": 2, "other_train": 72, "other_test": 8}
    assert sorted([*split.tag_train, *split.tag_test]) == list(range(20))
    assert np.array_equal(tagged_rows.split("b", held_out).tag_test, split.other_test)
    rows, classes = split.training()
    assert rows.tolist() == sorted([*split.tag_train, *split.other_train])
    assert np.array_equal(rows[classes == 0], split.tag_train)


@pytest.mark.parametrize(("images", "share", "train", "test"), [
    (2, 0.5, 2, 0), (3, 0.5, 2, 1), (10, 0, 10, 0), (10, 0.99, 2, 8)])
def test_a_split_leaves_enough_to_train_on(images, share, train, test):
    rows = unlike({"a": range(images), "b": range(images, 2 * images)}, 20)
    assert rows.split("a", rows.hold_out(share)).counts() == {
        "tag_train": train, "tag_test": test, "other_train": train, "other_test": test}


def test_images_of_several_tags_count_for_each_of_them():
    held_out = unlike({"all": range(10), "some": range(4)}).hold_out(0.25)
    assert (held_out.sum(), held_out[:4].sum()) == (2, 1)


def test_a_tag_that_would_lose_its_last_other_images_is_trained_on_all_of_them():
    split = unlike({"a": [0, 1, 2], "b": [1, 2, 3, 4]}).split("a", np.arange(10) == 4)
    assert split.counts() == {"tag_train": 3, "tag_test": 0, "other_train": 2, "other_test": 0}


def test_each_tag_is_spread_over_the_folds():
    rows = unlike({"a": range(7), "b": range(5, 27), "c": [27, 28], "d": [29]}, 30)
    folds = rows.folds(5)
    assert sorted(np.bincount(folds[:7], minlength=5)) == [1, 1, 1, 2, 2]
    assert sorted(np.bincount(folds[5:27], minlength=5)) == [4, 4, 4, 5, 5]
    assert len({*folds[27:30]}) == 3
    assert np.array_equal(folds, rows.folds(5))


def test_a_tag_gets_folds_of_its_own_where_the_common_ones_leave_it_without_a_class():
    def folds(common: list[int], group_of: list[int]) -> list[int]:
        classes = np.array([0, 0, 1, 1, 1, 1])
        return folds_within(np.arange(6), classes, np.array(common), np.array(group_of)).tolist()

    alone = [0, 1, 2, 3, 4, 5]
    assert folds([0, 1, 0, 1, 0, 1], alone) == [0, 1, 0, 1, 0, 1]
    assert folds([2, 2, 0, 1, 0, 1], alone) == [0, 1, 0, 1, 0, 1]
    assert folds([3, 3, 3, 3, 3, 3], alone) == [0, 1, 0, 1, 0, 1]
    assert folds([3, 3, 3, 3, 3, 3], [0, 1, 2, 2, 3, 3]) == [0, 1, 0, 0, 1, 1]


def test_near_duplicates_of_the_same_tags_are_held_out_and_dealt_together():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 20)).astype(np.float32)
    twins = np.concatenate([vectors, vectors + np.float32(0.001)])  # picture 50 is the twin of picture 0
    of_a = [*range(30), *range(50, 80)]
    of_b = [*range(30, 50), *range(80, 99)]
    rows = tagged({"a": of_a, "b": of_b, "c": [30, 99]}, twins)
    held_out, folds = rows.hold_out(0.2), rows.folds(5)
    first = np.delete(np.arange(49), 30)
    assert np.array_equal(held_out[first], held_out[first + 50])
    assert np.array_equal(folds[first], folds[first + 50])
    assert held_out[of_a].sum() == 12
    assert rows.group_of[30] != rows.group_of[80], "one of them carries another tag"


def test_a_chain_of_similar_pictures_does_not_swallow_a_tag():
    vectors = np.concatenate([at_angles(*np.zeros(100)), at_angles(*range(90, 120))])
    rows = tagged({"a": range(100), "b": range(100, 130)}, vectors)
    sizes = np.bincount(rows.group_of)
    assert sizes[sizes > 0].max() == 5
    assert np.bincount(rows.folds(5)[:100]).tolist() == [20] * 5


def test_a_pair_of_copies_counts_as_one_image():
    """Dealt apart, each would be recognised by the other."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(12, 30)).astype(np.float32)
    vectors[1] = vectors[0] + np.float32(0.001)
    rows = tagged({"pair": [0, 1], "others": range(2, 12)}, vectors)
    learnt, classes = rows.split("pair", rows.hold_out(0)).training()
    folds = folds_within(learnt, classes, rows.folds(), rows.group_of)
    assert not Task("pair", learnt, classes, folds).has_folds


def test_the_search_for_near_duplicates_says_how_many_rows_have_their_group():
    """Those with a neighbour too, and those of several tags once."""
    vectors = np.concatenate([np.eye(20), np.eye(20) + 0.001]).astype(np.float32)
    counts = []
    TaggedRows({"a": hashes(range(30)), "b": hashes(range(25, 40))}, metadata_of(vectors), counts.append)
    assert sum(counts) == 40
