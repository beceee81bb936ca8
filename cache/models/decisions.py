"""Probabilities turned into decisions by the thresholds on a model's card: "yes", "no", or "unsure" where the
model had rather not say."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cache.refusal import Refused

DECISIONS = ("no", "unsure", "yes", None)  # by their code; None: the model has no thresholds
UNDECIDED = DECISIONS.index(None)
MISSING = object()  # on a card, where null has a meaning


@dataclass(frozen=True)
class Thresholds:
    """None: this side can never be said."""

    yes_from: float | None
    no_below: float | None

    @classmethod
    def from_card(cls, value: object, path: object) -> "Thresholds":
        """`value` is what the card at `path` holds under "thresholds". Raises Refused for anything but two
        probabilities or nulls."""
        limits = value if isinstance(value, dict) else {}
        yes_from, no_below = limits.get("yes_from", MISSING), limits.get("no_below", MISSING)
        if not all(limit is None or is_probability(limit) for limit in (yes_from, no_below)):
            raise Refused(
                f"{path} should name the thresholds yes_from and no_below, each from 0 to 1 or null; "
                f"mend it, or train again")
        if yes_from is not None and no_below is not None and no_below > yes_from:
            raise Refused(f"{path} has a threshold no_below above yes_from; mend it, or train again")
        return cls(yes_from, no_below)


def is_probability(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


class DecisionCodes:
    """Yes from the one threshold on, no below the other, unsure between: of many models and pictures at
    once."""

    def __init__(self, thresholds: Sequence[Thresholds | None]):
        limits = [of_model or Thresholds(None, None) for of_model in thresholds]
        unsure = DECISIONS.index("unsure")
        self._yes_from = np.array([np.inf if limit.yes_from is None else limit.yes_from for limit in limits])
        self._no_below = np.array([-np.inf if limit.no_below is None else limit.no_below for limit in limits])
        self._neither = np.array([unsure if of_model else UNDECIDED for of_model in thresholds], np.uint8)

    def of(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities (pictures, models) -> uint8 of the same shape, places in DECISIONS."""
        return self._neither + (scores >= self._yes_from) - (scores < self._no_below).astype(np.uint8)
