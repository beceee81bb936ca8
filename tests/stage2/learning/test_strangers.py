"""Which pictures are strangers to which models: none of their tags has been seen."""
import numpy as np

from stage2.learning.strangers import Strangers
from stage2.learning.task import FEWEST_KINDS, HELD_OUT, Task


def trials(rows_of: dict[str, list[int]], tag: str, count: int, held_out: tuple[int, ...] = ()) -> list:
    """Of all rows, as lists: (learnt from, asked about)."""
    strangers = Strangers({name: np.array(rows) for name, rows in rows_of.items()}, count, groups=5)
    used = ~np.isin(np.arange(count), held_out)
    is_tag = np.isin(np.arange(count), rows_of[tag])
    return [
        (np.flatnonzero(trial.learnt).tolist(), np.flatnonzero(trial.asked).tolist())
        for trial in strangers.trials(tag, np.arange(count), is_tag, used)
    ]


FOUR_TAGS = {"a": [0, 1], "b": [2, 3], "c": [4, 5], "d": [6, 7]}


def test_every_other_tag_of_few_is_a_stranger_once():
    assert trials(FOUR_TAGS, "b", 8) == [
        ([2, 3, 4, 5, 6, 7], [0, 1]), ([0, 1, 2, 3, 6, 7], [4, 5]), ([0, 1, 2, 3, 4, 5], [6, 7])]


def test_pictures_held_out_are_neither_learnt_from_nor_asked_about():
    assert trials(FOUR_TAGS, "b", 8, held_out=(2, 7)) == [
        ([3, 4, 5, 6], [0, 1]), ([0, 1, 3, 6], [4, 5]), ([0, 1, 3, 4, 5], [6])]


EIGHT_TAGS = {f"tag {number}": [2 * number, 2 * number + 1] for number in range(8)}


def test_a_picture_of_two_tags_is_a_stranger_where_neither_has_been_seen():
    together = {**EIGHT_TAGS, "tag 5": [10, 11, 0]}
    assert [asked for _, asked in trials(together, "tag 3", 16)] == [
        [0, 1, 10, 11], [2, 3, 12, 13], [4, 5, 14, 15], [8, 9]], "tags 0 and 5 lie in one group"
    apart = {f"tag {number}": list(range(10 * number, 10 * number + 10)) for number in range(6)}
    apart["tag 1"].append(0)  # a tenth of its pictures: it has a group of its own
    asked = sorted(row for _, rows in trials(apart, "tag 3", 60) for row in rows)
    assert asked == [*range(1, 30), *range(40, 60)], "tag 0 is left out while tag 1 is seen"


def test_own_pictures_that_carry_a_tag_of_the_group_show_its_kind_and_are_left_out_with_it():
    assert trials({**FOUR_TAGS, "b": [2, 3, 4]}, "b", 8) == [
        ([2, 3, 4, 5, 6, 7], [0, 1]), ([0, 1, 2, 3, 6, 7], [5]), ([0, 1, 2, 3, 4, 5], [6, 7])]


def test_with_fewer_than_four_tags_nobody_can_be_tried():
    numbers = np.arange(8)
    for kinds, tried in ((FEWEST_KINDS - 1, False), (FEWEST_KINDS, True)):
        task = Task("a", numbers, numbers % 2, numbers // 4, kinds=kinds)
        assert task.tries_strangers is tried
    assert not Task("a", numbers, numbers % 2, np.where(numbers < 4, 0, HELD_OUT), kinds=3).tries_strangers


def test_of_tags_without_number_each_lies_in_one_of_five_groups_of_about_the_same_size():
    rows_of = {f"tag {number}": np.arange(number * 10, number * 10 + 10) for number in range(50)}
    strangers = Strangers(rows_of, 500, groups=5)
    rows = np.arange(500)
    trials = list(strangers.trials("tag 7", rows, rows // 10 == 7, np.ones(500, bool)))
    assert sorted(np.count_nonzero(trial.asked) for trial in trials) == [90, 100, 100, 100, 100]
    assert strangers.kinds(rows, trials) == 49
    assert strangers.kinds(rows, trials[:1]) == np.count_nonzero(trials[0].asked) / 10
