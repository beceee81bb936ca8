"""What the report says of labels, of what is worth doing for a tag, and of the dataset."""
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stage2.judging.promises import KEPT, OUT_OF_REACH, TOO_FEW, UNTRIED, Promise, Promises
from stage2.judging.results import Contradiction, CurvePoint, Suggestion, TagResult
from stage2.metrics import Estimate
from stage2.report.dataset_section import Pair, dataset_section
from stage2.report.next_steps import Step, next_steps
from stage2.report.strips import Shown, strangers_taken_for, strips, taken_for
from tests.stage2.report import drawn_results
from tests.stage2.report.drawn_results import HASHES, ROWS, every, section_of, table, tag_result, written


def test_labels_and_suggestions_name_the_tag_and_both_opinions(tmp_path):
    cats, dogs = tag_result("cats", every(0)), tag_result("dogs", every(1))
    page = written(
        tmp_path, [cats, dogs], {HASHES[0]: "/p/wrong.png"},
        suggestions=[Suggestion(HASHES[119], "/q/new.png", "dogs", 0.5, 1, 1)],
        to_check=[Contradiction(0, {"cats": 0.02}, {"dogs": 0.97}), Contradiction(1, {"pets": None}, {})])
    assert [tile.text for tile in section_of(page, "labels").all("li")] == [
        "cats label yes, model 0.02 dogs label no, model 0.97 p/wrong.png",
        f"pets label yes {HASHES[1][:12]}"]
    assert [tile.text for tile in section_of(page, "next").all("li")] == ["dogs model 0.50 q/new.png"]


@pytest.mark.parametrize(("count", "said"), [
    (24, None), (207, "The first 24 of 207; all in label-check.json.")])
def test_where_not_all_labels_to_check_are_listed_the_page_says_where_they_are(tmp_path, count, said):
    cats = tag_result("cats", every(0, rows=1000))
    to_check = [Contradiction(row, {"cats": 0.02}, {}) for row in range(count)]
    section = section_of(written(tmp_path, [cats], to_check=to_check), "labels")
    assert len(list(section.all("li"))) == 24
    about = section.one("p", "about").text
    assert about.endswith(said or "spoils what is learnt.")


def test_folders_of_no_tag_are_told_apart_from_the_tags(tmp_path):
    images_of = {"cats": 4, "dogs": 2, "other-training": 500, "other-validation": 0}
    section = section_of(written(tmp_path, [tag_result("cats", every(0))], images_of=images_of), "dataset")
    assert section.one("p", "about").text == (
        "The largest tag has 2.0 times as many images as the smallest, those held out included. "
        "No image carries two tags. Images of no tag: 500 in other-training, 0 in other-validation.")
    assert [line.text for line in section.one("ul", "bars").all("li")] == ["cats 4", "dogs 2"]


def test_what_is_worth_doing_follows_from_the_results():
    result = tag_result("shirts", every(0))
    curve = [
        CurvePoint(images, 1, 0.5, 0.5, 0.5, {"shirts": 0.5 + images / 100})
        for images in (0, 5, 10, 20)
    ]
    confused = [("coats", 9)]

    def steps(low: float, value: float, high: float, *more) -> list[Step]:
        for model in result.models.values():
            model.metrics["average_precision"] = Estimate(value, low, high)
        return next_steps(result, *more)

    assert steps(0.9, 0.92, 0.94, 1, curve, confused) == [
        Step("check 1 label"), Step("add images: still rising")]
    assert steps(0.8, 0.82, 0.84, 0, curve[:2], confused) == [Step("tell apart from", "coats")]
    assert steps(0.6, 0.8, 0.9, 0, curve, confused) == [
        Step("add images: only 20"), Step("tell apart from", "coats")]
    assert steps(0.9, 0.92, 0.94, 0, [], []) == [Step("look at its misses")]
    assert steps(0.98, 0.99, 1, 0, curve, []) == []
    assert steps(0.98, 0.99, 1, 24, [], []) == [Step("check 24 labels")]


def test_labels_to_check_are_worth_checking_for_each_of_the_tags_that_they_speak_of():
    of_two = Contradiction(0, {"cats": 0.1, "pets": None}, {"dogs": 0.9})
    to_check = [of_two, Contradiction(1, {"cats": 0}, {})]
    assert drawn_results.report([], to_check=to_check).to_check_of == {"cats": 2, "pets": 1, "dogs": 1}


