"""The text report of a model, to the letter."""
import numpy as np
import pytest
from sklearn.metrics import classification_report

from stage2.judging.held_out import HeldOut
from stage2.judging.model_text import report_text
from stage2.judging.promises import KEPT, TOO_FEW, Promise, Promises
from stage2.judging.results import Judged, ModelResult
from stage2.learning.calibration import SIGMOID, Calibration
from stage2.learning.split import Split
from stage2.metrics import METRICS, NOTHING, Estimate


def report_of(held_out: HeldOut, tags: int = 1, others: int = 1) -> str:
    """The report of a model that learnt from so many images, and was measured out of fold, too."""
    counts = (tags, len(held_out.tag_scores), others, len(held_out.other_scores))
    split = Split(*(np.arange(count) for count in counts))
    metrics = dict.fromkeys(METRICS, Estimate(0.75, 0.5, 0.98765))
    metrics["roc_auc"] = Estimate(0.8, None, None)
    metrics_among_strangers = dict.fromkeys(METRICS, Estimate(0.625, 0.4, 0.8))
    metrics_among_strangers["roc_auc"] = NOTHING
    calibration = Calibration(SIGMOID, 2.0, 0.1, np.zeros(3), 0.2, 0.1)
    recall = Promise(0.8, KEPT, 0.4, 1.0, 0.861, 1.0, 20, 0)
    closed = Promises(Promise(0.9, KEPT, 0.81, 0.97, 0.951, 0.98, 213, 0), recall)
    among_strangers = Promises(Promise(0.9, TOO_FEW, None, 1.0, 0.861, 1.0, 20, 12), recall)
    result = ModelResult(
        "ovr-svm", calibration, held_out, Judged(metrics, closed),
        Judged(metrics_among_strangers, among_strangers))
    return report_text("M:p", 512, "cats", split, result)


def strip_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_the_report_is_a_page_a_person_can_read():
    held_out = HeldOut(np.array([0.95, 1.0, 0.2]), np.array([0.0, 0.05, 0.1, 0.62]), np.array([0.3]))
    assert report_of(held_out, 20, 40) == """\
model type   ovr-svm
tag          cats
encoder      M:p, 512 features

images              of the tag       other
learnt from                 23          44
in folds                    20          40
held out                     3           4

out of fold             among pictures like these   among strangers
                         value   95 % interval       value   95 % interval
average precision       0.7500   0.5000 - 0.9877    0.6250   0.4000 - 0.8000
ROC AUC                 0.8000                      not measured
F1                      0.7500   0.5000 - 0.9877    0.6250   0.4000 - 0.8000
calibration error       0.7500   0.5000 - 0.9877    0.6250   0.4000 - 0.8000
base rate               0.3333   the average precision of chance
calibration           by a sigmoid (error 0.2000 without, 0.1000 with it)

promises              among strangers, by which stages 3 and 4 decide
precision 0.9         not enough examples: about 12 more images needed; at best 1.000 of 20, surely 0.861
recall 0.8            1.000 of 20, surely 0.861, from 0.4 on
decision              yes: about 12 more images needed, no below 0.4

promises              among pictures like these
precision 0.9         0.970 of 213, surely 0.951, from 0.81 on
recall 0.8            1.000 of 20, surely 0.861, from 0.4 on
decision              yes from 0.81, no below 0.4

held out, at 0.5    scored tag  scored other
is tag                       2             1
is other                     1             3

accuracy              0.7143
true positive rate    0.6667
false negative rate   0.3333
false positive rate   0.2500
true negative rate    0.7500
average precision     0.9167

              precision    recall  f1-score   support

         tag     0.6667    0.6667    0.6667         3
       other     0.7500    0.7500    0.7500         4

    accuracy                         0.7143         7
   macro avg     0.7083    0.7083    0.7083         7
weighted avg     0.7143    0.7143    0.7143         7

in distribution: the 3 held-out images of the tag, by probability of the tag
  0.0 - 0.1        0
  0.1 - 0.2        1  ####################
  0.2 - 0.3        0
  0.3 - 0.4        0
  0.4 - 0.5        0
  0.5 - 0.6        0
  0.6 - 0.7        0
  0.7 - 0.8        0
  0.8 - 0.9        0
  0.9 - 1.0        2  ########################################

out of distribution: the 1 images of other-validation, by probability of the tag
  0.0 - 0.1        0
  0.1 - 0.2        0
  0.2 - 0.3        1  ########################################
  0.3 - 0.4        0
  0.4 - 0.5        0
  0.5 - 0.6        0
  0.6 - 0.7        0
  0.7 - 0.8        0
  0.8 - 0.9        0
  0.9 - 1.0        0
"""


def test_without_held_out_images_the_report_says_so():
    nothing = np.empty(0)
    text = report_of(HeldOut(nothing, nothing, None))
    assert "accuracy              no held-out image\n" in text
    assert "precision    recall" not in text


@pytest.mark.parametrize(("tags", "others"), [
    ([0.9, 0.8, 0.1], [0.2, 0.7]), ([0.1], [0.2, 0.3]), ([0.9], []), ([], [0.9, 0.2])])
def test_the_table_of_the_report_is_that_of_scikit_learn(tags, others):
    held_out = HeldOut(np.array(tags), np.array(others), None)
    table = classification_report(
        held_out.is_tag(), held_out.scores() >= 0.5, labels=[True, False], target_names=["tag", "other"],
        digits=4, zero_division=0)
    assert strip_lines(table.rstrip()) in report_of(held_out)
