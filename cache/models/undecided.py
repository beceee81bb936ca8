"""Why a model decides nothing, and what to do about it."""
from enum import Enum

from cache.models.decisions import Thresholds
from cache.models.tag_models import TagModel


class Undecided(Enum):
    """What such a model is like, and what follows for its scores."""

    NO_CARD = "without a card", "decision is empty; train again"
    NO_THRESHOLDS = "without thresholds", "decision is empty; see --target_precision"
    OUT_OF_REACH = "that reach no threshold", "decision is always unsure; label more pictures"

    def __init__(self, kind: str, advice: str):
        self.kind, self.advice = kind, advice


def why_undecided(model: TagModel) -> Undecided | None:
    """None for a model that can say yes or no."""
    if model.encoder is None:
        return Undecided.NO_CARD
    if model.thresholds is None:
        return Undecided.NO_THRESHOLDS
    return Undecided.OUT_OF_REACH if model.thresholds == Thresholds(None, None) else None
