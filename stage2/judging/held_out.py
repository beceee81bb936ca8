"""The pictures of --test_per, which no fold has seen: their scores under one model, and what those say of it."""
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stage2.metrics import DECISION, average_precision

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Evaluation:
    """Probabilities of the tag for held-out images, and for images of no tag at all, where the dataset has some."""

    tag_name: str
    tag_scores: np.ndarray  # held-out images of the tag
    other_scores: np.ndarray  # held-out images of others
    outside_scores: np.ndarray | None  # images of the tag `other-validation`

    @property
    def confusion(self) -> dict[str, int]:
        found = int((self.tag_scores >= DECISION).sum())
        false_alarms = int((self.other_scores >= DECISION).sum())
        return {
            "true_positive": found, "false_negative": len(self.tag_scores) - found,
            "false_positive": false_alarms, "true_negative": len(self.other_scores) - false_alarms,
        }

    def metrics(self) -> dict[str, float | None]:
        """None where the held-out part has no image to measure on."""
        confusion = self.confusion
        correct = confusion["true_positive"] + confusion["true_negative"]
        return {
            "accuracy": _ratio(correct, len(self.tag_scores) + len(self.other_scores)),
            "true_positive_rate": _ratio(confusion["true_positive"], len(self.tag_scores)),
            "false_negative_rate": _ratio(confusion["false_negative"], len(self.tag_scores)),
            "false_positive_rate": _ratio(confusion["false_positive"], len(self.other_scores)),
            "true_negative_rate": _ratio(confusion["true_negative"], len(self.other_scores)),
            "average_precision": self._average_precision(),
        }

    def is_tag(self) -> np.ndarray:
        return np.repeat([True, False], [len(self.tag_scores), len(self.other_scores)])

    def scores(self) -> np.ndarray:
        return np.concatenate([self.tag_scores, self.other_scores])

    def _average_precision(self) -> float | None:
        if not len(self.tag_scores) or not len(self.other_scores):
            return None
        return round(average_precision(self.is_tag(), self.scores()), 6)


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
