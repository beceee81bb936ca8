"""Thresholds that keep a promise: of what is called the tag, at least this share is; of the tag, at least
this share is not called "no".

Those of this module hold among pictures like those taught, see `among_strangers` for the rest. Shares are
measured on out-of-fold probabilities, and a promise counts as kept if the lower end of their
interval keeps it: the exact interval of Clopper and Pearson (1934), 95 % sure on the side that matters. 30
right ones of 30 are therefore no proof of a precision of 0.95; 59 of 59 are.
"""
import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from cache.text import plural
from stage2.metrics import DIGITS

CONFIDENCE = 0.95
KEPT, TOO_FEW, OUT_OF_REACH = "kept", "not enough examples", "out of reach"
UNTRIED = "no strangers to try it on"
MOST_NEEDED = 10_000  # a wish for more images than this says nothing but that the promise is out of reach
WEIGHT_DIGITS = 9  # of sums of weights: thirds add up to whole numbers
NO_WEIGHT = 1e-9


@dataclass(frozen=True)
class Promise:
    """What became of one promise. Without a threshold it could not be kept, and the share is the best to be
    had."""

    target: float
    outcome: str
    threshold: float | None
    share: float | None
    low: float | None
    high: float | None
    images: int  # that the share is a share of
    more_needed: int | None  # images of the tag; None if no number of them would do

    def why_not(self) -> str:
        return f"about {plural(self.more_needed, 'more image')} needed" if self.more_needed else self.outcome

    def in_words(self) -> str:
        """ "0.970 of 213, surely 0.951, from 0.81 on", or why not. Surely: 95 % sure that it is no less."""
        measured = "" if self.share is None else f"{self.share:.3f} of {self.images}, surely {self.low:.3f}"
        if self.outcome == KEPT:
            return f"{measured}, from {self.threshold:.4g} on"
        reason = f"{self.outcome}: {self.why_not()}" if self.more_needed else self.why_not()
        return f"{reason}; at best {measured}" if measured else reason

    def as_dict(self) -> dict:
        return asdict(self)


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
        yes_from, no_below = self.precision.threshold, self.recall.threshold
        return no_below if yes_from is None or no_below is None else min(yes_from, no_below)

    def untried(self) -> "Promises":
        """Where only the promise of recall could be tried, which asks about pictures of the tag alone."""
        precision = Promise(self.precision.target, UNTRIED, None, None, None, None, 0, None)
        return replace(self, precision=precision)

    def in_words(self) -> str:
        """What stages 3 and 4 go by, or why there is nothing to go by."""
        yes = f"yes: {self.precision.why_not()}" if self.yes_from is None else f"yes from {self.yes_from:.3g}"
        no = f"no: {self.recall.why_not()}" if self.no_below is None else f"no below {self.no_below:.3g}"
        return f"{yes}, {no}"

    def by_title(self) -> list[tuple[str, Promise]]:
        return [
            (f"precision {self.precision.target:g}", self.precision),
            (f"recall {self.recall.target:g}", self.recall),
        ]

    def as_dict(self) -> dict:
        return {
            "yes_from": self.yes_from,
            "no_below": self.no_below,
            "target_precision": self.precision.target,
            "target_recall": self.recall.target,
            "precision": self.precision.as_dict(),
            "recall": self.recall.as_dict(),
        }


