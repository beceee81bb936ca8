"""What one model says of the pictures of --test_per, which no fold has seen, and how often it is right at
0.5."""
from dataclasses import dataclass

import numpy as np

from stage2.metrics import DECISION, DIGITS, average_precision


@dataclass(frozen=True)
class Confusion:
    """How many pictures were called the tag, from a probability of 0.5 on, and how many of them rightly."""

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    def rates(self) -> dict[str, float | None]:
        """None where there is no picture to measure on."""
        tags = self.true_positive + self.false_negative
        others = self.false_positive + self.true_negative
        return {
            "accuracy": _ratio(self.true_positive + self.true_negative, tags + others),
            "true_positive_rate": _ratio(self.true_positive, tags),
            "false_negative_rate": _ratio(self.false_negative, tags),
            "false_positive_rate": _ratio(self.false_positive, others),
            "true_negative_rate": _ratio(self.true_negative, others),
        }


def confusion(tag_scores: np.ndarray, other_scores: np.ndarray) -> Confusion:
    """Of the probabilities of pictures with the tag, and of those without."""
    hits = int((tag_scores >= DECISION).sum())
    false_alarms = int((other_scores >= DECISION).sum())
    return Confusion(hits, len(tag_scores) - hits, false_alarms, len(other_scores) - false_alarms)


@dataclass(frozen=True)
class HeldOut:
    """Probabilities of the tag for held-out images, and for images of no tag at all, where the dataset has
    some."""

    tag_scores: np.ndarray  # held-out images of the tag
    other_scores: np.ndarray  # held-out images of others
    outside_scores: np.ndarray | None  # images of the tag `other-validation`

    @property
    def confusion(self) -> Confusion:
        return confusion(self.tag_scores, self.other_scores)

    def metrics(self) -> dict[str, float | None]:
        """None where the held-out part has no image to measure on."""
        return {**self.confusion.rates(), "average_precision": self._average_precision()}

    def is_tag(self) -> np.ndarray:
        return np.repeat([True, False], [len(self.tag_scores), len(self.other_scores)])

    def scores(self) -> np.ndarray:
        return np.concatenate([self.tag_scores, self.other_scores])

    def _average_precision(self) -> float | None:
        if not len(self.tag_scores) or not len(self.other_scores):
            return None
        return round(average_precision(self.is_tag(), self.scores()), DIGITS)


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, DIGITS) if whole else None