def test_false_alarms_are_counted_by_the_tags_that_they_carry():
    result = tag_result("cats", every(0), 0)
    result.best.calibration.unseen[1:6] = 0.9
    tags_of = {row: ["pets", "dogs"][:row] for row in range(1, ROWS)}
    assert taken_for(result, tags_of) == [("pets", 6), ("dogs", 5)]


def drawn_strangers() -> TagResult:
    """Rows 1 to 5 are no alarms once their kind is known; row 6 is one all the same."""
    result = tag_result("cats", every(0), 8)
    said = result.best.calibration
    said.unseen[:], said.strangers[:] = result.is_tag, result.is_tag
    said.strangers[1:6] = [0.6, 0.9, 0.5, 0.8, 0.7]
    said.unseen[7], said.strangers[7] = 0.9, 0.95
    return result


def test_what_only_a_stranger_would_be_taken_for_is_counted_by_tag_and_shown_with_it(tmp_path):
    tags_of = {1: ["dogs"], 2: ["dogs"], 3: ["dogs"], 4: ["birds"], 5: ["pets", "birds"], 7: ["dogs"]}
    result = drawn_strangers()
    assert strangers_taken_for(result, tags_of) == [("dogs", 3), ("birds", 2), ("pets", 1)]
    *_, strip = strips(result, tags_of)
    assert (strip.heading, strip.kinds, strip.of_tag) == (
        "Would be mistaken for cats, if you had not shown", ["dogs", "birds", "pets"], False)
    assert strip.pictures == [Shown(2, 0.9), Shown(4, 0.8), Shown(5, 0.7), Shown(1, 0.6), Shown(3, 0.5)]
    dogs = tag_result("dogs", np.isin(np.arange(ROWS), [1, 2, 3, 4, 5]))
    sections = written(tmp_path, [result, dogs]).all("details")
    [section] = [section for section in sections if section.one("h3").text == "cats"]
    assert [heading.text for heading in section.one("div", "strips").all("h4")][-1] == (
        "Would be mistaken for cats, if you had not shown dogs")
    assert "Only as strangers: dogs 5." in section.one("p").text


@pytest.mark.parametrize(("closed_from", "strangers_from", "dogs"), [
    (0.75, None, 2), (0.75, 0.95, 2), (0.3, 0.85, 6), (None, 0.85, 5), (None, None, 5)])
def test_strangers_are_counted_from_where_yes_would_be_said_without_them(closed_from, strangers_from, dogs):
    """That is what makes more unsure. Where there is no such threshold, from .5 on."""
    result = drawn_strangers()
    result.best.calibration.strangers[8] = 0.4
    for world, yes_from in (("closed", closed_from), ("strangers", strangers_from)):
        precision = Promise(0.9, KEPT if yes_from else OUT_OF_REACH, yes_from, 1, 0.9, 1, 20, None)
        kept = Promises(precision, precision)
        for name, model in result.models.items():
            result.models[name] = replace(model, **{world: replace(getattr(model, world), promises=kept)})
    assert strangers_taken_for(result, {row: ["dogs"] for row in range(1, 9)}) == [("dogs", dogs)]


def test_where_strangers_are_taken_for_nothing_new_there_is_no_strip_of_them():
    result = drawn_strangers()
    result.best.calibration.strangers[:] = result.best.calibration.unseen
    assert strangers_taken_for(result, {}) == []
    assert [strip.heading for strip in strips(result, {})] == [
        "Surest of 20 hits", "No misses; the least sure hits", "The only false alarm"]


@pytest.mark.parametrize(("outcome", "more", "strangers", "confused", "expected"), [
    (UNTRIED, None, [], [], [Step("add tags, or other-training")]),
    (TOO_FEW, 12, [], [], [Step("add about 12 images for a yes")]),
    (TOO_FEW, 12, [("dogs", 4), ("birds", 3)], [],
     [Step("add about 12 images for a yes"), Step("show more kinds like", "dogs")]),
    (TOO_FEW, 41, [("dogs", 4)], [], [Step("show more kinds like", "dogs")]),  # more than twice the 20
    (OUT_OF_REACH, None, [("dogs", 2)], [], [Step("add other-training")]),
    (OUT_OF_REACH, None, [], [], [Step("add a tag for what is taken for it")]),
    (OUT_OF_REACH, None, [], [("birds", 9)], []),
    (KEPT, None, [], [], []),
])
def test_what_would_let_more_be_called_yes_is_worth_doing(outcome, more, strangers, confused, expected):
    result = tag_result("cats", every(0), targets=True)
    for model in result.models.values():
        model.metrics["average_precision"] = Estimate(0.99, 0.98, 1)
        promised = Promise(0.9, outcome, 0.5 if outcome == KEPT else None, 0.8, 0.7, 0.9, 20, more)
        object.__setattr__(model.strangers.promises, "precision", promised)
    assert next_steps(result, 0, [], confused, strangers) == expected


