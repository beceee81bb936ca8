"""Probabilities turned into decisions by the thresholds on a model's card: "yes", "no", or "unsure" where the model had rather not say."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cache.refusal import Refused

DECISIONS = ("no", "unsure", "yes", None)  # by their code; None: the model has no thresholds
UNDECIDED = DECISIONS.index(None)


@dataclass(frozen=True)
class Thresholds:
    """None: this side can never be said."""

    yes_from: float | None
    no_below: float | None

    @classmethod
    def from_card(cls, value: object, path: object) -> "Thresholds":
        """`value` is what the card at `path` holds under "thresholds". Raises Refused for anything but two probabilities or nulls."""
        limits = [value.get(name, "") for name in ("yes_from", "no_below")] if isinstance(value, dict) else [""]
        if not all(limit is None or is_probability(limit) for limit in limits):
            raise Refused(f"{path} should name the thresholds yes_from and no_below, each from 0 to 1 or null; mend it, or train again")
        thresholds = cls(*limits)
        if None not in limits and thresholds.no_below > thresholds.yes_from:
            raise Refused(f"{path} has a threshold no_below above yes_from; mend it, or train again")
        return thresholds

    def decide(self, probability: float) -> str:
        if self.yes_from is not None and probability >= self.yes_from:
            return "yes"
        return "no" if self.no_below is not None and probability < self.no_below else "unsure"


def is_probability(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


class DecisionCodes:
    """Thresholds.decide() of many models and pictures at once."""

    def __init__(self, thresholds: Sequence[Thresholds | None]):
        def limits(name: str, never: float) -> np.ndarray:
            return np.array([never if (limit := getattr(each, name, None)) is None else limit for each in thresholds], float)

        self._yes_from, self._no_below = limits("yes_from", np.inf), limits("no_below", -np.inf)
        self._neither = np.array([DECISIONS.index("unsure") if each else UNDECIDED for each in thresholds], np.uint8)

    def of(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities (pictures, models) -> uint8 of the same shape, places in DECISIONS."""
        return self._neither + (scores >= self._yes_from) - (scores < self._no_below).astype(np.uint8)
