"""The plots of the report. They hold numbers and words of ours only, never a name from the dataset."""
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, NullLocator

from stage2.judging.results import CurvePoint
from stage2.report.inline_svg import FIRST, INK, SECOND, inline_svg

SERIES, MARKERS = (FIRST, SECOND), ("o", "D")
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "image-tagging-tools", "font.size": 9, "axes.edgecolor": INK, "axes.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "xtick.bottom": False, "ytick.left": False,
    "xtick.minor.bottom": False, "axes.grid": True, "axes.grid.which": "major", "axes.axisbelow": True, "grid.color": INK,
    "grid.alpha": 0.12, "grid.linewidth": 0.6, "lines.linewidth": 1.5,
}
QUARTERS = (0, 0.25, 0.5, 0.75, 1)
SHARES = ("0", ".25", ".5", ".75", "1")
MARGINS = (0.4, 0.5, 0.12, 0.3)  # inches: left, below, right, above


@contextmanager
def our_style() -> Iterator[None]:
    """Whatever the reader's own matplotlib is set to."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


class Canvas:
    """Axes that are drawn upon again and again: making them takes as long as drawing them."""

    def __init__(self, across: str, up: str, size: tuple[float, float] = (4, 2.9)):
        self.figure = Figure(figsize=size)
        FigureCanvasSVG(self.figure)
        (width, height), (left, below, right, above) = size, MARGINS
        inner = (width - left - right, height - below - above)
        self.axes = self.figure.add_axes((left / width, below / height, inner[0] / width, inner[1] / height))
        self.axes.set_xlabel(across, loc="right")
        self.axes.text(-left / inner[0], 1 + 0.1 / inner[1], up, transform=self.axes.transAxes)
        self._own = set(self.axes.get_children())

    def svg(self, name: str, label: str) -> Markup:
        """Of what has been drawn since the last time."""
        drawn = inline_svg(self.figure, name, label)
        for artist in set(self.axes.get_children()) - self._own:
            artist.remove()
        self.axes.containers.clear()
        return drawn


class TagPlots:
    """The three of one tag after the other. A series for each model type, always in the same order."""

    def __init__(self) -> None:
        self._precision = Canvas("recall", "precision")
        self._reliability = Canvas("probability", "share that carries the tag")
        self._histogram = Canvas("probability", "images")
        for canvas in (self._precision, self._reliability, self._histogram):
            canvas.axes.set(xlim=(0, 1), ylim=(0, 1), xticks=QUARTERS, yticks=QUARTERS, xticklabels=SHARES, yticklabels=SHARES)

    def precision_recall(self, name: str, label: str, curves: Sequence[np.ndarray], base_rate: float) -> Markup:
        axes = self._precision.axes
        axes.plot((0, 1), (base_rate, base_rate), color=INK, alpha=0.5, linestyle=(0, (2, 2)), linewidth=1, clip_on=False)
        for curve, colour in zip(curves, SERIES, strict=False):
            axes.plot(*curve.T, color=colour, clip_on=False)
        return self._precision.svg(name, label)

    def reliability(self, name: str, label: str, points: Sequence[np.ndarray]) -> Markup:
        """The area of a point is the number of its images, but a single one can be seen."""
        axes = self._reliability.axes
        axes.plot((0, 1), (0, 1), color=INK, alpha=0.5, linestyle=(0, (2, 2)), linewidth=1)
        for each, colour, marker in zip(points, SERIES, MARKERS, strict=False):
            said, was, counts = each.T
            axes.plot(said, was, color=colour, alpha=0.4, linewidth=1, clip_on=False)
            axes.scatter(said, was, 8 + 110 * counts / counts.sum(), colour, marker=marker, alpha=0.85, linewidths=0, clip_on=False)
        return self._reliability.svg(name, label)

    def histogram(self, name: str, label: str, of_tag: np.ndarray, of_others: np.ndarray, series: int) -> Markup:
        axes = self._histogram.axes
        counts = np.concatenate([of_tag, of_others])
        logarithmic = counts.max() > 30 * counts[counts > 0].min()
        axes.set_yscale("log" if logarithmic else "linear")
        axes.set_ylim(0.5 if logarithmic else 0, counts.max() * (1.6 if logarithmic else 1.05))
        if not logarithmic:
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))  # 10k
        axes.yaxis.set_minor_locator(NullLocator())
        left = np.arange(len(of_tag)) / len(of_tag)
        axes.bar(left + 0.029, of_others, 0.036, color=INK, alpha=0.3, linewidth=0)
        axes.bar(left + 0.071, of_tag, 0.036, color=SERIES[series], linewidth=0)
        return self._histogram.svg(name, label)


def learning_curve(name: str, label: str, points: Sequence[CurvePoint]) -> Markup:
    canvas = Canvas("images of a tag to learn from", "average precision", (4.6, 2.8))
    images = np.array([point.images for point in points], float)
    images[images == 0] = min(images[images > 0], default=2) / 2  # none at all has no place on such an axis
    canvas.axes.set_xscale("log")
    low, high = [point.low for point in points], [point.high for point in points]
    canvas.axes.fill_between(images, low, high, color=FIRST, alpha=0.15, linewidth=0)
    for tag in dict.fromkeys(tag for point in points for tag in point.by_tag):
        line = [(at, point.by_tag[tag]) for at, point in zip(images, points, strict=True) if tag in point.by_tag]
        canvas.axes.plot(*zip(*line, strict=True), color=FIRST, alpha=0.3, linewidth=0.8, marker="o", markersize=1.5)
    canvas.axes.plot(images, [point.mean for point in points], color=FIRST, marker="o", markersize=4, clip_on=False)
    canvas.axes.set(ylim=(0, 1), yticks=QUARTERS, yticklabels=SHARES, xticks=images, xticklabels=[f"{point.images:,}" for point in points])
    canvas.axes.xaxis.set_minor_locator(NullLocator())
    return canvas.svg(name, label)
