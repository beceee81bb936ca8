"""What stages 3 and 4 say of the models: left out, without a decision, of tags that are gone."""
from dataclasses import replace
from unicodedata import normalize

import pytest

from cache.models.cards import Worlds
from cache.models.decisions import Thresholds
from cache.models.tag_models import TagModel
from cache.refusal import Refused
from cache.results.model_notes import model_notes
from tests.drawing import write

LIST = "output/input-tag-to-image-hash-list.json"
ONLY_SCORES = "models without thresholds (decision is empty; see --target_precision)"
DECIDES = Thresholds(0.9, 0.1)
ADVICE = "scored all the same; delete them if they are not wanted"
GONE = f"models of tags that {LIST} does not have ({ADVICE})"


def model(tag: str, thresholds: Thresholds | None = DECIDES, encoder: str | None = "M:p", **more) -> TagModel:
    return TagModel(f"model-ovr-svm-tag-{tag}.pkl", "ovr-svm", tag, None, 2, encoder, thresholds, **more)


AMONG_STRANGERS = ("yes keeps its promise among strangers, tried on kinds that the models had never met; "
                   "a kind nearer to a tag than all of those may break it")
LIKE_OTHERS = "yes keeps its promise among new pictures like the tags' and those of other-training"
BEFORE = ("trained before strangers were tried: yes keeps its promise only while every new picture carries "
          "one of the tags; train again")
CLOSED = "yes keeps its promise only while every new picture carries one of the tags (--world closed)"


@pytest.mark.parametrize(("world", "tried_on", "said"), [
    ("strangers", "tags", AMONG_STRANGERS), ("strangers", "other-training", LIKE_OTHERS),
    ("strangers", {"odd": 1}, AMONG_STRANGERS), ("closed", None, CLOSED),
    ("closed", "other-training", CLOSED), (None, None, BEFORE), ({"odd": 1}, "other-training", BEFORE)])
def test_of_models_that_can_say_yes_it_is_said_whom_it_holds_among(world, tried_on, said):
    card = {"thresholds": {"world": world, "tried_on": tried_on}}
    models = [model("a"), model("b", Thresholds(0.9, None)), model("c", Thresholds(None, 0.1))]
    models = [replace(of, worlds=Worlds.from_card(card)) for of in models]
    assert model_notes(models, [], "no-such-list.json") == [said]
    assert model_notes(models[2:], [], "no-such-list.json") == []


def test_models_whose_yes_holds_among_others_are_told_apart():
    worlds = {"a": "strangers", "b": "closed", "c": "strangers", "old": None}
    models = [model(tag, worlds=Worlds(decides_in=world)) for tag, world in worlds.items()]
    assert model_notes(models, [], "no-such-list.json") == [
        f"{AMONG_STRANGERS}: a (ovr-svm), c (ovr-svm)", f"{CLOSED}: b (ovr-svm)", f"{BEFORE}: old (ovr-svm)"]


def test_models_that_are_much_worse_among_strangers_are_named():
    def card(taught: object, strangers: object) -> dict:
        return {"cross_validation": {"average_precision": {"value": taught}},
                "among_strangers": {"average_precision": {"value": strangers}}}

    cards = {"much": card(0.9, 0.79), "little": card(0.9, 0.81), "better": card(0.5, 0.9),
             "unmeasured": card(None, None), "untried": card(0.9, None), "odd": card("0.9", [1]),
             "odder": {"cross_validation": 3, "among_strangers": {"average_precision": []}}, "old": {}}
    models = [model(tag, None, worlds=Worlds.from_card(of_tag)) for tag, of_tag in cards.items()]
    assert model_notes(models, [], "no-such-list.json")[1:] == [
        "high bins hold strangers, too, pictures of kinds that were not taught: much (ovr-svm)"]


def test_models_that_decide_nothing_are_named_with_what_decision_holds_and_what_to_do():
    models = [
        model("decides", Thresholds(None, 0.1)), model("cardless", None, encoder=None), model("plain", None),
        model("hard", Thresholds(None, None)), model("hard\x1b[2J too", Thresholds(None, None)),
    ]
    assert model_notes(models, [], "no-such-list.json") == [
        "models without a card (decision is empty; train again): cardless (ovr-svm)",
        "models without thresholds (decision is empty; see --target_precision): plain (ovr-svm)",
        "models that reach no threshold (decision is always unsure; label more pictures): "
        "hard (ovr-svm), hard\\x1b[2J too (ovr-svm)",
    ]


def test_a_thousand_models_take_as_few_lines(here):
    write(here, {LIST: b"{}"})
    models = [model(f"{number:04}", None) for number in range(1000)]
    refusals = [Refused(f"{number}.pkl is no pickle") for number in range(1000)]
    left_out = [f"skipped model: {number}.pkl is no pickle" for number in range(3)]
    gone = f"{GONE}: 0000, 0001, 0002 and 997 more"
    assert model_notes([*models, model("a", Thresholds(None, 0.1))], refusals, LIST) == [
        *left_out,
        "... and 997 more skipped models; the doctor names all",
        "models without thresholds (decision is empty; see --target_precision): "
        "0000 (ovr-svm), 0001 (ovr-svm), 0002 (ovr-svm) and 997 more",
        gone.replace("997", "998"),
    ]
    assert model_notes(models, refusals[:4], LIST) == [
        *left_out,
        "... and 1 more skipped model; the doctor names all",
        "models without thresholds (decision is empty; see --target_precision): all 1,000",
        gone,
    ]


@pytest.mark.parametrize("layout", ['{\n"cats": ["1"],\n"%s": ["2"]\n}\n', '{"cats": [], "%s": []}'])
@pytest.mark.parametrize("spelling", ["NFC", "NFD"])
def test_a_tag_is_in_the_dataset_in_either_spelling_and_a_text_need_not_be(here, layout, spelling):
    write(here, {LIST: (layout % normalize(spelling, "Vögel")).encode()})
    tags = [model("cats", None), model("Vögel", None), model("a text", None, from_text=True)]
    assert model_notes(tags, [], LIST) == [f"{ONLY_SCORES}: all 3"]


def test_a_broken_list_is_named_and_ends_no_run(here):
    write(here, {LIST: b"{"})
    [_, note] = model_notes([model("cats", None)], [], LIST)
    unknown = "whether the dataset still has the tags of the models is not known"
    assert note.startswith(f"{unknown}: {LIST} is not ")
