"""The text report of one model: counts, confusion matrix and rates, accuracy, classification report, score histograms."""
import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from cache.models.score_bins import bin_name, bin_number
from stage2.judging.held_out import Evaluation
from stage2.metrics import DECISION, METRICS

if TYPE_CHECKING:
    from stage2.judging.results import ModelResult
    from stage2.learning.tagged_rows import Split

HISTOGRAM_BINS = 10
BAR_WIDTH = 40


def report_text(encoder: str, width: int, split: "Split", result: "ModelResult") -> str:
    evaluation, counts = result.held_out, split.counts()
    lines = [
        f"model type   {result.model_type}",
        f"tag          {evaluation.tag_name}",
        f"encoder      {encoder}, {width} features",
        "",
        f"{'images':<18}{'of the tag':>12}{'other':>12}",
        f"{'trained on':<18}{counts['tag_train']:>12}{counts['other_train']:>12}",
        f"{'held out':<18}{counts['tag_test']:>12}{counts['other_test']:>12}",
        "",
        *_out_of_fold(result, split.base_rate),
        "",
        *_quality(evaluation),
        "",
        *_histogram(f"in distribution: the {len(evaluation.tag_scores)} held-out images of the tag", evaluation.tag_scores),
        "",
        *_histogram(*_outside(evaluation)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _out_of_fold(result: "ModelResult", base_rate: float | None) -> Iterator[str]:
    yield f"{'out of fold':<22}{'value':>8}   95 % interval"
    for name, title in METRICS.items():
        estimate = result.metrics[name]
        ends = "" if estimate.low is None else f"   {estimate.low:.4f} - {estimate.high:.4f}"
        yield f"{title:<22}{'not measured' if estimate.value is None else f'{estimate.value:>8.4f}'}{ends}"
    if base_rate is not None:
        yield f"{'base rate':<22}{base_rate:>8.4f}   the average precision of chance"
    yield f"{'calibration':<22}{result.calibration.in_words()}"
    for title, promise in result.promises.by_title() if result.promises else ():
        yield f"{title:<22}{promise.in_words()}"
    if result.promises:
        yield f"{'decision':<22}{result.promises.in_words()}"


def _outside(evaluation: Evaluation) -> tuple[str, np.ndarray]:
    if evaluation.outside_scores is not None:
        scores = evaluation.outside_scores
        return f"out of distribution: the {len(scores)} images of other-validation", scores
    return f"out of distribution: the {len(evaluation.other_scores)} held-out other images", evaluation.other_scores


def _quality(evaluation: Evaluation) -> Iterator[str]:
    confusion = evaluation.confusion
    yield f"{f'held out, at {DECISION}':<18}{'scored tag':>12}{'scored other':>14}"
    yield f"{'is tag':<18}{confusion['true_positive']:>12}{confusion['false_negative']:>14}"
    yield f"{'is other':<18}{confusion['false_positive']:>12}{confusion['true_negative']:>14}"
    yield ""
    for name, value in evaluation.metrics().items():
        yield f"{name.replace('_', ' '):<22}{'no held-out image' if value is None else f'{value:.4f}'}"
    if len(evaluation.scores()):
        yield ""
        yield from _classification_report(**confusion)


def _classification_report(true_positive: int, false_negative: int, false_positive: int, true_negative: int) -> Iterator[str]:
    """To the letter that of scikit-learn, which takes 12 ms for the four numbers; ratios of nothing are 0."""
    supports = np.array([true_positive + false_negative, false_positive + true_negative])
    predicted = np.array([true_positive + false_positive, false_negative + true_negative])
    hits, total = np.array([true_positive, true_negative]), supports.sum()
    table = np.array([_or_0(hits, predicted), _or_0(hits, supports), _or_0(2 * hits, predicted + supports)])
    yield f"{'':>12}  {'precision':>9} {'recall':>9} {'f1-score':>9} {'support':>9}"
    yield ""
    for name, row, support in zip(("tag", "other"), table.T, supports, strict=True):
        yield _report_row(name, row, support)
    yield ""
    yield f"{'accuracy':>12}  {'':>9} {'':>9} {hits.sum() / total:>9.4f} {total:>9}"
    yield _report_row("macro avg", table.mean(1), total)
    yield _report_row("weighted avg", table @ supports / total, total)


def _report_row(name: str, row: np.ndarray, support: int) -> str:
    return f"{name:>12}  " + " ".join(f"{value:>9.4f}" for value in row) + f" {support:>9}"


def _or_0(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _histogram(title: str, scores: np.ndarray) -> Iterator[str]:
    """The bins of stage 3; they sum to the number of images."""
    counts = Counter(bin_number(score, HISTOGRAM_BINS) for score in scores)
    longest = max(counts.values(), default=1)
    yield f"{title}, by probability of the tag"
    for number in range(1, HISTOGRAM_BINS + 1):
        bar = "#" * math.ceil(counts[number] * BAR_WIDTH / longest)
        yield f"  {bin_name(number - 1, HISTOGRAM_BINS)} - {bin_name(number, HISTOGRAM_BINS)} {counts[number]:>8}  {bar}"
