"""Labels to look at again: those that the better model of a tag contradicts."""
import numpy as np

from stage2.judging.label_audit import audit_json, suspects
from stage2.judging.results import ModelResult, Suspect, TagResult
from tests.stage2.judging import drawn_opinions
from tests.stage2.judging.drawn_opinions import model


def result(is_tag: list[int], *models: ModelResult) -> TagResult:
    """Its rows are 10, 20, 30 ... of the metadata matrix."""
    return drawn_opinions.result("cats", 10 * np.arange(1, len(is_tag) + 1), is_tag, *models)


def test_the_most_contradictory_come_first_and_equal_ones_in_their_order():
    listed = suspects(result([1, 1, 1, 0, 0, 0, 1], model(0.9, [0.1, 0.5, 0.3, 0.9, 0.5, 0.49, 0.1])))
    assert listed == [
        Suspect(10, "cats", True, 0.1), Suspect(40, "cats", False, 0.9), Suspect(70, "cats", True, 0.1),
        Suspect(30, "cats", True, 0.3), Suspect(50, "cats", False, 0.5)]
    assert suspects(result([1, 1, 1, 0], model(0.9, [0.1, 0.3, 0.2, 0.9])), count=2) == listed[:2]


def test_the_better_model_of_the_tag_contradicts():
    worse, better = model(0.7, [0.9, 0.9]), model(0.8, [0.2, 0.1])
    assert suspects(result([1, 0], worse, better)) == [Suspect(10, "cats", True, 0.2)]


def test_every_image_of_a_rare_tag_may_be_a_miss():
    rare = result([1, 1, 0, 0, 0, 0], model(0.3, [0.2, 0.1, 0.3, 0.05, 0.05, 0.05]))
    assert [suspect.row for suspect in suspects(rare)] == [20, 10]


def test_nothing_contradicts_labels_that_could_not_be_measured():
    assert suspects(result([1, 0], model(None, None))) == []


def test_the_json_names_every_tag_and_where_its_images_lie():
    suspects_of = {"cats": [Suspect(10, "cats", True, 1 / 3), Suspect(40, "cats", False, 0.9)], "dogs": []}
    path = "/photos/cats/4.png"
    assert audit_json(suspects_of, {10: "h10", 40: "h40"}, {"h40": path}) == {
        "cats": [
            {"hash_id": "h10", "file_path": None, "labelled": True, "probability": 0.333333},
            {"hash_id": "h40", "file_path": path, "labelled": False, "probability": 0.9}],
        "dogs": []}