def promises(
    is_tag: np.ndarray, probabilities: np.ndarray | None, group_of: np.ndarray,
    target_precision: float, target_recall: float,
) -> Promises:
    """is_tag: bool (n,).

    probabilities: (n,), out of fold; None where there are none on the scale of the model, as of a tag with
    one image. group_of: (n,), the same number for near-duplicates, which together count as one picture.
    """
    weights = picture_weights(group_of)
    tags = round(float(weights[is_tag].sum()), WEIGHT_DIGITS)
    if probabilities is None:
        return Promises(_nothing_known(target_precision, tags), _nothing_known(target_recall, tags))
    order = np.argsort(-probabilities, kind="stable")
    is_tag, probabilities, weights = is_tag[order], probabilities[order], weights[order]
    last = np.append(np.diff(probabilities) != 0, True)  # equal probabilities fall on one side of a threshold
    levels = probabilities[last]
    called = np.round(np.cumsum(weights)[last], WEIGHT_DIGITS)
    right = np.round(np.cumsum(weights * is_tag)[last], WEIGHT_DIGITS)
    precision = Levels(levels, right, called).promise(target_precision, tags, lowest=True)
    recall = Levels(levels, right, np.full(len(right), tags)).promise(target_recall, tags, lowest=False)
    return Promises(precision, recall)


def picture_weights(group_of: np.ndarray) -> np.ndarray:
    """Near-duplicates, which have the same number, weigh together as much as one picture: (n,)."""
    return 1 / np.bincount(group_of)[group_of]


def _nothing_known(target: float, tags: float) -> Promise:
    more = math.ceil(_without_a_mistake(target) - tags)
    return Promise(target, TOO_FEW, None, None, None, None, 0, more if more > 0 else None)


@dataclass(frozen=True)
class Levels:
    """The thresholds there are, falling, and at each of them a share: so many right ones of so many. All
    (levels,)."""

    thresholds: np.ndarray
    right: np.ndarray
    of: np.ndarray

    def promise(self, target: float, tags: float, *, lowest: bool) -> Promise:
        """At the lowest, or the highest, threshold whose share keeps it. tags: how many images the tag
        has."""
        surely = lower_end(self.right, self.of)
        kept = np.flatnonzero(surely >= target)
        more: int | None = 0
        if len(kept):
            place, outcome = int(kept[-1 if lowest else 0]), KEPT
        else:
            place = int(np.argmax(surely))
            more = self._more_needed(surely, target, tags)
            outcome = OUT_OF_REACH if more is None else TOO_FEW
        right, of = float(self.right[place]), float(self.of[place])
        return Promise(
            target=target,
            outcome=outcome,
            threshold=float(self.thresholds[place]) if outcome == KEPT else None,
            share=round(right / of, DIGITS),
            low=round(float(surely[place]), DIGITS),
            high=round(upper_end(right, of), DIGITS),
            images=round(of),
            more_needed=more,
        )

    def _more_needed(self, surely: np.ndarray, target: float, tags: float) -> int | None:
        """About how many more images of the tag would do, if the shares stayed as they are: the interval
        shrinks with the root of the number. Asked of the surest of the levels that are above the target; the
        luckiest would promise too much."""
        from scipy.stats import norm

        promising = np.flatnonzero((self.right / self.of > target) & (self.right > 0))
        if not len(promising):
            return None
        place = promising[np.argmax(surely[promising])]
        share = self.right[place] / self.of[place]
        by_normal_interval = norm.ppf(CONFIDENCE) ** 2 * share * (1 - share) / (share - target) ** 2
        enough = max(_without_a_mistake(target), by_normal_interval)
        more = max(1, math.ceil(enough / self.of[place] * tags - tags))
        return more if more <= MOST_NEEDED else None


def lower_end(right: np.ndarray, of: np.ndarray) -> np.ndarray:
    """The smallest share that would give as many right ones as these in more than 5 % of the cases."""
    from scipy.stats import beta

    ends = beta.ppf(1 - CONFIDENCE, np.where(right > 0, right, 1), of - right + 1)
    return np.where(right > 0, ends, 0.0)


def upper_end(right: float, of: float) -> float:
    from scipy.stats import beta

    return float(beta.ppf(CONFIDENCE, right + 1, of - right)) if of - right > NO_WEIGHT else 1.0


def _without_a_mistake(target: float) -> int:
    """So many right ones of as many prove the promise: 59 for 0.95."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(target))
