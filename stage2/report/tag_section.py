"""What the report says of one tag: its pictures, plots and tables."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cache.text import on_one_line, plural
from stage2.judging.held_out import HeldOut
from stage2.judging.results import CurvePoint, ModelResult, Suspect, TagResult
from stage2.metrics import DECISION, METRICS, Estimate, metrics_of
from stage2.report import curves
from stage2.report.next_steps import Step, next_steps, taken_for, unmeasured
from stage2.report.plots import TagPlots

MOST_SHOWN = 8
RATES = {"accuracy": "accuracy", "true_positive_rate": "share of the tag found", "false_positive_rate": "share of others called it"}
METRIC_ROWS = {**METRICS, **RATES}


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


@dataclass(frozen=True)
class Plot:
    heading: str
    note: str
    svg: Markup


@dataclass(frozen=True)
class Measured:
    """One model's metrics: {name: estimate} out of fold, and on the held-out images."""

    unseen: dict[str, Estimate]
    held_out: dict[str, Estimate]


@dataclass(frozen=True)
class TagSection:
    number: int
    result: TagResult
    unmeasured: str | None  # why nothing could be measured
    taken_for: list[tuple[str, int]]
    steps: list[Step]
    curve: list[tuple[int, float]]  # images, average precision
    strips: list[Strip]

    @property
    def name(self) -> str:
        return on_one_line(self.result.tag)

    @property
    def average_precision(self) -> float | None:
        return self.result.best.metrics["average_precision"].value

    def measured(self) -> dict[str, Measured]:
        return {model_type: _measured(self.result, model) for model_type, model in self.result.models.items()}

    def thresholds(self) -> list[curves.Threshold]:
        return curves.thresholds(self.result.is_tag, self.result.best.calibration.unseen)


def tag_section(
    number: int, result: TagResult, tags_of: Mapping[int, Sequence[str]], curve: Sequence[CurvePoint], suspects: Sequence[Suspect],
) -> TagSection:
    confused = taken_for(result, tags_of)
    learnt = [(point.images, point.by_tag[result.tag]) for point in curve if result.tag in point.by_tag]
    return TagSection(number, result, unmeasured(result), confused, next_steps(result, suspects, curve, confused), learnt, strips(result))


def strips(result: TagResult) -> list[Strip]:
    """Of the tag's better model: the surest hits, the worst misses, the worst false alarms. Where it makes no mistake of a kind, what
    comes nearest to one."""
    probabilities, of_tag = result.best.calibration.unseen, np.flatnonzero(result.is_tag)
    if probabilities is None:
        return [Strip("Images", [Shown(int(result.rows[place]), None) for place in of_tag[:MOST_SHOWN]], True)] if len(of_tag) else []
    likeliest = np.argsort(-probabilities, kind="stable")
    tags, others = likeliest[result.is_tag[likeliest]], likeliest[~result.is_tag[likeliest]]
    hits, alarms = int((probabilities[tags] >= DECISION).sum()), int((probabilities[others] >= DECISION).sum())
    misses = len(tags) - hits
    return [
        Strip(_heading(hits, "hit", "Surest", "hits", ""), _shown(result, tags[:hits]), True),
        Strip(_heading(misses, "miss", "Worst", "misses", "; the least sure hits"),
              _shown(result, (tags[hits:] if misses else tags)[::-1]), True),
        Strip(_heading(alarms, "false alarm", "Worst", "false alarms", "; the likeliest others"),
              _shown(result, others[:alarms] if alarms else others), False),
    ]


def _heading(count: int, one: str, which: str, many: str, instead: str) -> str:
    if not count:
        return f"No {many}{instead}"
    return f"The only {one}" if count == 1 else f"{which} of {count:,} {many}"


def _shown(result: TagResult, places: np.ndarray) -> list[Shown]:
    return [Shown(int(result.rows[place]), float(result.best.calibration.unseen[place])) for place in places[:MOST_SHOWN]]


def tag_plots(section: TagSection, plots: TagPlots) -> list[Plot]:
    """None for a tag of which nothing could be measured."""
    if section.unmeasured:
        return []
    result, name, number = section.result, section.name, section.number
    unseen = [model.calibration.unseen for model in result.models.values()]
    inside, outside, others = _distributions(result)
    called = [int((probabilities >= DECISION).sum()) for probabilities in (inside, outside)]
    images, others = plural(len(inside), "image"), f"{len(outside):,} {others}"
    return [
        Plot("Precision and recall", "the upper right corner is best; dotted: chance", plots.precision_recall(
            f"p{number}", f"Precision over recall of {name}: average precision {_values(result, 'average_precision')}; "
            f"by chance {result.base_rate:.3f}",
            [curves.precision_recall(result.is_tag, probabilities) for probabilities in unseen], result.base_rate)),
        Plot("Reliability", "dotted: 0.7 means 7 of 10; the area counts images", plots.reliability(
            f"r{number}", f"How often images of each probability carry {name}: "
            f"calibration error {_values(result, 'calibration_error')}",
            [curves.reliability(result.is_tag, probabilities) for probabilities in unseen])),
        Plot(f"Probabilities by {on_one_line(result.best.model_type)}", f"{images} of the tag; grey: {others}", plots.histogram(
            f"h{number}", f"Probabilities of {name}: from {DECISION} on are {called[0]:,} of {images} of it and {called[1]:,} of {others}",
            curves.histogram(inside), curves.histogram(outside), list(result.models).index(result.best.model_type))),
    ]


def _values(result: TagResult, metric: str) -> str:
    return ", ".join(f"{model.metrics[metric].value:.3f} by {model_type}" for model_type, model in result.models.items())


def _distributions(result: TagResult) -> tuple[np.ndarray, np.ndarray, str]:
    """Probabilities of the tag's images, and of images of no tag, or else of other tags."""
    unseen, outside = result.best.calibration.unseen, result.best.held_out.outside_scores
    if outside is not None and len(outside):
        return unseen[result.is_tag], outside, "images of no tag"
    return unseen[result.is_tag], unseen[~result.is_tag], "others"


def _measured(result: TagResult, model: ModelResult) -> Measured:
    held_out, unseen = model.held_out, model.calibration.unseen
    out_of_fold = {} if unseen is None else _rates(HeldOut(unseen[result.is_tag], unseen[~result.is_tag], None))
    on_held_out = {name: Estimate(value, None, None) for name, value in metrics_of(held_out.is_tag(), held_out.scores()).items()}
    return Measured({**model.metrics, **out_of_fold}, {**on_held_out, **_rates(held_out)})


def _rates(evaluation: HeldOut) -> dict[str, Estimate]:
    return {name: Estimate(value, None, None) for name, value in evaluation.metrics().items() if name in RATES}
