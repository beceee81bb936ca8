"""How good a model is on pictures it has not seen: metrics of its out-of-fold probabilities, each with a
bootstrap interval.

Average precision and ROC AUC as in scikit-learn. F1 at a probability of 0.5. Calibration error: expected
calibration error (Guo et al. 2017) over ten bins of equal width, those of stage 3.

Intervals are meant to hold 95 %: Efron's percentile bootstrap, less its bias, over groups of near-duplicates,
since a copy adds no evidence. Of few images a bootstrap knows too little. What none of n images shows may
still be true of 1 - 0.025 ** (1 / n) of all (the "rule of three", at 95 %), so a lower end is never above the
value times 0.025 ** (1 / n). On drawn scores of 3 to 100 images of a tag the intervals of average precision
then held the truth in 93 to 99 % of the cases; the bootstrap alone in 43 to 93 %.
"""
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from cache.models.score_bins import bin_numbers

RESAMPLES = 200
SAMPLES_AT_ONCE = 50
MOST_TIMES = 255  # that a byte can say a group is in a sample: of millions of groups none is there 20 times
SURPRISE = 0.025  # how likely the truth is to lie beyond either end
CALIBRATION_BINS = 10
DECISION = 0.5
DIGITS = 6  # of what is written down
METRICS = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "calibration_error": "calibration error",
}


@dataclass(frozen=True)
class Estimate:
    """A metric between 0 and 1, and the ends of its interval; None for all three where nothing can be
    measured."""

    value: float | None
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, float | None]:
        return asdict(self)


NOTHING = Estimate(None, None, None)


