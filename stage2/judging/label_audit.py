"""Which images to look at again: those whose out-of-fold probability contradicts their label. Either the
model or the label is wrong."""
from collections.abc import Mapping, Sequence

import numpy as np

from stage2.judging.results import Suspect, TagResult
from stage2.metrics import DECISION, DIGITS

MOST_SUSPECTS = 24  # of one tag


def suspects(result: TagResult, count: int = MOST_SUSPECTS) -> list[Suspect]:
    """Of the tag's better model, the most contradictory first: images of the tag below 0.5, others from 0.5
    on.

    That is what the decision says, for rare tags too, of which few images may pass 0.5. With a twentieth of
    all labels swapped, 27, 49 and 45 % of those listed were such (stamps, emoji, clothes); by the distance to
    the tag's base rate 11, 45 and 44 %, because others that are only a little likelier than most push out the
    tag's own misses.
    """
    probabilities = result.best.calibration.unseen
    if probabilities is None:
        return []
    wrong = np.flatnonzero(result.is_tag != (probabilities >= DECISION))
    contradiction = np.abs(result.is_tag - probabilities)[wrong]
    places = wrong[np.argsort(-contradiction, kind="stable")][:count]
    return [
        Suspect(int(result.rows[place]), result.tag, bool(result.is_tag[place]), float(probabilities[place]))
        for place in places
    ]


def audit_json(
    suspects_of: Mapping[str, Sequence[Suspect]], hash_of: Mapping[int, str], path_of: Mapping[str, str],
) -> dict[str, list[dict]]:
    """What goes into reports/label-audit.json: the suspects of each tag. hash_of: by row of the metadata
    matrix; path_of: by hash, without those that nobody knows."""
    return {
        tag: [_record(suspect, hash_of[suspect.row], path_of) for suspect in suspects_of_tag]
        for tag, suspects_of_tag in suspects_of.items()
    }


def _record(suspect: Suspect, hash_id: str, path_of: Mapping[str, str]) -> dict:
    return {
        "hash_id": hash_id,
        "file_path": path_of.get(hash_id),
        "labelled": suspect.labelled,
        "probability": round(suspect.probability, DIGITS),
    }
