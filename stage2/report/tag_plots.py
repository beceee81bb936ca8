"""The three plots of one tag, with what is said above and about each."""
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cache.text import on_one_line, plural
from stage2.judging.results import TagResult
from stage2.metrics import DECISION
from stage2.report import curves
from stage2.report.plots import TagPlots


@dataclass(frozen=True)
class Plot:
    heading: str
    note: str
    svg: Markup


def tag_plots(number: int, result: TagResult, plots: TagPlots) -> list[Plot]:
    """None for a tag of which nothing could be measured. number: the place of the tag, which makes names of
    its own."""
    chance, best = result.base_rate, result.best.calibration.unseen
    if chance is None or best is None:
        return []
    unseen = [model.calibration.unseen for model in result.models.values()]
    measured = [probabilities for probabilities in unseen if probabilities is not None]
    return [
        _precision_recall(number, result, chance, measured, plots),
        _reliability(number, result, measured, plots),
        _histogram(number, result, best, plots),
    ]


def _precision_recall(
    number: int, result: TagResult, chance: float, unseen: list[np.ndarray], plots: TagPlots,
) -> Plot:
    label = (
        f"Precision over recall of {on_one_line(result.tag)}: "
        f"average precision {_by_model(result, 'average_precision')}; by chance {chance:.3f}")
    points = [curves.precision_recall(result.is_tag, probabilities) for probabilities in unseen]
    svg = plots.precision_recall(f"p{number}", label, points, chance)
    return Plot("Precision and recall", "the upper right corner is best; dotted: chance", svg)


def _reliability(number: int, result: TagResult, unseen: list[np.ndarray], plots: TagPlots) -> Plot:
    label = (
        f"How often images of each probability carry {on_one_line(result.tag)}: "
        f"calibration error {_by_model(result, 'calibration_error')}")
    points = [curves.reliability(result.is_tag, probabilities) for probabilities in unseen]
    svg = plots.reliability(f"r{number}", label, points)
    return Plot("Reliability", "dotted: 0.7 means 7 of 10; the area counts images", svg)


def _histogram(number: int, result: TagResult, unseen: np.ndarray, plots: TagPlots) -> Plot:
    """Of the tag's better model: its images beside images of no tag, or else beside those of other tags."""
    inside = unseen[result.is_tag]
    outside, what = unseen[~result.is_tag], "others"
    of_no_tag = result.best.held_out.outside_scores
    if of_no_tag is not None and len(of_no_tag):
        outside, what = of_no_tag, "images of no tag"
    hits, alarms = int((inside >= DECISION).sum()), int((outside >= DECISION).sum())
    images, others = plural(len(inside), "image"), f"{len(outside):,} {what}"
    label = (
        f"Probabilities of {on_one_line(result.tag)}: "
        f"from {DECISION} on are {hits:,} of {images} of it and {alarms:,} of {others}")
    series = list(result.models).index(result.best.model_type)
    svg = plots.histogram(f"h{number}", label, curves.histogram(inside), curves.histogram(outside), series)
    heading = f"Probabilities by {on_one_line(result.best.model_type)}"
    return Plot(heading, f"{images} of the tag; grey: {others}", svg)


def _by_model(result: TagResult, metric: str) -> str:
    return ", ".join(
        f"{model.metrics[metric].value:.3f} by {model_type}" for model_type, model in result.models.items())
