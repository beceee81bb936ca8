"""The solver of the logistic regressions: all tags at once, since what one needs of the pictures, all need,
in one matrix product.

Truncated Newton: Newton steps, each solved by conjugate gradients as far as is worth while (Nocedal and
Wright, Numerical Optimization, chapter 7). Every array has a column per tag; float32, of which the sums of
the loss are kept in float64.
"""
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np

from cache.models.tag_scores import sigmoid

NUMBERS_AT_ONCE = 16_000_000  # rows x tags: 64 MiB for each of a handful of such arrays
# Of the first gradient's norm: on real pictures logits then differ by 0.01, those of scikit-learn as it is by
# 0.1.
GRADIENT_LEFT = 1e-4
ROUNDING = np.float32(1e-6)  # of each row's part of a gradient: below, there is nothing left to gain
RESIDUAL_LEFT = 0.3  # of a Newton step's equation
SMALLEST_SPREAD = np.float32(1e-6)  # of the largest: below, float32 knows no direction
SMALLEST_CURVATURE = np.float32(1e-6)
SMALLEST_PRODUCT = np.float32(1e-30)  # to divide by
NOISE = 1e-6  # of a loss in float32: what grows by no more has not grown
MOST_STEPS, MOST_CONJUGATE_STEPS, MOST_HALVINGS = 50, 20, 10


