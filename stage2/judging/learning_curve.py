"""How good a tag gets with so many images of every tag, so that a person knows whether more of them would help."""
from collections.abc import Iterator, Sequence

import numpy as np

from stage2.judging.results import CurvePoint
from stage2.learning.logistic_regression import USUAL
from stage2.learning.newton import NUMBERS_AT_ONCE, Regressions
from stage2.learning.tagged_rows import Task
from stage2.metrics import average_precision

DRAWS = 3
SIZES = [size * 10 ** power for power in range(6) for size in (1, 2, 5)]
MOST_MEASURED = 20_000  # images; 20 of a tag that one in a thousand carries
MOST_OTHERS = 1000  # images of no tag that are learnt from, however few there are of the tags


def learning_curve(features: np.ndarray, tasks: Sequence[Task], group_of: np.ndarray) -> list[CurvePoint]:
    """The linear type learnt from 1, 2, 5, 10 ... images of every tag and measured on the other half of all images, whatever their number:
    a tag takes part as long as it has twice as many. With texts it begins at 0 images. features: float32 (n, d), as the regressions take
    them; group_of: a number for each of their rows, the same for near-duplicates, of which the first stands for all.

    The features' scaling has seen more images than those drawn. That flatters one or two by 0.02 to 0.05, five by 0.01, and ten hardly
    (emoji, stamps, clothes)."""
    distinct = np.unique(group_of, return_index=True)[1]
    if not len(tasks) or not len(distinct):
        return []
    problem = _Problem(features, tasks, distinct)
    draws = [dict(problem.draw(np.random.default_rng(seed))) for seed in range(DRAWS)]
    means = {size: np.mean([draw[size] for draw in draws], axis=0) for size in (0, *SIZES) if all(size in draw for draw in draws)}
    return [_point(size, tasks, mean) for size, mean in means.items() if np.isfinite(mean).any()]


def _point(size: int, tasks: Sequence[Task], precision: np.ndarray) -> CurvePoint:
    by_tag = {task.tag: round(float(value), 6) for task, value in zip(tasks, precision, strict=True) if np.isfinite(value)}
    values = list(by_tag.values())
    return CurvePoint(size, len(values), round(sum(values) / len(values), 6), min(values), max(values), by_tag)


class _Problem:
    """What is drawn from. Every array has a row for each distinct image and a column for each tag."""

    def __init__(self, features: np.ndarray, tasks: Sequence[Task], distinct: np.ndarray):
        shape = len(features), len(tasks)
        tags, used, prior = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(shape, np.float32)
        for column, task in enumerate(tasks):
            tags[task.rows[task.classes == 0], column] = True
            used[task.rows, column] = True
            prior[task.rows, column] = task.prior
        self._tags, self._used, self._prior = tags[distinct], used[distinct], prior[distinct]
        self._regressions = Regressions(features[distinct])

    def draw(self, random: np.random.Generator) -> Iterator[tuple[int, np.ndarray]]:
        """(images of every tag, average precision of each), NaN for a tag without enough. A tag's own images beyond so many are not used,
        though drawn for another tag; tags with fewer give what they have to the others."""
        to_learn, measured = self._halves(random)
        measurable = self._measurable(measured)
        if self._prior.any():
            yield 0, self._precision(self._prior[measured], measured, measurable)
        rows, prior = self._regressions.rows[measured], self._prior[measured]
        tags, used = self._tags[to_learn], self._used[to_learn]
        places, others = np.cumsum(tags, 0), ~tags.any(1)
        others &= np.cumsum(others) <= MOST_OTHERS
        for size in SIZES:
            mine = tags & (places <= size)
            drawn = mine.any(1) | others
            used_now = used[drawn] & (mine | ~tags)[drawn]
            learnt = measurable & (mine.sum(0) == size) & (used_now & ~tags[drawn]).any(0)
            if not 0 < np.count_nonzero(drawn) * np.count_nonzero(learnt) <= NUMBERS_AT_ONCE:
                return
            scores = prior.copy()
            scores[:, learnt] += rows @ self._solved(to_learn[drawn], used_now[:, learnt], learnt)
            yield size, self._precision(scores, measured, learnt)

    def _halves(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows to learn from and rows to measure on, in random order: half of each tag's, the rarest first, and of those of no tag."""
        order = random.permutation(len(self._tags))
        to_learn, decided = np.zeros(len(order), bool), np.zeros(len(order), bool)
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
        tags, prior = self._tags[rows][:, learnt].astype(np.float32), self._prior[rows][:, learnt]
        return self._regressions.of(rows).solve(tags, used.astype(np.float32), np.full(tags.shape[1], USUAL.C), prior)

    def _precision(self, scores: np.ndarray, measured: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        precision = np.full(len(wanted), np.nan)
        for column in np.flatnonzero(wanted):
            counted = self._used[measured, column]
            precision[column] = average_precision(self._tags[measured[counted], column], scores[counted, column])
        return precision
