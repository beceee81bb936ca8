"""The JSON beside a model file, as far as scoring needs it: a person may have edited it."""
from pathlib import Path

import orjson

from cache.refusal import Refused


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
