"""What the plots of the report show, as numbers: curves, thinned to what can be seen of them, and counts by bin."""
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


def precision_recall(is_tag: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n, 2): recall and precision at the corners of the steps whose area is the average precision."""
    order = np.argsort(-probabilities, kind="stable")
    last = np.append(np.diff(probabilities[order]) != 0, True)  # equal probabilities are called together
    right, called = np.cumsum(is_tag[order])[last], np.flatnonzero(last) + 1
    steps = np.diff(right, prepend=0) > 0
    recall, precision = np.append(0, right[steps]) / right[-1], (right / called)[steps]
    return thinned(np.stack([np.repeat(recall, 2)[1:-1], np.repeat(precision, 2)], 1))


def thinned(points: np.ndarray, most: int = MOST_CORNERS, tolerance: float = TOLERANCE) -> np.ndarray:
    """The points (n, 2) of a line that matter most: the one farthest from what is drawn is added, until there are `most`, or none is
    farther than the tolerance (Douglas and Peucker 1973, the worst place first)."""
    kept, waiting = {0, len(points) - 1}, []

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
    """Of each point from the stretch between two."""
    along = end - start
    share = np.clip((points - start) @ along / (along @ along or 1.0), 0, 1)
    return np.linalg.norm(points - (start + share[:, None] * along), axis=1)


def reliability(is_tag: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n, 3), of each bin with any image: the mean probability, the share that carries the tag, and the number of images."""
    numbers = bin_numbers(probabilities, CALIBRATION_BINS)
    counts, said, was = (np.bincount(numbers, weights, CALIBRATION_BINS + 1) for weights in (None, probabilities, is_tag))
    filled = counts > 0
    return np.stack([said[filled] / counts[filled], was[filled] / counts[filled], counts[filled]], 1)


def histogram(probabilities: np.ndarray) -> np.ndarray:
    """How many fall into each bin of stage 3."""
    return np.bincount(bin_numbers(probabilities, CALIBRATION_BINS), minlength=CALIBRATION_BINS + 1)[1:]


def thresholds(is_tag: np.ndarray, probabilities: np.ndarray) -> list[Threshold]:
    found = []
    for at in THRESHOLDS:
        called = probabilities >= at
        count, right = int(called.sum()), int(is_tag[called].sum())
        found.append(Threshold(at, count, right / count if count else None, right / int(is_tag.sum())))
    return found
