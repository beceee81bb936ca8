"""The text report of one model: counts, metrics and promises in both worlds, confusion matrix and rates,
classification report, score histograms."""
import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from cache.models.score_bins import bin_name, bin_number
from stage2.flags import CLOSED, STRANGERS
from stage2.judging.held_out import Confusion, HeldOut
from stage2.judging.results import ModelResult
from stage2.judging.worlds import AMONG
from stage2.learning.split import Split
from stage2.metrics import DECISION, METRICS, Estimate, base_rate, rounded

HISTOGRAM_BINS = 10
BAR_WIDTH = 40


def report_text(encoder: str, width: int, tag: str, split: Split, result: ModelResult) -> str:
    """encoder: model:weights; width: features of a vector."""
    held_out = result.held_out
    inside = f"in distribution: the {len(held_out.tag_scores)} held-out images of the tag"
    lines = [
        f"model type   {result.model_type}",
        f"tag          {tag}",
        f"encoder      {encoder}, {width} features",
        "",
        *_counts(split),
        "",
        *_out_of_fold(split, result),
        "",
        *_at_one_half(held_out),
        "",
        *_histogram(inside, held_out.tag_scores),
        "",
        *_histogram(*_outside(held_out)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _counts(split: Split) -> Iterator[str]:
    counts = split.counts()
    yield f"{'images':<18}{'of the tag':>12}{'other':>12}"
    tags, others = (counts[f"{side}_train"] + counts[f"{side}_test"] for side in ("tag", "other"))
    yield f"{'learnt from':<18}{tags:>12}{others:>12}"
    yield f"{'in folds':<18}{counts['tag_train']:>12}{counts['other_train']:>12}"
    yield f"{'held out':<18}{counts['tag_test']:>12}{counts['other_test']:>12}"


def _out_of_fold(split: Split, result: ModelResult) -> Iterator[str]:
    worlds = {AMONG[CLOSED]: result.closed, AMONG[STRANGERS]: result.strangers}
    yield f"{'out of fold':<24}" + "".join(f"{among:<28}" for among in worlds)
    yield f"{'':<22}" + f"{'value':>8}   {'95 % interval':<17}" * len(worlds)
    for name, title in METRICS.items():
        yield f"{title:<22}" + "".join(_estimate(judged.metrics[name]) for judged in worlds.values())
    _, is_tag = split.examples()
    chance = rounded(base_rate(is_tag))
    if chance is not None:
        yield f"{'base rate':<22}{chance:>8.4f}   the average precision of chance"
    yield f"{'calibration':<22}{result.calibration.in_words()}"
    yield from _promises(result)


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"  {'not measured':<26}"
    ends = "" if estimate.low is None else f"{estimate.low:.4f} - {estimate.high:.4f}"
    return f"{estimate.value:>8.4f}   {ends:<17}"


def _promises(result: ModelResult) -> Iterator[str]:
    """Of both worlds, those by which stages 3 and 4 decide first."""
    for world, judged in result.by_world.items():
        if judged.promises:
            yield ""
            decides = ", by which stages 3 and 4 decide" if world == result.world else ""
            yield f"{'promises':<22}{AMONG[world]}{decides}"
            for title, promise in judged.promises.by_title():
                yield f"{title:<22}{promise.in_words()}"
            yield f"{'decision':<22}{judged.promises.in_words()}"


def _at_one_half(held_out: HeldOut) -> Iterator[str]:
    confusion = held_out.confusion
    heading = f"held out, at {DECISION}"
    yield f"{heading:<18}{'scored tag':>12}{'scored other':>14}"
    yield f"{'is tag':<18}{confusion.true_positive:>12}{confusion.false_negative:>14}"
    yield f"{'is other':<18}{confusion.false_positive:>12}{confusion.true_negative:>14}"
    yield ""
    for name, value in held_out.metrics().items():
        yield f"{name.replace('_', ' '):<22}{'no held-out image' if value is None else f'{value:.4f}'}"
    if len(held_out.scores()):
        yield ""
        yield from _classification_report(confusion)


def _classification_report(confusion: Confusion) -> Iterator[str]:
    """To the letter that of scikit-learn, which takes 12 ms for the four numbers; ratios of nothing are 0."""
    # (2,) each: of the tag, of the others
    hits = np.array([confusion.true_positive, confusion.true_negative])
    supports = hits + np.array([confusion.false_negative, confusion.false_positive])
    predicted = hits + np.array([confusion.false_positive, confusion.false_negative])
    total = supports.sum()
    precision, recall = _or_0(hits, predicted), _or_0(hits, supports)
    f1 = _or_0(2 * hits, predicted + supports)
    table = np.array([precision, recall, f1])  # (3, 2)
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


def _outside(held_out: HeldOut) -> tuple[str, np.ndarray]:
    """The heading and the scores of images that should not be called the tag."""
    if held_out.outside_scores is not None:
        scores = held_out.outside_scores
        return f"out of distribution: the {len(scores)} images of other-validation", scores
    scores = held_out.other_scores
    return f"out of distribution: the {len(scores)} held-out other images", scores


def _histogram(title: str, scores: np.ndarray) -> Iterator[str]:
    """The bins of stage 3; they sum to the number of images."""
    counts = Counter(bin_number(score, HISTOGRAM_BINS) for score in scores)
    longest = max(counts.values(), default=1)
    yield f"{title}, by probability of the tag"
    for number in range(1, HISTOGRAM_BINS + 1):
        from_, to = bin_name(number - 1, HISTOGRAM_BINS), bin_name(number, HISTOGRAM_BINS)
        bar = "#" * math.ceil(counts[number] * BAR_WIDTH / longest)
        yield f"  {from_} - {to} {counts[number]:>8}  {bar}"
