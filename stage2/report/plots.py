"""The plots of the report. They hold numbers and words of ours only, never a name from the dataset."""
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, NullLocator

from stage2.judging.results import CurvePoint
from stage2.report.inline_svg import FIRST, INK, SECOND, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

SERIES, MARKERS = (FIRST, SECOND), ("o", "D")
STYLE: "dict[RcKeyType, Any]" = {
    "svg.fonttype": "none",
    "svg.hashsalt": "image-tagging-tools",
    "font.size": 9,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.bottom": False,
    "ytick.left": False,
    "xtick.minor.bottom": False,
    "axes.grid": True,
    "axes.grid.which": "major",
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
}
QUARTERS = (0, 0.25, 0.5, 0.75, 1)
SHARES = ("0", ".25", ".5", ".75", "1")
MARGINS = (0.4, 0.5, 0.12, 0.3)  # inches: left, below, right, above
DOTTED = (0, (2, 2))
SMALLEST_POINT, LARGEST_POINT = 8, 118  # square points: a single image can be seen
LOGARITHMIC_FROM = 30  # times the smallest count
BAR_WIDTH = 0.036  # two beside each other in a bin of a tenth


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
        """across, up: what the axes show; size: inches."""
        self.figure = Figure(figsize=size)
        FigureCanvasSVG(self.figure)
        (width, height), (left, below, right, above) = size, MARGINS
        inner_width, inner_height = width - left - right, height - below - above
        self.axes = self.figure.add_axes(
            (left / width, below / height, inner_width / width, inner_height / height))
        self.axes.set_xlabel(across, loc="right")
        self.axes.text(-left / inner_width, 1 + 0.1 / inner_height, up, transform=self.axes.transAxes)
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
            canvas.axes.set(
                xlim=(0, 1), ylim=(0, 1), xticks=QUARTERS, yticks=QUARTERS,
                xticklabels=SHARES, yticklabels=SHARES)

    def precision_recall(
        self, name: str, label: str, curves: Sequence[np.ndarray], base_rate: float,
    ) -> Markup:
        """curves: recall and precision (n, 2) of each model type."""
        axes = self._precision.axes
        chance = (base_rate, base_rate)
        axes.plot((0, 1), chance, color=INK, alpha=0.5, linestyle=DOTTED, linewidth=1, clip_on=False)
        for curve, colour in zip(curves, SERIES, strict=False):
            recall, precision = curve.T
            axes.plot(recall, precision, color=colour, clip_on=False)
        return self._precision.svg(name, label)

    def reliability(self, name: str, label: str, points: Sequence[np.ndarray]) -> Markup:
        """points: expected share, observed share and number of images (n, 3) of each model type. The area of
        a point is the number of its images."""
        axes = self._reliability.axes
        axes.plot((0, 1), (0, 1), color=INK, alpha=0.5, linestyle=DOTTED, linewidth=1)
        for points_of_model, colour, marker in zip(points, SERIES, MARKERS, strict=False):
            expected, observed, counts = points_of_model.T
            areas = SMALLEST_POINT + (LARGEST_POINT - SMALLEST_POINT) * counts / counts.sum()
            axes.plot(expected, observed, color=colour, alpha=0.4, linewidth=1, clip_on=False)
            axes.scatter(
                expected, observed, areas, colour, marker=marker, alpha=0.85, linewidths=0, clip_on=False)
        return self._reliability.svg(name, label)

    def histogram(
        self, name: str, label: str, of_tag: np.ndarray, of_others: np.ndarray, series: int,
    ) -> Markup:
        """of_tag, of_others: how many images each bin holds; series: the place of the model type."""
        axes = self._histogram.axes
        _scale_counts(axes, np.concatenate([of_tag, of_others]))
        left = np.arange(len(of_tag)) / len(of_tag)
        axes.bar(left + 0.029, of_others, BAR_WIDTH, color=INK, alpha=0.3, linewidth=0)
        axes.bar(left + 0.071, of_tag, BAR_WIDTH, color=SERIES[series], linewidth=0)
        return self._histogram.svg(name, label)


def _scale_counts(axes: "Axes", counts: np.ndarray) -> None:
    """Logarithmic where small bars would not be seen beside large ones."""
    logarithmic = counts.max() > LOGARITHMIC_FROM * counts[counts > 0].min()
    axes.set_yscale("log" if logarithmic else "linear")
    if logarithmic:
        axes.set_ylim(0.5, counts.max() * 1.6)
    else:
        axes.set_ylim(0, counts.max() * 1.05)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))  # 10k
    axes.yaxis.set_minor_locator(NullLocator())


def learning_curve_plot(name: str, label: str, points: Sequence[CurvePoint]) -> Markup:
    """A faint line for each tag, a band from the worst to the best, a strong line for their mean."""
    canvas = Canvas("images of a tag to learn from", "average precision", (4.6, 2.8))
    axes = canvas.axes
    images = np.array([point.images for point in points], float)
    images[images == 0] = min(images[images > 0], default=2) / 2  # none at all has no place on such an axis
    axes.set_xscale("log")
    low, high = [point.low for point in points], [point.high for point in points]
    axes.fill_between(images, low, high, color=FIRST, alpha=0.15, linewidth=0)
    for tag in dict.fromkeys(tag for point in points for tag in point.by_tag):
        measured = [(at, point) for at, point in zip(images, points, strict=True) if tag in point.by_tag]
        values = [point.by_tag[tag] for _, point in measured]
        places = [at for at, _ in measured]
        axes.plot(places, values, color=FIRST, alpha=0.3, linewidth=0.8, marker="o", markersize=1.5)
    means = [point.mean for point in points]
    axes.plot(images, means, color=FIRST, marker="o", markersize=4, clip_on=False)
    axes.set(
        ylim=(0, 1), yticks=QUARTERS, yticklabels=SHARES,
        xticks=images, xticklabels=[f"{point.images:,}" for point in points])
    axes.xaxis.set_minor_locator(NullLocator())
    return canvas.svg(name, label)