def test_where_strangers_could_not_be_tried_that_comes_before_all_else():
    result = tag_result("cats", every(0), targets=True)
    for model in result.models.values():
        model.metrics["average_precision"] = Estimate(0.5, 0.2, 0.8)
        object.__setattr__(model.strangers, "promises", model.closed.promises.untried())
    assert next_steps(result, 3, [], [("dogs", 9)]) == [
        Step("add tags, or other-training"), Step("check 3 labels")]


def test_where_strangers_leave_much_unsure_more_kinds_are_worth_showing():
    result = tag_result("cats", every(0), targets=True)
    model = result.best
    model.metrics["average_precision"] = Estimate(0.99, 0.98, 1)
    model.calibration.unseen[result.is_tag] = np.linspace(0.05, 1, 20)
    steps = {}
    for threshold in (0.55, 0.65):  # leaves none, or two of the twenty
        for judged, yes_from in ((model.closed, 0.55), (model.strangers, threshold)):
            kept = Promise(0.9, KEPT, yes_from - 0.001, 1, 0.95, 1, 20, 0)
            object.__setattr__(judged.promises, "precision", kept)
        steps[threshold] = next_steps(result, 0, [], [], [("dogs", 9)])
    assert steps == {0.55: [], 0.65: [Step("show more kinds like", "dogs")]}


def test_a_single_false_alarm_is_not_said_to_be_images(tmp_path):
    cats, birds = tag_result("cats", every(0), 9), tag_result("birds", np.arange(ROWS) % 6 > 0)
    cats.best.calibration.unseen[:] = cats.is_tag
    cats.best.calibration.unseen[1] = 0.9
    cats.best.calibration.strangers[:] = cats.best.calibration.unseen
    sections = written(tmp_path, [cats, birds]).all("details")
    [section] = [section for section in sections if section.one("h3").text == "cats"]
    assert "False alarms by their own tag: birds 1." in [text.text for text in section.all("p")]


def test_tags_that_share_images_are_a_matrix_of_few_tags_and_a_list_of_the_strongest_of_many(tmp_path):
    few = dataset_section({"a": 4, "b": 2, "c": 3}, {("a", "b"): 2})
    assert few.sizes == [("a", 4), ("c", 3), ("b", 2)]
    assert (few.imbalance, few.together) == (2.0, ["a", "b"])
    pair = Pair("a", "b", 2, 0.5)
    assert few.pairs == {("a", "b"): pair, ("b", "a"): pair}
    names = [f"t{number:02}" for number in range(40)]
    shared = {tags: number for number, tags in enumerate(pairwise(names), 1)}
    many = dataset_section(dict.fromkeys(names, 50), shared)
    assert many.together == []
    assert [pair.images for pair in many.pairs.values()] == list(range(39, 19, -1))
    page = written(tmp_path, [tag_result("a", every(0)), tag_result("b", every(1))], shared={("a", "b"): 7})
    assert table(page.one("table", "matrix")) == [["", "a", "b"], ["a", "", "7"], ["b", "7", ""]]


def test_the_learning_curve_is_drawn_and_told(tmp_path):
    points = [
        CurvePoint(0, 2, 0.5, 0.4, 0.6, {"cats": 0.4, "dogs": 0.6}),
        CurvePoint(5, 1, 0.7, 0.7, 0.7, {"dogs": 0.7})]
    cats, dogs = tag_result("cats", every(0)), tag_result("dogs", every(1))
    page = written(tmp_path, [cats, dogs], learning_curve=points)
    section = section_of(page, "examples")
    assert table(section.one("table")) == [
        ["Images", "Tags", "Worst", "Mean", "Best"],
        ["0", "2", "0.400", "0.500", "0.600"],
        ["5", "1", "0.700", "0.700", "0.700"]]
    said = "Mean average precision by number of images to learn from: 0.500 with 0; 0.700 with 5"
    assert section.one("svg").attributes["aria-label"] == said
    words = {text.text for text in section.one("svg").all("text")}
    assert {"0", "5", "images of a tag to learn from", "average precision"} <= words
    of_cats, of_dogs = (list(details.one("div", "facts").all("table")) for details in page.all("details"))
    assert of_cats == []
    [by_number] = of_dogs
    assert table(by_number) == [["images", "0", "5"], ["average precision", "0.60", "0.70"]]
