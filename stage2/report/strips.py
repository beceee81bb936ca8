"""Which pictures of a tag the report shows: its surest hits, its worst misses and false alarms, and those of
other tags that would be false alarms if nobody had shown pictures like them."""
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cache.text import on_one_line
from stage2.judging.results import ModelResult, TagResult
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
    kinds: list[str] = field(default_factory=list)  # tags with which it ends, the most frequent first


def taken_for(result: TagResult, tags_of: Mapping[int, Sequence[str]]) -> list[tuple[str, int]]:
    """(other tag, how many of its images are false alarms), the most first. tags_of: by row."""
    probabilities = result.best.calibration.unseen
    if probabilities is None:
        return []
    return _by_tag(result.rows[(probabilities >= DECISION) & ~result.is_tag], tags_of)


def strangers_taken_for(result: TagResult, tags_of: Mapping[int, Sequence[str]]) -> list[tuple[str, int]]:
    """(other tag, how many of its images are false alarms only while it is not taught), the most first."""
    return _by_tag(result.rows[_only_as_strangers(result)], tags_of)


def _only_as_strangers(result: TagResult) -> np.ndarray:
    """The places of the false alarms among strangers that are none once their kind is taught, the worst
    first."""
    taught, strangers = result.best.calibration.unseen, result.best.calibration.strangers
    if taught is None or strangers is None:
        return np.empty(0, np.int64)
    yes_from = _yes_from(result.best)
    places = np.flatnonzero((strangers >= yes_from) & (taught < yes_from) & ~result.is_tag)
    return places[np.argsort(-strangers[places], kind="stable")]


def _yes_from(model: ModelResult) -> float:
    """From where a picture would be called yes if there were no strangers: those above are why more is
    unsure."""
    promised = model.closed.promises
    return DECISION if promised is None or promised.yes_from is None else promised.yes_from


def _by_tag(rows: np.ndarray, tags_of: Mapping[int, Sequence[str]]) -> list[tuple[str, int]]:
    counts = Counter(tag for row in rows.tolist() for tag in tags_of.get(row, ()))
    return sorted(counts.items(), key=lambda tag_and_count: (-tag_and_count[1], tag_and_count[0]))


def strips(result: TagResult, tags_of: Mapping[int, Sequence[str]]) -> list[Strip]:
    """Of the tag's better model: the surest hits, the worst misses, the worst false alarms. Where it makes no
    mistake of a kind, what comes nearest to one. Then the worst of those that only strangers would be.
    tags_of: by row."""
    probabilities = result.best.calibration.unseen
    if probabilities is None:
        return _unmeasured(result)
    likeliest = np.argsort(-probabilities, kind="stable")
    tags, others = likeliest[result.is_tag[likeliest]], likeliest[~result.is_tag[likeliest]]
    hits = int((probabilities[tags] >= DECISION).sum())
    alarms = int((probabilities[others] >= DECISION).sum())
    misses = len(tags) - hits
    worst_of_tag = (tags[hits:] if misses else tags)[::-1]
    worst_of_others = others[:alarms] if alarms else others
    return [
        Strip(
            _heading(hits, "hit", "Surest", "hits", ""),
            _shown(result, tags[:hits], probabilities), True),
        Strip(
            _heading(misses, "miss", "Worst", "misses", "; the least sure hits"),
            _shown(result, worst_of_tag, probabilities), True),
        Strip(
            _heading(alarms, "false alarm", "Worst", "false alarms", "; the likeliest others"),
            _shown(result, worst_of_others, probabilities), False),
        *_mistaken_strangers(result, tags_of),
    ]


def _mistaken_strangers(result: TagResult, tags_of: Mapping[int, Sequence[str]]) -> list[Strip]:
    places, said = _only_as_strangers(result), result.best.calibration.strangers
    if said is None or not len(places):
        return []
    kinds = [tag for tag, _ in _by_tag(result.rows[places[:MOST_SHOWN]], tags_of)]
    heading = f"Would be mistaken for {on_one_line(result.tag)}, if you had not shown"
    return [Strip(heading, _shown(result, places, said), False, kinds)]


def _shown(result: TagResult, places: np.ndarray, said: np.ndarray) -> list[Shown]:
    return [Shown(int(result.rows[place]), float(said[place])) for place in places[:MOST_SHOWN]]


def _unmeasured(result: TagResult) -> list[Strip]:
    rows = result.rows[result.is_tag][:MOST_SHOWN].tolist()
    return [Strip("Images", [Shown(row, None) for row in rows], True)] if rows else []


def _heading(count: int, one: str, which: str, many: str, instead: str) -> str:
    if not count:
        return f"No {many}{instead}"
    return f"The only {one}" if count == 1 else f"{which} of {count:,} {many}"
