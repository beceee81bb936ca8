"""How good a tag gets with so many images of every tag, so that a person knows whether more of them would
help."""
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from stage2.judging.results import CurvePoint
from stage2.learning.logistic_regression import USUAL
from stage2.learning.newton import NUMBERS_AT_ONCE, Regressions
from stage2.learning.task import Task
from stage2.metrics import DIGITS, average_precision

DRAWS = 3
SIZES = [size * 10 ** power for power in range(6) for size in (1, 2, 5)]
CURVE_FITS = DRAWS * len(SIZES)  # at most: most datasets are too small for the last sizes
MOST_MEASURED = 20_000  # images; 20 of a tag that one in a thousand carries
MOST_OTHERS = 1000  # images of no tag that are learnt from, however few there are of the tags


def learning_curve(
    features: np.ndarray, tasks: Sequence[Task], group_of: np.ndarray,
    fitted: Callable[[int], object] = lambda count: None,
) -> list[CurvePoint]:
    """The linear type learnt from 1, 2, 5, 10 ... images of every tag and measured on the other half of all
    images, whatever their number: a tag takes part as long as it has twice as many. With texts it begins at 0
    images.

    features: float32 (n, d), as the regressions take them; group_of: a number for each of their rows, the
    same for near-duplicates, of which the first stands for all; fitted(count) is called after so many of the
    CURVE_FITS, those that the dataset is too small for included.

    The features' scaling has seen more images than those drawn. That flatters one or two by 0.02 to 0.05,
    five by 0.01, and ten hardly (emoji, stamps, clothes).
    """
    distinct = np.unique(group_of, return_index=True)[1]
    if not len(tasks) or not len(distinct):
        fitted(CURVE_FITS)
        return []
    problem = _Problem(features, tasks, distinct)
    draws = [_one_draw(problem, seed, fitted) for seed in range(DRAWS)]
    points = []
    for size in (0, *SIZES):
        if all(size in draw for draw in draws):
            means = np.mean([draw[size] for draw in draws], axis=0)
            points.append(_point(size, tasks, means))
    return [point for point in points if point]


def _one_draw(problem: "_Problem", seed: int, fitted: Callable[[int], object]) -> dict[int, np.ndarray]:
    """{images of every tag: average precision (tags,)}"""
    precision_by_size = {}
    left = len(SIZES)
    for size, precision in problem.draw(np.random.default_rng(seed)):
        precision_by_size[size] = precision
        if size:
            fitted(1)
            left -= 1
    fitted(left)
    return precision_by_size


def _point(size: int, tasks: Sequence[Task], precision: np.ndarray) -> CurvePoint | None:
    """precision: (tags,), NaN for a tag that does not take part; None if none does."""
    by_tag = {
        task.tag: round(float(value), DIGITS)
        for task, value in zip(tasks, precision, strict=True) if np.isfinite(value)
    }
    if not by_tag:
        return None
    values = list(by_tag.values())
    mean = round(sum(values) / len(values), DIGITS)
    return CurvePoint(size, len(values), mean, min(values), max(values), by_tag)


class _Problem:
    """What is drawn from. Every array has a row for each distinct image and a column for each tag."""

    def __init__(self, features: np.ndarray, tasks: Sequence[Task], distinct: np.ndarray):
        shape = len(features), len(tasks)
        tags = np.zeros(shape, bool)
        used = np.zeros(shape, bool)
        prior = np.zeros(shape, np.float32)
        for column, task in enumerate(tasks):
            tags[task.rows[task.classes == 0], column] = True
            used[task.rows, column] = True
            prior[task.rows, column] = task.prior
        self._tags, self._used, self._prior = tags[distinct], used[distinct], prior[distinct]
        self._regressions = Regressions(features[distinct])

    def draw(self, random: np.random.Generator) -> Iterator[tuple[int, np.ndarray]]:
        """(images of every tag, average precision of each), NaN for a tag without enough. A tag's own images
        beyond so many are not used, though drawn for another tag; tags with fewer give what they have to the
        others."""
        to_learn, measured = self._halves(random)
        measurable = self._measurable(measured)
        rows, prior = self._regressions.rows[measured], self._prior[measured]
        if self._prior.any():
            yield 0, self._precision(prior, measured, measurable)
        tags, used = self._tags[to_learn], self._used[to_learn]
        number_within = np.cumsum(tags, 0)  # of each tag's images, in the order in which they are drawn
        others = ~tags.any(1)
        others &= np.cumsum(others) <= MOST_OTHERS
        for size in SIZES:
            mine = tags & (number_within <= size)
            drawn = mine.any(1) | others
            used_now = used[drawn] & (mine | ~tags)[drawn]
            has_others = (used_now & ~tags[drawn]).any(0)
            learnt = measurable & (mine.sum(0) == size) & has_others
            if not 0 < np.count_nonzero(drawn) * np.count_nonzero(learnt) <= NUMBERS_AT_ONCE:
                return
            scores = prior.copy()
            scores[:, learnt] += rows @ self._solved(to_learn[drawn], used_now[:, learnt], learnt)
            yield size, self._precision(scores, measured, learnt)

    def _halves(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows to learn from and rows to measure on, in random order: half of each tag's, the rarest first,
        and of those of no tag."""
        order = random.permutation(len(self._tags))
        to_learn = np.zeros(len(order), bool)
        decided = np.zeros(len(order), bool)
        for carriers in sorted([*self._tags.T, ~self._tags.any(1)], key=np.count_nonzero):
            undecided = order[(carriers & ~decided)[order]]
            wanted = np.count_nonzero(carriers) // 2 - np.count_nonzero(carriers & to_learn)
            to_learn[undecided[:max(0, wanted)]] = True
            decided |= carriers
        return order[to_learn[order]], order[~to_learn[order]][:MOST_MEASURED]

    def _measurable(self, measured: np.ndarray) -> np.ndarray:
        """Which tags have images of both kinds there: bool (tags,)."""
        tags = self._tags[measured]
        return tags.any(0) & (self._used[measured] & ~tags).any(0)

    def _solved(self, rows: np.ndarray, used: np.ndarray, learnt: np.ndarray) -> np.ndarray:
        """Weights of the tags `learnt` from these rows, as of Regressions.solve(): (d + 1, tags learnt)."""
        tags = self._tags[rows][:, learnt].astype(np.float32)
        prior = self._prior[rows][:, learnt]
        strengths = np.full(tags.shape[1], USUAL.C)
        return self._regressions.of(rows).solve(tags, used.astype(np.float32), strengths, prior)

    def _precision(self, scores: np.ndarray, measured: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """(tags,), NaN for those not wanted. scores: (rows measured, tags)."""
        precision = np.full(len(wanted), np.nan)
        for column in np.flatnonzero(wanted):
            counted = self._used[measured, column]
            is_tag = self._tags[measured[counted], column]
            precision[column] = average_precision(is_tag, scores[counted, column])
        return precision
