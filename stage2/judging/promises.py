"""Thresholds that keep a promise: of what is called the tag, at least this share is; of the tag, at least this share is not called "no".

Shares are measured on out-of-fold probabilities, and a promise counts as kept if the lower end of their interval keeps it: the exact
interval of Clopper and Pearson (1934), 95 % sure on the side that matters. 30 right ones of 30 are therefore no proof of a precision of
0.95; 59 of 59 are.
"""
import math
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
KEPT, TOO_FEW, OUT_OF_REACH = "kept", "not enough examples", "out of reach"
MOST_NEEDED = 10_000  # a wish for more images than this says nothing but that the promise is out of reach


@dataclass(frozen=True)
class Promise:
    """What became of one promise. Without a threshold it could not be kept, and the share is the best that could be had."""

    target: float
    outcome: str
    threshold: float | None
    share: float | None
    low: float | None
    high: float | None
    images: int  # that the share is a share of
    more_needed: int | None  # images of the tag; None if no number of them would do

    def why_not(self) -> str:
        return f"about {self.more_needed:,} more image{'' if self.more_needed == 1 else 's'} needed" if self.more_needed else self.outcome

    def in_words(self) -> str:
        """ "0.970 of 213, surely 0.951, from 0.81 on", or why not. Surely: 95 % sure that it is no less."""
        measured = "" if self.share is None else f"{self.share:.3f} of {self.images}, surely {self.low:.3f}"
        if self.outcome == KEPT:
            return f"{measured}, from {self.threshold:.4g} on"
        wish = f"{self.outcome}: " if self.more_needed else ""
        return f"{wish}{self.why_not()}{measured and f'; at best {measured}'}"

    def as_dict(self) -> dict:
        return vars(self)


@dataclass(frozen=True)
class Promises:
    """Yes from one threshold on, no below the other, unsure between."""

    precision: Promise
    recall: Promise

    @property
    def yes_from(self) -> float | None:
        return self.precision.threshold

    @property
    def no_below(self) -> float | None:
        """Where the two promises overlap, one threshold keeps both."""
        thresholds = (self.precision.threshold, self.recall.threshold)
        return min(thresholds) if None not in thresholds else self.recall.threshold

    def in_words(self) -> str:
        """What stages 3 and 4 go by, or why there is nothing to go by."""
        yes = f"yes: {self.precision.why_not()}" if self.yes_from is None else f"yes from {self.yes_from:.3g}"
        no = f"no: {self.recall.why_not()}" if self.no_below is None else f"no below {self.no_below:.3g}"
        return f"{yes}, {no}"

    def by_title(self) -> list[tuple[str, Promise]]:
        return [(f"precision {self.precision.target:g}", self.precision), (f"recall {self.recall.target:g}", self.recall)]

    def as_dict(self) -> dict:
        return {"yes_from": self.yes_from, "no_below": self.no_below, "target_precision": self.precision.target,
                "target_recall": self.recall.target, "precision": self.precision.as_dict(), "recall": self.recall.as_dict()}


def promises(
    is_tag: np.ndarray, probabilities: np.ndarray | None, group_of: np.ndarray, target_precision: float, target_recall: float,
) -> Promises:
    """is_tag: bool (n,), probabilities: (n,), out of fold; None where there are none on the scale of the model, as for a tag with a single
    image. group_of: (n,), the same number for near-duplicates, which together count as one picture."""
    weights = 1 / np.bincount(group_of)[group_of]
    tags = round(float(weights[is_tag].sum()), 9)
    if probabilities is None:
        return Promises(*(_nothing_known(target, tags) for target in (target_precision, target_recall)))
    order = np.argsort(-probabilities, kind="stable")
    is_tag, probabilities, weights = is_tag[order], probabilities[order], weights[order]
    last = np.append(np.diff(probabilities) != 0, True)  # equal probabilities fall on one side of a threshold
    called, right = (np.round(np.cumsum(values)[last], 9) for values in (weights, weights * is_tag))  # thirds add up to whole numbers
    levels = probabilities[last]
    precision = _promise(right, called, levels, target_precision, tags, lowest=True)
    recall = _promise(right, np.full(len(right), tags), levels, target_recall, tags, lowest=False)
    return Promises(precision, recall)


def _nothing_known(target: float, tags: float) -> Promise:
    more = math.ceil(_without_a_mistake(target) - tags)
    return Promise(target, TOO_FEW, None, None, None, None, 0, more if more > 0 else None)


def _promise(right: np.ndarray, of: np.ndarray, levels: np.ndarray, target: float, tags: float, lowest: bool) -> Promise:
    """The lowest, or the highest, level at which the share right / of keeps the promise."""
    surely = lower_end(right, of)
    kept = np.flatnonzero(surely >= target)
    if len(kept):
        place, outcome, more = kept[-1 if lowest else 0], KEPT, 0
    else:
        place = int(np.argmax(surely))
        more = _more_needed(right, of, surely, target, tags)
        outcome = OUT_OF_REACH if more is None else TOO_FEW
    threshold = float(levels[place]) if outcome == KEPT else None
    count, total = float(right[place]), float(of[place])
    return Promise(target, outcome, threshold, round(count / total, 6), round(float(surely[place]), 6),
                   round(upper_end(count, total), 6), round(total), more)


def lower_end(right: np.ndarray, of: np.ndarray) -> np.ndarray:
    """The smallest share that would give as many right ones as these in more than 5 % of the cases."""
    from scipy.stats import beta

    return np.where(right > 0, beta.ppf(1 - CONFIDENCE, np.where(right > 0, right, 1), of - right + 1), 0.0)


def upper_end(right: float, of: float) -> float:
    from scipy.stats import beta

    return float(beta.ppf(CONFIDENCE, right + 1, of - right)) if of - right > 1e-9 else 1.0


def _more_needed(right: np.ndarray, of: np.ndarray, surely: np.ndarray, target: float, tags: float) -> int | None:
    """About how many more images of the tag would do, if the shares stayed as they are: the interval shrinks with the root of the number.
    Asked of the surest of the levels that are above the target; the luckiest would promise too much."""
    from scipy.stats import norm

    promising = np.flatnonzero((right / of > target) & (right > 0))
    if not len(promising):
        return None
    place = promising[np.argmax(surely[promising])]
    share = right[place] / of[place]
    enough = max(_without_a_mistake(target), norm.ppf(CONFIDENCE) ** 2 * share * (1 - share) / (share - target) ** 2)
    more = max(1, math.ceil(enough / of[place] * tags - tags))
    return more if more <= MOST_NEEDED else None


def _without_a_mistake(target: float) -> int:
    """So many right ones of as many prove the promise: 59 for 0.95."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(target))
