"""The one list of labels to check: by how much likelier a mistake is than that the labels are right, cut
where labels are no longer likelier wrong than right."""
import numpy as np
import pytest

from stage2.judging.label_check import check_json, labels_to_check, likelier_wrong, ratios
from stage2.judging.labels import Labels
from stage2.judging.results import Contradiction, TagResult
from tests.stage2.judging.drawn_opinions import model, result


def said(tag: str, is_tag: list[int], *probabilities: list[float] | None) -> TagResult:
    """Of rows 0, 1, 2 ..., by a model for each list."""
    return result(tag, np.arange(len(is_tag)), is_tag, *(model(0.9, of_type) for of_type in probabilities))


def heard(results: list[TagResult], together=(), row_count: int = 4) -> tuple[list[float], list[int]]:
    [suspicion] = ratios(results, together, [Labels.of_results(results, row_count)])
    return suspicion.ratio.round(9).tolist(), suspicion.looks_like.tolist()


def test_where_each_picture_has_one_tag_it_is_the_odds_of_all_other_tags_over_its_own():
    results = [
        said("cats", [1, 1, 0], [0.25, 0.75, 0.2]), said("dogs", [0, 0, 1], [0.75, 0.5, 0.5]),
        said("owls", [0, 0, 0], [0.5, 0.2, 0.1])]
    assert heard(results) == ([4 * 3.0, round(1.25 / 3, 9), round(1 / 4 + 1 / 9, 9), 0.0], [1, 1, 0, -1])


def test_both_types_are_heard_and_one_that_could_not_be_measured_is_not():
    results = [said("cats", [1, 0], [0.2, 0.5], [0.5, 0.5]), said("dogs", [0, 1], [0.5, 0.5], None)]
    assert heard(results, row_count=2) == ([1 / (0.25 * 1) ** 0.5, 1.0], [1, 0])


def test_of_several_tags_one_may_be_too_many_and_one_that_is_seen_beside_them_may_be_missing():
    results = [
        said("cats", [1, 1, 1, 0], [0.25, 0.9, 0.9, 0.1]), said("pets", [1, 1, 0, 0], [0.9, 0.9, 0.75, 0.1]),
        said("owls", [0, 0, 0, 1], [0.1, 0.75, 0.1, 0.9])]
    suspicion, looks_like = heard(results, together=[("cats", "pets"), ("cats", "birds")])
    assert suspicion[0] == 3.0, "the cat is too many"
    assert suspicion[1] == round(3 / 9, 9), "an owl is never beside a cat: it would have to be in its place"
    assert suspicion[2] == 3.0, "a pet has been forgotten"
    assert looks_like == [2, 2, 1, 0]


def test_pictures_of_no_tag_may_have_one_and_those_of_a_tag_may_have_none():
    """As with other-training, whose pictures are the only ones that a tag has beside its own."""
    results = [
        result("cats", [0, 1, 2], [1, 1, 0], model(0.9, [0.25, 0.9, 0.75])),
        result("dogs", [2, 3], [0, 1], model(0.9, [0.1, 0.5]))]
    assert heard(results) == ([3.0, round(1 / 9, 9), 3.0, 1.0], [-1, -1, 0, -1])


def test_the_list_ends_where_a_label_is_no_longer_likelier_wrong_than_right():
    planted = np.arange(101.0, 201)  # the strongest two fifths are those above 160.4
    wrong, right = np.arange(196.0, 100, -5), np.arange(40.0, 0, -1)
    # Eight of the wrong ones are as strong as that, so there are twenty of them, and no more below the last.
    assert likelier_wrong(np.concatenate([wrong, right]), planted) == len(wrong) == 20
    hard = np.arange(130.0, 100, -0.5)  # right ones: below 130 there are twelve of them to each wrong one
    mixed = np.sort(np.concatenate([wrong, hard, right]))[::-1]
    assert likelier_wrong(mixed, planted) == np.sum(mixed > 130) == 14
    assert likelier_wrong(right, planted) == 0, "where none is as suspect as mistakes are, all are right"
    assert likelier_wrong(planted[::-1], planted) == 100, "all are wrong"
    assert likelier_wrong(right, planted[:0]) == likelier_wrong(right[:0], planted) == 0


WRONG = [0, 17, 34, 51, 68, 85, 102, 119]


def drawn(wrong: list[int]) -> list[TagResult]:
    """Two hundred pictures of four tags, whose models are right with a doubt; those in `wrong` carry the tag
    after theirs."""
    random = np.random.default_rng(0)
    shown = np.arange(200) % 4
    labels = shown.copy()
    labels[wrong] = (shown[wrong] + 1) % 4
    doubt = random.uniform(0.01, 0.4, size=(200, 4))
    unseen = np.where(shown[:, None] == np.arange(4), 1 - doubt, doubt)
    return [said(f"t{tag}", (labels == tag).tolist(), unseen[:, tag]) for tag in range(4)]


def test_planted_mistakes_are_listed_and_labels_that_are_right_are_not():
    listed = labels_to_check(drawn(WRONG), [], 200)
    assert {contradiction.row for contradiction in listed[:8]} == set(WRONG)
    assert len(listed) <= 9, "between the last one and the first right one there might have been one more"
    assert all(list(wrong.looks_like) == [f"t{wrong.row % 4}"] for wrong in listed[:8])
    assert labels_to_check(drawn([]), [], 200) == []


def test_a_contradiction_names_all_tags_with_what_both_types_say():
    results = drawn(WRONG)
    listed = labels_to_check([*results, said("untried", [1, *[0] * 199], None)], [], 200)
    other, own = (result.models["0"].calibration.unseen[0] for result in results[:2])
    first = next(contradiction for contradiction in listed if contradiction.row == 0)
    assert first == Contradiction(0, {"t1": own, "untried": None}, {"t0": other})


@pytest.mark.parametrize("results", [
    [], [said("cats", [1, 0], None)], [said("cats", [], [])], [said("cats", [1, 1], [0.1, 0.2])]])
def test_where_nothing_could_be_measured_nothing_is_to_be_checked(results):
    assert labels_to_check(results, [], 2) == []


def test_the_json_keeps_the_order_and_says_where_the_pictures_lie():
    contradictions = [
        Contradiction(1, {"cats": 1 / 3, "untried": None}, {"dogs": 2 / 3}), Contradiction(0, {}, {})]
    records = dict(check_json(contradictions, ["h0", "h1"], {"h1": "/photos/1.png"}))
    assert list(records) == ["h1", "h0"]
    assert records == {
        "h1": {
            "hash_id": "h1", "file_path": "/photos/1.png",
            "labelled": {"cats": 0.333333, "untried": None}, "looks_like": {"dogs": 0.666667}},
        "h0": {"hash_id": "h0", "file_path": None, "labelled": {}, "looks_like": {}}}
