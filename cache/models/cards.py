"""The JSON beside a model file, as far as scoring needs it: a person may have edited it."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cache.models.decisions import is_probability
from cache.refusal import Refused

WORLDS = STRANGERS, CLOSED = ("strangers", "closed")  # as stage2/flags.py names them
TRIED_ON = TAGS, OTHERS = ("tags", "other-training")  # whose pictures stood for strangers
# Whom a yes keeps its promise among, by the world and by whose pictures were tried.
AMONG_TAGS = "yes keeps its promise only while every new picture carries one of the tags (--world closed)"
AS_TRIED_ON = {
    TAGS: "yes keeps its promise among strangers, tried on kinds that the models had never met; "
          "a kind nearer to a tag than all of those may break it",
    OTHERS: f"yes keeps its promise among new pictures like the tags' and those of {OTHERS}",
}
MUCH = 0.1  # of average precision


def read_card(path: str) -> dict:
    """{} if there is none. Raises Refused for one that is damaged, or of something else."""
    beside = Path(path).with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        card = orjson.loads(beside.read_bytes())
    except (OSError, ValueError) as error:
        raise Refused(f"{beside} is not readable JSON ({error}); remove it, or train again") from None
    names = ("model_type", "tag_name", "model")
    if not isinstance(card, dict) or not all(isinstance(card.get(name), str) for name in names):
        raise Refused(f"{beside} is not a model card of stage 2; remove it, or train again")
    return card


def has_no_examples(counts: object) -> bool:
    """counts: whatever a card holds under this name."""
    return isinstance(counts, dict) and counts.get("tag_train") == 0


@dataclass(frozen=True)
class Worlds:
    """How a model fares among pictures of kinds that were taught, and among strangers: pictures of kinds that
    nobody has taught. None for what a card does not say, as those from before strangers were tried."""

    taught: float | None = None  # average precision
    strangers: float | None = None
    decides_in: str | None = None  # one of WORLDS: where a yes keeps its promise
    tried_on: str | None = None  # one of TRIED_ON

    @classmethod
    def from_card(cls, card: dict) -> "Worlds":
        thresholds = card.get("thresholds")
        world, tried_on = (_part(thresholds, name) for name in ("world", "tried_on"))
        return cls(
            taught=_average_precision(card.get("cross_validation")),
            strangers=_average_precision(card.get("among_strangers")),
            decides_in=world if world in WORLDS else None,
            tried_on=tried_on if tried_on in TRIED_ON else None,
        )

    @property
    def yes_holds(self) -> str | None:
        """Whom a yes keeps its promise among, in the words of stages 2, 3 and 4; None where that is not
        known."""
        if self.decides_in == CLOSED:
            return AMONG_TAGS
        return AS_TRIED_ON[self.tried_on or TAGS] if self.decides_in == STRANGERS else None

    @property
    def differ(self) -> bool:
        """Whether high scores are much less to be relied on among strangers."""
        return self.taught is not None and self.strangers is not None and self.taught - self.strangers > MUCH


def _average_precision(metrics: object) -> float | None:
    value = _part(_part(metrics, "average_precision"), "value")
    return float(value) if is_probability(value) else None


def _part(value: object, name: str) -> Any:
    """None where there is none, whatever the card holds in its place."""
    return value.get(name) if isinstance(value, dict) else None
