"""The logistic regressions of all tags at once: what one needs of the pictures, all need, in one matrix product.

Truncated Newton: Newton steps, each solved by conjugate gradients as far as is worth while (Nocedal and Wright, Numerical Optimization,
chapter 7). Every array has a column per tag; float32, of which the sums of the loss are kept in float64.
"""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cache.tag_scores import sigmoid
from stage2.tagged_rows import Task

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

C = 0.01  # measured on emoji, stamps and clothes, see docs/design.md
NUMBERS_AT_ONCE = 16_000_000  # rows x tags: 64 MiB for each of a handful of such arrays
GRADIENT_LEFT = 1e-4  # of the first gradient's norm: on real pictures logits then differ by 0.01, those of scikit-learn as it is by 0.1
ROUNDING = np.float32(1e-6)  # of each row's part of a gradient: below, there is nothing left to gain
RESIDUAL_LEFT = 0.3  # of a Newton step's equation
MOST_STEPS, MOST_CONJUGATE_STEPS, MOST_HALVINGS = 50, 20, 10


def fit_all(features: np.ndarray, tasks: Sequence[Task], fitted: Callable[[], object]) -> Iterator[tuple[str, "LogisticRegression"]]:
    """Every tag with its regression. features: float32 (n, d), standardised; fitted() is called after each."""
    from sklearn.linear_model import LogisticRegression

    used = np.zeros((len(features), len(tasks)), bool)
    tags = np.zeros_like(used)
    for column, task in enumerate(tasks):
        used[task.rows, column] = True
        tags[task.rows[task.classes == 0], column] = True
    for task, (weights, offset) in zip(tasks, solve(features, tags, used, C), strict=True):
        regression = LogisticRegression(C=C)
        regression.classes_, regression.n_features_in_ = np.array([0, 1]), features.shape[1]
        regression.coef_, regression.intercept_ = -weights[None], np.array([-offset])  # towards class 1, which is not the tag
        fitted()
        yield task.tag, regression


def solve(features: np.ndarray, tags: np.ndarray, used: np.ndarray, C: float) -> Iterator[tuple[np.ndarray, float]]:
    """Weights (d,) and offset for every column of `tags`: what LogisticRegression(C=C) finds for it on the rows `used`.
    tags, used: bool (n, tags)."""
    count, width = features.shape
    # Seen along the eigenvectors, the curvature is nearly diagonal, whatever the tag: it divides the conjugate steps by five.
    spread, basis = np.linalg.eigh(features.T @ features / np.float32(count))
    rows = np.column_stack([features @ basis, np.ones(count, np.float32)])
    spread = np.append(np.maximum(spread, 0), np.float32(1))[:, None]
    penalty = np.append(np.full(width, 1 / C, np.float32), np.float32(0))[:, None]
    columns = max(1, NUMBERS_AT_ONCE // count)
    for start in range(0, tags.shape[1], columns):
        block = slice(start, start + columns)
        solution = _newton(_Objective(rows, tags[:, block].astype(np.float32), used[:, block].astype(np.float32), penalty), spread)
        yield from zip((basis @ solution[:-1]).T, solution[-1].tolist(), strict=True)


@dataclass(frozen=True)
class _Objective:
    """sum over used rows of log(1 + exp(margin)) - tag * margin, plus penalty * weights² / 2."""

    rows: np.ndarray  # (n, d + 1), the last feature is 1
    tags: np.ndarray  # (n, tags), 0 or 1
    used: np.ndarray  # (n, tags), 0 or 1
    penalty: np.ndarray  # (d + 1, 1)

    def at(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The value (tags,), and the probabilities (n, tags)."""
        margins = self.rows @ weights
        losses = np.log1p(np.exp(-np.abs(margins))) + np.maximum(margins, 0) - margins * self.tags
        penalties = (self.penalty * weights.astype(np.float64) ** 2).sum(0) / 2
        return (losses * self.used).sum(0, dtype=np.float64) + penalties, sigmoid(margins)

    def gradient(self, weights: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        return self.rows.T @ ((probabilities - self.tags) * self.used) + self.penalty * weights

    def of(self, columns: np.ndarray) -> "_Objective":
        return _Objective(self.rows, self.tags[:, columns], self.used[:, columns], self.penalty)


def _newton(objective: _Objective, spread: np.ndarray) -> np.ndarray:
    """Weights (d + 1, tags). A tag whose gradient is small enough leaves the products."""
    share = (objective.tags * objective.used).sum(0) / objective.used.sum(0)
    solution = np.zeros((objective.rows.shape[1], len(share)), np.float32)
    solution[-1] = np.log(share / (1 - share))
    weights, open_tags = solution, np.arange(len(share))
    value, probabilities = objective.at(weights)
    goal = None
    for _ in range(MOST_STEPS):
        gradient = objective.gradient(weights, probabilities)
        norm = np.linalg.norm(gradient, axis=0)
        goal = np.maximum(GRADIENT_LEFT * norm, ROUNDING * len(objective.rows)) if goal is None else goal
        unfinished = norm > goal
        if not unfinished.any():
            break
        open_tags, goal, objective = open_tags[unfinished], goal[unfinished], objective.of(unfinished)
        step = _step(objective, gradient[:, unfinished], probabilities[:, unfinished], spread)
        weights, value, probabilities = _downhill(objective, weights[:, unfinished], value[unfinished], step)
        solution[:, open_tags] = weights
    return solution


def _step(objective: _Objective, gradient: np.ndarray, probabilities: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """The Newton step by preconditioned conjugate gradients."""
    curvature = probabilities * (1 - probabilities) * objective.used
    diagonal = spread * curvature.sum(0) + objective.penalty + np.float32(1e-6)
    step, residual = np.zeros_like(gradient), -gradient
    goal = RESIDUAL_LEFT * np.linalg.norm(gradient, axis=0)
    scaled = residual / diagonal
    direction, product = scaled, (residual * scaled).sum(0)
    for _ in range(MOST_CONJUGATE_STEPS):
        bent = objective.rows.T @ (curvature * (objective.rows @ direction)) + objective.penalty * direction
        length = product / np.maximum((direction * bent).sum(0), np.float32(1e-30))
        step += length * direction
        residual -= length * bent
        if (np.linalg.norm(residual, axis=0) <= goal).all():
            break
        scaled = residual / diagonal
        last, product = product, (residual * scaled).sum(0)
        direction = scaled + product / np.maximum(last, np.float32(1e-30)) * direction
    return step


def _downhill(objective: _Objective, weights: np.ndarray, value: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, ...]:
    """The step, halved for each tag until its loss does not grow (beyond the noise of float32)."""
    length = np.ones(len(value), np.float32)
    for _ in range(MOST_HALVINGS):
        reached, probabilities = objective.at(weights + length * step)
        uphill = reached > value * (1 + 1e-6)
        if not uphill.any():
            break
        length[uphill] /= 2
    else:
        length[uphill] = 0
        reached, probabilities = objective.at(weights + length * step)
    return weights + length * step, reached, probabilities