class Resamples:
    """The same random samples of pictures for all models, drawn group by group."""

    def __init__(self, group_of: np.ndarray, count: int = RESAMPLES):
        """group_of: a group number for each row of the metadata matrix."""
        random = np.random.default_rng(0)
        groups = int(group_of.max(initial=-1)) + 1
        samples = [
            np.minimum(np.bincount(random.integers(0, groups, groups), minlength=groups), MOST_TIMES)
            for _ in range(count)
        ]
        self._group_of = group_of
        self._times = np.array(samples, np.uint8).T  # (groups, samples): how often each group was drawn

    def estimates(
        self, rows: np.ndarray, is_tag: np.ndarray, probabilities: np.ndarray, other_weight: float = 1,
    ) -> dict[str, Estimate]:
        """Every one of METRICS, of these rows of the matrix. is_tag: bool (rows,), probabilities: (rows,);
        other_weight: for how many pictures each stands that is not of the tag."""
        if is_tag.all() or not is_tag.any():
            return dict.fromkeys(METRICS, NOTHING)
        order = np.argsort(-probabilities, kind="stable")
        rows, is_tag, probabilities = rows[order], is_tag[order], probabilities[order]
        stands_for = np.where(is_tag, 1.0, other_weight)[:, None]
        values = _metrics_in_order(is_tag, probabilities, stands_for)
        blocks = [
            _metrics_by_sample(is_tag, probabilities, times * stands_for.astype(np.float32))
            for times in self._times_drawn(rows)]
        distinct = len(np.unique(self._group_of[rows[is_tag]]))
        least = SURPRISE ** (1 / distinct)
        return {
            name: _estimate(value, np.concatenate([block[name] for block in blocks]), least)
            for name, value in values.items()
        }

    def _times_drawn(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """How often each row stands in some of the samples: float32 (rows, samples)."""
        for start in range(0, self._times.shape[1], SAMPLES_AT_ONCE):
            yield self._times[self._group_of[rows], start:start + SAMPLES_AT_ONCE].astype(np.float32)


def metrics_of(is_tag: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """Every one of METRICS, None where there is nothing to measure it on. is_tag: bool (n,), probabilities:
    (n,)."""
    if is_tag.all() or not is_tag.any():
        return dict.fromkeys(METRICS)
    order = np.argsort(-probabilities, kind="stable")
    return {**_metrics_in_order(is_tag[order], probabilities[order], np.ones((len(is_tag), 1)))}


def average_precision(is_tag: np.ndarray, probabilities: np.ndarray | None) -> float:
    """0 where there is nothing to measure it on."""
    return 0.0 if probabilities is None else metrics_of(is_tag, probabilities)["average_precision"] or 0.0


def calibration_error(is_tag: np.ndarray, probabilities: np.ndarray) -> float:
    return float(_calibration_error(is_tag, probabilities, np.ones((len(is_tag), 1)))[0])


def base_rate(is_tag: np.ndarray) -> float | None:
    """The tag's share of all pictures, which is the average precision of pure chance; None where there is no
    picture."""
    return float(is_tag.mean()) if len(is_tag) else None


def rounded(value: float | None) -> float | None:
    """As it is written down."""
    return None if value is None else round(value, DIGITS)


def _metrics_in_order(
    is_tag: np.ndarray, probabilities: np.ndarray, stands_for: np.ndarray,
) -> dict[str, float]:
    """Every metric of all pictures, of which the likeliest come first. stands_for: (n, 1), how many."""
    by_sample = _metrics_by_sample(is_tag, probabilities, stands_for)
    return {name: float(values[0]) for name, values in by_sample.items()}


def _metrics_by_sample(
    is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray,
) -> dict[str, np.ndarray]:
    """Every metric in every sample: (samples,), NaN in one without the tag, or without others.

    The likeliest come first. weights: (n, samples), how often each row stands in each sample.
    """
    return {
        **_ranking(is_tag, probabilities, weights),
        "f1": _f1(is_tag, probabilities, weights),
        "calibration_error": _calibration_error(is_tag, probabilities, weights),
    }


def _ranking(is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Average precision and ROC AUC, both from how many pictures, and how many of the tag, are as likely as
    one of the tag or likelier; equal ones count together. Arrays are (levels, samples), levels being the
    tag's probabilities."""
    changes = np.diff(probabilities, prepend=probabilities[0]) != 0
    level_of = np.cumsum(changes)  # (n,), equal for equal probabilities
    levels = np.unique(level_of[is_tag])
    first = np.searchsorted(level_of, levels)
    last = np.searchsorted(level_of, levels, side="right")
    tags_until = np.append(0, np.cumsum(is_tag))  # (n + 1,), how many of the first rows carry the tag

    all_above, tags_above = _running_sums(weights), _running_sums(weights[is_tag])
    tags_before, tags_through = tags_above[tags_until[first]], tags_above[tags_until[last]]
    others_before = all_above[first] - tags_before
    others_through = all_above[last] - tags_through
    tags_here = tags_through - tags_before
    tags = tags_above[-1]
    others = all_above[-1] - tags

    precision = _ratio(tags_through, all_above[last], nothing=0)
    # Of equally likely ones half, as in the Mann-Whitney statistic.
    others_below = others - (others_before + others_through) / 2
    return {
        "average_precision": _ratio((tags_here * precision).sum(0), tags),
        "roc_auc": _ratio((tags_here * others_below).sum(0), tags * others),
    }


def _running_sums(weights: np.ndarray) -> np.ndarray:
    """Of the first 0, 1, 2 ... rows: (n + 1, samples)."""
    return np.concatenate([np.zeros_like(weights[:1]), np.cumsum(weights, 0)])


def _f1(is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    called = probabilities >= DECISION
    right = weights[called & is_tag].sum(0)
    return _ratio(2 * right, weights[called].sum(0) + weights[is_tag].sum(0))


def _calibration_error(is_tag: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    bins = bin_numbers(probabilities, CALIBRATION_BINS)
    errors, by_bin = is_tag - probabilities, np.zeros(weights.shape[1])
    for number in range(1, CALIBRATION_BINS + 1):
        here = np.flatnonzero(bins == number)
        by_bin += np.abs(errors[here] @ weights[here])
    return _ratio(by_bin, weights.sum(0))


def _ratio(part: np.ndarray, whole: np.ndarray, nothing: float = np.nan) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(part), float(nothing)), where=whole > 0)


def _estimate(value: float, resampled: np.ndarray, least: float) -> Estimate:
    """resampled: the metric in each sample; least: the share of the value that a lower end never exceeds."""
    resampled = resampled[np.isfinite(resampled)]
    if not len(resampled):
        return Estimate(round(value, DIGITS), None, None)
    # A sample holds some pictures twice, which flatters rankings and roughens bins: that bias is known, and
    # taken away.
    bias = resampled.mean() - value
    low, high = np.quantile(resampled, [SURPRISE, 1 - SURPRISE]) - bias
    return Estimate(_share(value), _share(min(low, value * least)), _share(max(high, value)))


def _share(number: float) -> float:
    return round(min(1.0, max(0.0, float(number))), DIGITS)
