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
        return f"{self.more_needed:,} more image{'' if self.more_needed == 1 else 's'} needed" if self.more_needed else self.outcome

    def in_words(self) -> str:
        """ "0.97 (0.95-0.99) of 213, from 0.81 on", or why not."""
        measured = "" if self.share is None else f"{self.share:.3f} ({self.low:.3f}-{self.high:.3f}) of {self.images}"
        if self.outcome == KEPT:
            return f"{measured}, from {self.threshold:.4f} on"
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

    def by_title(self) -> list[tuple[str, Promise]]:
        return [(f"precision {self.precision.target:g}", self.precision), (f"recall {self.recall.target:g}", self.recall)]

    def as_dict(self) -> dict:
        return {"yes_from": self.yes_from, "no_below": self.no_below, "target_precision": self.precision.target,
                "target_recall": self.recall.target, "precision": self.precision.as_dict(), "recall": self.recall.as_dict()}


def promises(is_tag: np.ndarray, probabilities: np.ndarray | None, target_precision: float, target_recall: float) -> Promises:
    """is_tag: bool (n,), probabilities: (n,), out of fold; None where there are none, as for a tag with a single image."""
    tags = int(is_tag.sum())
    if probabilities is None:
        return Promises(*(Promise(target, TOO_FEW, None, None, None, None, 0, _without_a_mistake(target) - tags)
                          for target in (target_precision, target_recall)))
    order = np.argsort(-probabilities, kind="stable")
    is_tag, probabilities = is_tag[order], probabilities[order]
    last = np.append(np.diff(probabilities) != 0, True)  # equal probabilities fall on one side of a threshold
    called, right, levels = np.flatnonzero(last) + 1, np.cumsum(is_tag)[last], probabilities[last]
    precision = _promise(right, called, levels, target_precision, tags, lowest=True)
    recall = _promise(right, np.full(len(right), tags), levels, target_recall, tags, lowest=False)
    return Promises(precision, recall)


def _promise(right: np.ndarray, of: np.ndarray, levels: np.ndarray, target: float, tags: int, lowest: bool) -> Promise:
    """The lowest, or the highest, level at which the share right / of keeps the promise."""
    surely = lower_end(right, of)
    kept = np.flatnonzero(surely >= target)
    if len(kept):
        place, outcome, more = kept[-1 if lowest else 0], KEPT, 0
    else:
        place = int(np.argmax(surely))
        more = _more_needed(right, of, target, tags)
        outcome = OUT_OF_REACH if more is None else TOO_FEW
    threshold = float(levels[place]) if outcome == KEPT else None
    count, total = int(right[place]), int(of[place])
    return Promise(target, outcome, threshold, round(count / total, 6), round(float(surely[place]), 6),
                   round(upper_end(count, total), 6), total, more)


def lower_end(right: np.ndarray, of: np.ndarray) -> np.ndarray:
    """The smallest share that would give as many right ones as these in more than 5 % of the cases."""
    from scipy.stats import beta

    return np.where(right > 0, beta.ppf(1 - CONFIDENCE, np.maximum(right, 1), of - right + 1), 0.0)


def upper_end(right: int, of: int) -> float:
    from scipy.stats import beta

    return float(beta.ppf(CONFIDENCE, right + 1, of - right)) if right < of else 1.0


def _more_needed(right: np.ndarray, of: np.ndarray, target: float, tags: int) -> int | None:
    """How many more images of the tag would do, if the shares stayed as they are: the interval shrinks with the root of the number."""
    from scipy.stats import norm

    share = right / of
    promising = (share > target) & (right > 0)
    if not promising.any():
        return None
    share, of = share[promising], of[promising]
    enough = np.maximum(_without_a_mistake(target), norm.ppf(CONFIDENCE) ** 2 * share * (1 - share) / (share - target) ** 2)
    more = max(1, int(np.ceil((enough / of * tags).min())) - tags)
    return more if more <= MOST_NEEDED else None


def _without_a_mistake(target: float) -> int:
    """So many right ones of as many prove the promise: 59 for 0.95."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(target))
