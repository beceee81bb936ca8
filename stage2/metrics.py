"""How good a model is on pictures it has not seen: metrics of its out-of-fold probabilities, each with a bootstrap interval.

Average precision and ROC AUC as in scikit-learn. F1 at a probability of 0.5. Calibration error: expected calibration error (Guo et al.
2017) over ten bins of equal width, those of stage 3.

Intervals are meant to hold 95 %: Efron's percentile bootstrap, less its bias, over groups of near-duplicates, since a copy adds no
evidence. Of few images a bootstrap knows too little. What none of n images shows may still be true of 1 - 0.025 ** (1 / n) of all (the
"rule of three", at 95 %), so a lower end is never above the value times 0.025 ** (1 / n). On drawn scores of 3 to 100 images of a tag
the intervals of average precision then held the truth in 93 to 99 % of the cases; the bootstrap alone in 43 to 93 %.
"""
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cache.models.score_bins import bin_numbers

RESAMPLES, SAMPLES_AT_ONCE = 200, 50
SURPRISE = 0.025  # how likely the truth is to lie beyond either end
CALIBRATION_BINS = 10
DECISION = 0.5
METRICS = {"average_precision": "average precision", "roc_auc": "ROC AUC", "f1": "F1", "calibration_error": "calibration error"}


@dataclass(frozen=True)
class Estimate:
    """A metric between 0 and 1, and the ends of its interval; None for all three where there is nothing to measure it on."""

    value: float | None
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, float | None]:
        return vars(self)


NOTHING = Estimate(None, None, None)


class Resamples:
    """The same random samples of pictures for all models, drawn group by group."""

    def __init__(self, group_of: np.ndarray, count: int = RESAMPLES):
        """group_of: a group number for each row of the metadata matrix."""
        random, groups = np.random.default_rng(0), int(group_of.max(initial=-1)) + 1
        self._group_of = group_of
        times = (np.bincount(random.integers(0, groups, groups), minlength=groups) for _ in range(count))
        self._times = np.array([np.minimum(each, 255) for each in times], np.uint8).T  # of millions of groups none is drawn 20 times

    def estimates(self, rows: np.ndarray, is_tag: np.ndarray, probabilities: np.ndarray) -> dict[str, Estimate]:
        """Every one of METRICS, of these rows of the matrix. is_tag: bool (rows,), probabilities: (rows,)."""
        if is_tag.all() or not is_tag.any():
            return dict.fromkeys(METRICS, NOTHING)
        order = np.argsort(-probabilities, kind="stable")
        rows, is_tag, probabilities = rows[order], is_tag[order], probabilities[order]
        measured = values(is_tag, probabilities)
        parts = [_measured(is_tag, probabilities, weights) for weights in self._weights(rows)]
        least = SURPRISE ** (1 / len(np.unique(self._group_of[rows[is_tag]])))
        return {name: _estimate(measured[name], np.concatenate([part[name] for part in parts]), least) for name in METRICS}

    def _weights(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """How often each row stands in some of the samples: float32 (rows, samples)."""
        for start in range(0, self._times.shape[1], SAMPLES_AT_ONCE):
            yield self._times[self._group_of[rows], start:start + SAMPLES_AT_ONCE].astype(np.float32)


def values(is_tag: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """Every one of METRICS, None where there is nothing to measure it on."""
    if is_tag.all() or not is_tag.any():
        return dict.fromkeys(METRICS)
    order = np.argsort(-probabilities, kind="stable")
    return {name: float(found[0]) for name, found in _measured(is_tag[order], probabilities[order], np.ones((len(order), 1))).items()}


def average_precision(is_tag: np.ndarray, probabilities: np.ndarray | None) -> float:
    """0 where there is nothing to measure it on."""
    return 0.0 if probabilities is None else values(is_tag, probabilities)["average_precision"] or 0.0


def calibration_error(is_tag: np.ndarray, probabilities: np.ndarray) -> float:
    return float(_calibration_error(is_tag, probabilities, np.ones((len(is_tag), 1)))[0])


def _measured(is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every metric in every sample; NaN in one without the tag, or without others. The likeliest come first."""
    return {**_ranking(is_tag, probabilities, weights), "f1": _f1(is_tag, probabilities, weights),
            "calibration_error": _calibration_error(is_tag, probabilities, weights)}


def _ranking(is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Both from how many pictures, and how many of the tag, are as likely as one of the tag or likelier; equal ones count together."""
    level = np.cumsum(np.diff(probabilities, prepend=probabilities[0]) != 0)
    levels = np.unique(level[is_tag])
    first, last = np.searchsorted(level, levels), np.searchsorted(level, levels, side="right")
    all_above, tags_above, tags_until = _sums(weights), _sums(weights[is_tag]), np.append(0, np.cumsum(is_tag))
    tags_before, tags_through = tags_above[tags_until[first]], tags_above[tags_until[last]]
    others_before, others_through = all_above[first] - tags_before, all_above[last] - tags_through
    here, tags = tags_through - tags_before, tags_above[-1]
    others = all_above[-1] - tags
    precision = _ratio(tags_through, all_above[last], nothing=0)
    return {"average_precision": _ratio((here * precision).sum(0), tags),
            "roc_auc": _ratio((here * (others - (others_before + others_through) / 2)).sum(0), tags * others)}


def _sums(weights: np.ndarray) -> np.ndarray:
    """Of the first 0, 1, 2 ... rows."""
    return np.concatenate([np.zeros_like(weights[:1]), np.cumsum(weights, 0)])


def _f1(is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    called = probabilities >= DECISION
    right = weights[called & is_tag].sum(0)
    return _ratio(2 * right, weights[called].sum(0) + weights[is_tag].sum(0))


def _calibration_error(is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    bins = bin_numbers(probabilities, CALIBRATION_BINS)
    members = (bins == np.arange(1, CALIBRATION_BINS + 1)[:, None]) * (is_tag - probabilities)
    return _ratio(np.abs(members @ weights).sum(0), weights.sum(0))


def _ratio(part: np.ndarray, whole: np.ndarray, nothing: float = np.nan) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(part), float(nothing)), where=whole > 0)


def _estimate(value: float, resampled: np.ndarray, least: float) -> Estimate:
    resampled = resampled[np.isfinite(resampled)]
    if not len(resampled):
        return Estimate(round(value, 6), None, None)
    # A sample holds some pictures twice, which flatters rankings and roughens bins: that bias is known, and taken away.
    low, high = np.quantile(resampled, [SURPRISE, 1 - SURPRISE]) - (resampled.mean() - value)
    return Estimate(*(round(min(1.0, max(0.0, float(number))), 6) for number in (value, min(low, value * least), max(high, value))))
