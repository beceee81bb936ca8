"""What the plots of the report show, as numbers: curves, thinned to what can be seen of them, and counts by
bin."""
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from cache.models.score_bins import bin_numbers
from stage2.metrics import CALIBRATION_BINS

MOST_CORNERS = 200
TOLERANCE = 0.002  # of the side of a plot: half a pixel
THRESHOLDS = tuple(round(tenth / 10, 1) for tenth in range(1, 10))


@dataclass(frozen=True)
class Threshold:
    """What calling everything from `at` on the tag would give."""

    at: float
    called: int
    precision: float | None  # None where nothing is called
    recall: float
    among_strangers: float | None  # the precision; None also where they could not be tried


def precision_recall(is_tag: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n, 2): recall and precision at the corners of the steps whose area is the average precision."""
    order = np.argsort(-probabilities, kind="stable")
    last = np.append(np.diff(probabilities[order]) != 0, True)  # equal probabilities are called together
    right = np.cumsum(is_tag[order])[last]
    called = np.flatnonzero(last) + 1
    steps = np.diff(right, prepend=0) > 0
    recall = np.append(0, right[steps]) / right[-1]
    precision = (right / called)[steps]
    corners = np.stack([np.repeat(recall, 2)[1:-1], np.repeat(precision, 2)], 1)
    return thinned(corners)


def thinned(points: np.ndarray, most: int = MOST_CORNERS, tolerance: float = TOLERANCE) -> np.ndarray:
    """The points (n, 2) of a line that matter most: the one farthest from what is drawn is added, until there
    are `most`, or none is farther than the tolerance (Douglas and Peucker 1973, the worst place first)."""
    kept = {0, len(points) - 1}
    waiting: list[tuple[float, int, int, int]] = []  # -distance, first, farthest between, last

    def look_between(first: int, last: int) -> None:
        if last - first > 1:
            distances = _distances(points[first + 1:last], points[first], points[last])
            place = int(distances.argmax())
            heappush(waiting, (-float(distances[place]), first, first + 1 + place, last))

    look_between(0, len(points) - 1)
    while waiting and len(kept) < most:
        distance, first, farthest, last = heappop(waiting)
        if -distance <= tolerance:
            break
        kept.add(farthest)
        look_between(first, farthest)
        look_between(farthest, last)
    return points[sorted(kept)]


def _distances(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Of each point (n, 2) from the stretch between two: (n,)."""
    along = end - start
    share = np.clip((points - start) @ along / (along @ along or 1.0), 0, 1)
    return np.linalg.norm(points - (start + share[:, None] * along), axis=1)


def reliability(is_tag: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n, 3), of each bin with any image: the mean probability, the share that carries the tag, and the
    number of images."""
    bins = bin_numbers(probabilities, CALIBRATION_BINS)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS + 1)
    expected = np.bincount(bins, probabilities, CALIBRATION_BINS + 1)
    observed = np.bincount(bins, is_tag, CALIBRATION_BINS + 1)
    filled = counts > 0
    counts = counts[filled]
    return np.stack([expected[filled] / counts, observed[filled] / counts, counts], 1)


def histogram(probabilities: np.ndarray) -> np.ndarray:
    """How many fall into each bin of stage 3."""
    return np.bincount(bin_numbers(probabilities, CALIBRATION_BINS), minlength=CALIBRATION_BINS + 1)[1:]


def thresholds(
    is_tag: np.ndarray, probabilities: np.ndarray, strangers: np.ndarray | None,
) -> list[Threshold]:
    """At every tenth."""
    return [_threshold(at, is_tag, probabilities, strangers) for at in THRESHOLDS]


def _threshold(
    at: float, is_tag: np.ndarray, probabilities: np.ndarray, strangers: np.ndarray | None,
) -> Threshold:
    called = probabilities >= at
    among_strangers = None if strangers is None else _precision(is_tag, strangers >= at)
    recall = int(is_tag[called].sum()) / int(is_tag.sum())
    return Threshold(at, int(called.sum()), _precision(is_tag, called), recall, among_strangers)


def _precision(is_tag: np.ndarray, called: np.ndarray) -> float | None:
    return float(is_tag[called].mean()) if called.any() else None
