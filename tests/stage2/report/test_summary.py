"""What stage 2 prints, of drawn results: both worlds, whom a promised yes holds among, and what could not be
tried."""
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from stage2.flags import CLOSED, STRANGERS
from stage2.judging.promises import KEPT, TOO_FEW, Promise
from stage2.judging.results import Judged, TagResult
from stage2.metrics import METRICS, NOTHING
from stage2.report.summary import summary
from tests.stage2.report.drawn_results import ROWS, every, tag_result, unmeasured_result

AMONG_STRANGERS = ("yes keeps its promise among strangers, tried on kinds that the models had never met; "
                   "a kind nearer to a tag than all of those may break it")
KINDS = "among strangers, pictures of kinds that nobody has taught"
IF_CLOSED = "or --world closed, if every new picture surely carries one of the tags"


def printed(results: list[TagResult], others_taught: bool = False) -> list[str]:
    run = SimpleNamespace(results=results, page="reports/index.html", others_taught=others_taught)
    return list(summary(run))


def untried(tag: str, targets: bool = True) -> TagResult:
    result = tag_result(tag, every(1), 8, targets=targets)
    for model_type, model in result.models.items():
        kept = model.closed.promises
        nothing = Judged(dict.fromkeys(METRICS, NOTHING), kept and kept.untried())
        calibration = replace(model.calibration, strangers=None)
        result.models[model_type] = replace(model, strangers=nothing, calibration=calibration)
    return result


def closed(result: TagResult) -> TagResult:
    models = {name: replace(model, world=CLOSED) for name, model in result.models.items()}
    return replace(result, models=models)


def test_the_better_models_average_precision_among_strangers_stands_beside_that_of_both(three_tags):
    assert printed(three_tags) == [
        "                        average precision on unseen images (95 % interval)",
        "tag   images base rate  ovr-logistic-regression  ovr-svm                  among strangers      "
        "decision of the better model",
        "bad       20    0.1667  0.229 (0.128-0.406)      0.600 (0.416-0.762)      0.412 (0.267-0.575)  "
        "yes: about 20 more images needed, no: about 279 more images needed",
        "good      20    0.1667  1.000 (0.832-1.000)      1.000 (0.832-1.000)      1.000 (0.832-1.000)  "
        "yes from 0.542, no: about 279 more images needed",
        "one        1    0.0083  -                        -                        -",
        "-: nothing to measure on, which takes two images of the tag and two others",
        "among strangers: the better model, asked about pictures of kinds that it was not taught",
        AMONG_STRANGERS,
        "trained 6 models of 3 tags; look at reports/index.html"]


@pytest.mark.parametrize(("others_taught", "result", "said"), [
    (False, tag_result("cats", every(1), 8, targets=True),
     [AMONG_STRANGERS]),
    (True, tag_result("cats", every(1), 8, targets=True),
     ["yes keeps its promise among new pictures like the tags' and those of other-training"]),
    (False, closed(tag_result("cats", every(1), 8, targets=True)),
     ["yes keeps its promise only while every new picture carries one of the tags (--world closed)"]),
    (False, closed(untried("cats")),
     ["yes keeps its promise only while every new picture carries one of the tags (--world closed)"]),
    (False, tag_result("cats", every(1), 8), []),
    (False, untried("cats"), [
        f"yes is never said: not tried {KINDS}",
        f"add tags (4 are enough), a folder other-training of anything, {IF_CLOSED}"]),
    (False, untried("cats", targets=False), [
        f"not tried {KINDS}", "add tags (4 are enough), a folder other-training of anything"]),
    (False, closed(untried("cats", targets=False)), []),
    (False, unmeasured_result("cats", np.arange(ROWS) == 5), []),
])
def test_the_last_lines_say_whom_a_yes_holds_among_or_what_to_add(others_taught, result, said):
    lines = printed([result], others_taught)
    assert [line for line in lines[3:-1] if not line.startswith(("among strangers: ", "-: "))] == said


@pytest.mark.parametrize("deciding", [CLOSED, STRANGERS])
@pytest.mark.parametrize(("yes_from", "said"), [([None, None], []), ([0.5, None], [1]), ([None, 0.5], [1])])
def test_whom_a_yes_holds_among_is_said_only_where_a_model_ever_says_it(deciding, yes_from, said):
    """Stages 3 and 4 ask both models, not only the better one."""
    result = tag_result("cats", every(1), 8, targets=True)
    for (name, model), threshold in zip(result.models.items(), yes_from, strict=True):
        precision = Promise(0.6, KEPT if threshold else TOO_FEW, threshold, 0.9, 0.8, 1, 20, 5)
        judged = model.by_world[deciding]
        judged = replace(judged, promises=replace(judged.promises, precision=precision))
        result.models[name] = replace(model, world=deciding, **{deciding: judged})
    lines = [line for line in printed([result]) if line.startswith("yes ")]
    assert [1 for _ in lines] == said


def test_single_tags_that_could_not_be_tried_are_named():
    tried = [tag_result(tag, every(place), 8, targets=True) for place, tag in enumerate("abc")]
    assert printed([*tried, untried("two\nlines")])[-4:-1] == [
        AMONG_STRANGERS,
        f"yes is never said of two\\nlines: not tried {KINDS}, since their other pictures carry several tags",
        f"add a folder other-training of anything, {IF_CLOSED}"]
