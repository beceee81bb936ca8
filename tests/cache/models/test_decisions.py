"""Thresholds on a model's card, and the decisions that follow from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from cache.models.decisions import DECISIONS, DecisionCodes, Thresholds
from cache.models.tag_models import load_model, save_model
from cache.refusal import Refused

limits = st.one_of(st.none(), st.floats(0, 1))
thresholds = st.tuples(limits, limits).filter(lambda pair: None in pair or pair[1] <= pair[0])
of_a_model = st.one_of(st.none(), thresholds.map(lambda pair: Thresholds(*pair)))


def decisions(models: list[Thresholds | None], scores: list[float]) -> list[list[str | None]]:
    """Of every score, that every model might give: its decision by each model."""
    codes = DecisionCodes(models).of(np.repeat(np.array(scores)[:, None], len(models), axis=1))
    assert codes.dtype == np.uint8
    return [[DECISIONS[code] for code in row] for row in codes]


@pytest.mark.parametrize(
    ("yes_from", "no_below", "expected"),
    [
        (0.8, 0.2, ["no", "no", "unsure", "unsure", "yes", "yes"]),
        (0.8, None, ["unsure", "unsure", "unsure", "unsure", "yes", "yes"]),
        (None, 0.2, ["no", "no", "unsure", "unsure", "unsure", "unsure"]),
        (None, None, ["unsure"] * 6),
        (0.8, 0.8, ["no", "no", "no", "no", "yes", "yes"]),
        (0, 0, ["yes"] * 6),
        (1, 1, ["no", "no", "no", "no", "no", "yes"]),
    ],
)
def test_a_probability_on_a_threshold_is_a_yes_and_not_a_no(yes_from, no_below, expected):
    on_the_card = {"yes_from": yes_from, "no_below": no_below, "precision": "ignored"}
    model = Thresholds.from_card(on_the_card, "card.json")
    scores = [0.0, 0.19, 0.2, 0.79, 0.8, 1.0]
    assert decisions([model], scores) == [[decision] for decision in expected]


def decided_alone(model: Thresholds | None, score: float) -> str | None:
    if model is None:
        return None
    if model.yes_from is not None and score >= model.yes_from:
        return "yes"
    return "no" if model.no_below is not None and score < model.no_below else "unsure"


@given(st.lists(of_a_model, min_size=1, max_size=5), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_many_at_once_are_decided_as_one_by_one(models, drawn):
    edges = [
        edge for model in models if model for edge in (model.yes_from, model.no_below) if edge is not None
    ]
    scores = [*drawn, *edges]
    assert decisions(models, scores) == [
        [decided_alone(model, score) for model in models] for score in scores
    ]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"yes_from": 0.5},
        [],
        [0.5, 0.2],
        "0.5",
        0.5,
        True,
        {"yes_from": "0.5", "no_below": 0.1},
        {"yes_from": True, "no_below": 0.1},
        {"yes_from": 1.01, "no_below": 0.1},
        {"yes_from": 0.5, "no_below": -0.1},
        {"yes_from": float("nan"), "no_below": None},
        {"yes_from": None, "no_below": float("inf")},
        {"yes_from": [0.5], "no_below": None},
        {"yes_from": 10**400, "no_below": None},
    ],
)
def test_anything_but_two_probabilities_or_nulls_is_refused(value):
    with pytest.raises(Refused) as caught:
        Thresholds.from_card(value, "card.json")
    assert str(caught.value) == (
        "card.json should name the thresholds yes_from and no_below, each from 0 to 1 or null; "
        "mend it, or train again"
    )


def test_a_no_above_the_yes_is_refused():
    with pytest.raises(
        Refused, match="card.json has a threshold no_below above yes_from; mend it, or train again"
    ):
        Thresholds.from_card({"yes_from": 0.2, "no_below": 0.3}, "card.json")


def saved(on_the_card: dict) -> str:
    estimator = LogisticRegression().fit(np.eye(2, 8), [0, 1])
    card = {"model": "M:p", **on_the_card}
    return save_model("models", "ovr-logistic-regression", "cats", estimator, card).path


@pytest.mark.parametrize(
    ("on_the_card", "read"),
    [
        ({}, None),
        ({"thresholds": None}, None),
        ({"thresholds": {"yes_from": 0.75, "no_below": None}}, Thresholds(0.75, None)),
    ],
)
def test_a_model_is_loaded_with_the_thresholds_of_its_card(here, on_the_card, read):
    assert load_model(saved(on_the_card)).thresholds == read


def test_a_model_whose_card_has_other_thresholds_is_refused(here):
    path = saved({"thresholds": {"yes_from": 2, "no_below": 0}})
    with pytest.raises(
        Refused, match=r"models/model-.+-tag-cats.json should name the thresholds yes_from and no_below"
    ):
        load_model(path)
