"""What the report says of one tag: its pictures, plots and tables."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cache.text import on_one_line
from stage2.judging.held_out import confusion
from stage2.judging.results import CurvePoint, ModelResult, TagResult
from stage2.metrics import METRICS, Estimate, metrics_of
from stage2.report import curves
from stage2.report.next_steps import Step, next_steps, unmeasured
from stage2.report.plots import TagPlots
from stage2.report.strips import Strip, strangers_taken_for, strips, taken_for
from stage2.report.tag_plots import Plot, tag_plots

RATES = {
    "accuracy": "accuracy",
    "true_positive_rate": "share of the tag found",
    "false_positive_rate": "share of others called it",
}
METRIC_ROWS = {**METRICS, **RATES}


@dataclass(frozen=True)
class Measured:
    """One model's metrics, {name: estimate}: out of fold in both worlds, and on the held-out images."""

    unseen: dict[str, Estimate]
    strangers: dict[str, Estimate]
    held_out: dict[str, Estimate]


@dataclass(frozen=True)
class TagSection:
    number: int
    result: TagResult
    unmeasured: str | None  # why nothing could be measured
    taken_for: list[tuple[str, int]]
    strangers_taken_for: list[tuple[str, int]]
    steps: list[Step]
    curve: list[tuple[int, float]]  # images, average precision
    strips: list[Strip]
    plots: list[Plot]

    @property
    def name(self) -> str:
        return on_one_line(self.result.tag)

    @property
    def average_precision(self) -> float | None:
        return self.result.best.metrics["average_precision"].value

    def measured(self) -> dict[str, Measured]:
        return {name: _measured(self.result, model) for name, model in self.result.models.items()}

    def thresholds(self) -> list[curves.Threshold]:
        said = self.result.best.calibration
        if said.unseen is None:
            return []
        return curves.thresholds(self.result.is_tag, said.unseen, said.strangers)


def tag_section(
    number: int, result: TagResult, tags_of: Mapping[int, Sequence[str]], curve: Sequence[CurvePoint],
    to_check: int, *, plots: TagPlots,
) -> TagSection:
    """number: the place of the tag; tags_of: by row; curve: of all tags; to_check: labels of this one."""
    confused, confused_strangers = taken_for(result, tags_of), strangers_taken_for(result, tags_of)
    why_unmeasured = unmeasured(result)
    return TagSection(
        number=number,
        result=result,
        unmeasured=why_unmeasured,
        taken_for=confused,
        strangers_taken_for=confused_strangers,
        steps=next_steps(result, to_check, curve, confused, confused_strangers),
        curve=[(point.images, point.by_tag[result.tag]) for point in curve if result.tag in point.by_tag],
        strips=strips(result, tags_of),
        plots=[] if why_unmeasured else tag_plots(number, result, plots),
    )


def _measured(result: TagResult, model: ModelResult) -> Measured:
    held_out = model.held_out
    on_held_out = {
        name: Estimate(value, None, None)
        for name, value in metrics_of(held_out.is_tag(), held_out.scores()).items()
    }
    rates = _rates(held_out.tag_scores, held_out.other_scores)
    return Measured(
        {**model.closed.metrics, **_out_of_fold(result, model.calibration.unseen)},
        {**model.strangers.metrics, **_out_of_fold(result, model.calibration.strangers)},
        {**on_held_out, **rates})


def _out_of_fold(result: TagResult, probabilities: np.ndarray | None) -> dict[str, Estimate]:
    if probabilities is None:
        return {}
    return _rates(probabilities[result.is_tag], probabilities[~result.is_tag])


def _rates(tag_scores: np.ndarray, other_scores: np.ndarray) -> dict[str, Estimate]:
    rates = confusion(tag_scores, other_scores).rates()
    return {name: Estimate(rates[name], None, None) for name in RATES}
