"""What stage 2 prints, of drawn results: both worlds, whom a promised yes holds among, and what could not be
tried."""
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from stage2.flags import CLOSED
from stage2.judging.results import Judged, TagResult
from stage2.metrics import METRICS, NOTHING
from stage2.report.summary import summary
from tests.stage2.report.drawn_results import ROWS, every, tag_result, unmeasured_result

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
        "yes keeps its promise among strangers: new pictures of any kind",
        "trained 6 models of 3 tags; look at reports/index.html"]


@pytest.mark.parametrize(("others_taught", "result", "said"), [
    (False, tag_result("cats", every(1), 8, targets=True),
     ["yes keeps its promise among strangers: new pictures of any kind"]),
    (True, tag_result("cats", every(1), 8, targets=True),
     ["yes keeps its promise among new pictures like the tags' and those of other-training"]),
    (False, closed(tag_result("cats", every(1), 8, targets=True)),
     ["yes keeps its promise only while every new picture carries one of the tags"]),
    (False, closed(untried("cats")),
     ["yes keeps its promise only while every new picture carries one of the tags"]),
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


def test_tags_of_which_nothing_is_known_keep_no_promise():
    one = unmeasured_result("one", np.arange(ROWS) == 5)
    promised = tag_result("cats", every(1), targets=True).best.closed.promises
    for name, model in one.models.items():
        one.models[name] = replace(model, strangers=replace(model.strangers, promises=promised))
    assert not [line for line in printed([one]) if line.startswith("yes ")]


def test_single_tags_that_could_not_be_tried_are_named():
    tried = [tag_result(tag, every(place), 8, targets=True) for place, tag in enumerate("abc")]
    assert printed([*tried, untried("two\nlines")])[-4:-1] == [
        "yes keeps its promise among strangers: new pictures of any kind",
        f"yes is never said of two\\nlines: not tried {KINDS}, since their other pictures carry several tags",
        f"add a folder other-training of anything, {IF_CLOSED}"]