class Regressions:
    """The solver for one matrix of features. Weights are along its eigenvectors, with the offset last:
    float32 (d + 1, tags)."""

    def __init__(self, features: np.ndarray):
        count = len(features)
        # Seen along the eigenvectors, the curvature is nearly diagonal, whatever the tag: it divides the
        # conjugate steps by five.
        spread, self._basis = _eigenvectors(features)
        self.rows = np.column_stack([features @ self._basis, np.ones(count, np.float32)])  # (n, d + 1)
        self._spread = np.append(np.maximum(spread, 0), np.float32(1))[:, None]  # (d + 1, 1)
        self.columns_at_once = max(1, NUMBERS_AT_ONCE // count)

    def of(self, rows: np.ndarray) -> "Regressions":
        """Of some of the rows: the eigenvectors of all serve them, too, and to find their own would take
        longer than the rest."""
        some = copy(self)
        some.rows = self.rows[rows]
        return some

    def solve(
        self, tags: np.ndarray, used: np.ndarray, C: np.ndarray, prior: np.ndarray, *,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """For every column what LogisticRegression(C=C) finds on the rows `used`, if each margin begins at
        `prior`.

        tags, used: 0 or 1, prior: a logit, all float32 (n, tags); C: (tags,); start: weights to begin with.
        """
        penalty = np.repeat((1 / C).astype(np.float32)[None], len(self._spread), 0)  # (d + 1, tags)
        penalty[-1] = 0  # an offset is free
        return _newton(_Objective(self.rows, tags, used, penalty, prior), self._spread, start)

    def on_features(self, solution: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        """Weights (d,) and offset of each column."""
        return zip((self._basis @ solution[:-1]).T, solution[-1].tolist(), strict=True)


def _eigenvectors(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares along the eigenvectors, and these: (r,), (d, r). Of fewer rows than features only the
    space of the rows counts: a penalised regression never leaves it."""
    count, width = features.shape
    if count >= width:
        return np.linalg.eigh(features.T @ features / np.float32(count))
    spread, mixtures = np.linalg.eigh(features @ features.T / np.float32(count))
    kept = spread > SMALLEST_SPREAD * spread[-1]
    spread, mixtures = spread[kept], mixtures[:, kept]
    return spread, features.T @ mixtures / np.sqrt(spread * count)


@dataclass(frozen=True)
class _Objective:
    """sum over used rows of log(1 + exp(margin)) - tag * margin, plus penalty * weights² / 2."""

    rows: np.ndarray  # (n, d + 1), the last feature is 1
    tags: np.ndarray  # (n, tags), 0 or 1
    used: np.ndarray  # (n, tags), 0 or 1
    penalty: np.ndarray  # (d + 1, tags)
    prior: np.ndarray  # (n, tags), logits that are not learnt

    def at(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The value (tags,), and the probabilities (n, tags)."""
        margins = self.rows @ weights + self.prior
        softplus = np.log1p(np.exp(-np.abs(margins))) + np.maximum(margins, 0)
        losses = softplus - margins * self.tags
        penalties = (self.penalty * weights.astype(np.float64) ** 2).sum(0) / 2
        return (losses * self.used).sum(0, dtype=np.float64) + penalties, sigmoid(margins)

    def gradient(self, weights: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """(d + 1, tags)"""
        errors = (probabilities - self.tags) * self.used
        return self.rows.T @ errors + self.penalty * weights

    def curved(self, curvature: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """The Hessian times a direction, (d + 1, tags). curvature: (n, tags), the second derivative by each
        margin."""
        return self.rows.T @ (curvature * (self.rows @ direction)) + self.penalty * direction

    def of(self, columns: np.ndarray) -> "_Objective":
        return _Objective(
            self.rows, self.tags[:, columns], self.used[:, columns], self.penalty[:, columns],
            self.prior[:, columns])

    def constant(self) -> np.ndarray:
        """The weights that say of every row what share of all is of the tag."""
        share = (self.tags * self.used).sum(0) / self.used.sum(0)
        weights = np.zeros((self.rows.shape[1], len(share)), np.float32)
        weights[-1] = np.log(share / (1 - share))
        return weights


def _newton(objective: _Objective, spread: np.ndarray, start: np.ndarray | None) -> np.ndarray:
    """Weights (d + 1, tags). A tag whose gradient is small enough leaves the products."""
    solution = objective.constant()
    value, probabilities = objective.at(solution)
    goal = _goal(objective, solution, probabilities)
    if start is not None:
        solution = start.copy()
        value, probabilities = objective.at(solution)
    weights, open_tags = solution, np.arange(solution.shape[1])
    for _ in range(MOST_STEPS):
        gradient = objective.gradient(weights, probabilities)
        unfinished = np.linalg.norm(gradient, axis=0) > goal
        if not unfinished.any():
            break
        open_tags, goal, objective = open_tags[unfinished], goal[unfinished], objective.of(unfinished)
        step = _step(objective, gradient[:, unfinished], probabilities[:, unfinished], spread)
        weights, value, probabilities = _downhill(objective, weights[:, unfinished], value[unfinished], step)
        solution[:, open_tags] = weights
    return solution


def _goal(objective: _Objective, constant: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How long the gradient of each tag may stay: (tags,)."""
    first = np.linalg.norm(objective.gradient(constant, probabilities), axis=0)
    return np.maximum(GRADIENT_LEFT * first, ROUNDING * len(objective.rows))


def _step(
    objective: _Objective, gradient: np.ndarray, probabilities: np.ndarray, spread: np.ndarray,
) -> np.ndarray:
    """The Newton step by preconditioned conjugate gradients (Nocedal and Wright, algorithms 5.3 and 7.1)."""
    curvature = probabilities * (1 - probabilities) * objective.used
    diagonal = spread * curvature.sum(0) + objective.penalty + SMALLEST_CURVATURE  # about that of the Hessian
    goal = RESIDUAL_LEFT * np.linalg.norm(gradient, axis=0)
    step, residual = np.zeros_like(gradient), -gradient
    preconditioned = residual / diagonal
    direction = preconditioned
    product = (residual * preconditioned).sum(0)
    for _ in range(MOST_CONJUGATE_STEPS):
        curved = objective.curved(curvature, direction)
        length = product / np.maximum((direction * curved).sum(0), SMALLEST_PRODUCT)
        step += length * direction
        residual -= length * curved
        if (np.linalg.norm(residual, axis=0) <= goal).all():
            break
        preconditioned = residual / diagonal
        last, product = product, (residual * preconditioned).sum(0)
        direction = preconditioned + product / np.maximum(last, SMALLEST_PRODUCT) * direction
    return step


def _downhill(
    objective: _Objective, weights: np.ndarray, value: np.ndarray, step: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The weights after the step, halved for each tag until its loss does not grow, and the value and
    probabilities there."""
    length = np.ones(len(value), np.float32)
    for _ in range(MOST_HALVINGS):
        reached, probabilities = objective.at(weights + length * step)
        uphill = reached > value * (1 + NOISE)
        if not uphill.any():
            break
        length[uphill] /= 2
    else:
        length[uphill] = 0
        reached, probabilities = objective.at(weights + length * step)
    return weights + length * step, reached, probabilities
