"""Which pictures of a tag the report shows: its surest hits, its worst misses and false alarms."""
from dataclasses import dataclass

import numpy as np

from stage2.judging.results import TagResult
from stage2.metrics import DECISION

MOST_SHOWN = 8


@dataclass(frozen=True)
class Shown:
    """A picture of the dataset, by its row in the metadata matrix."""

    row: int
    probability: float | None


@dataclass(frozen=True)
class Strip:
    heading: str
    pictures: list[Shown]
    of_tag: bool


def strips(result: TagResult) -> list[Strip]:
    """Of the tag's better model: the surest hits, the worst misses, the worst false alarms. Where it makes no
    mistake of a kind, what comes nearest to one."""
    probabilities = result.best.calibration.unseen
    if probabilities is None:
        return _unmeasured(result)
    likeliest = np.argsort(-probabilities, kind="stable")
    tags, others = likeliest[result.is_tag[likeliest]], likeliest[~result.is_tag[likeliest]]
    hits = int((probabilities[tags] >= DECISION).sum())
    alarms = int((probabilities[others] >= DECISION).sum())
    misses = len(tags) - hits

    def shown(places: np.ndarray) -> list[Shown]:
        return [Shown(int(result.rows[place]), float(probabilities[place])) for place in places[:MOST_SHOWN]]

    worst_of_tag = (tags[hits:] if misses else tags)[::-1]
    worst_of_others = others[:alarms] if alarms else others
    return [
        Strip(
            _heading(hits, "hit", "Surest", "hits", ""),
            shown(tags[:hits]), True),
        Strip(
            _heading(misses, "miss", "Worst", "misses", "; the least sure hits"),
            shown(worst_of_tag), True),
        Strip(
            _heading(alarms, "false alarm", "Worst", "false alarms", "; the likeliest others"),
            shown(worst_of_others), False),
    ]


def _unmeasured(result: TagResult) -> list[Strip]:
    rows = result.rows[result.is_tag][:MOST_SHOWN].tolist()
    return [Strip("Images", [Shown(row, None) for row in rows], True)] if rows else []


def _heading(count: int, one: str, which: str, many: str, instead: str) -> str:
    if not count:
        return f"No {many}{instead}"
    return f"The only {one}" if count == 1 else f"{which} of {count:,} {many}"
