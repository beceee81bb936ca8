"""A model's scores turned into probabilities by a sigmoid (Platt 1999), fitted to what each fold got from the
model of the other folds.

The sigmoid is cross-fitted over the same folds: what a picture is said to have scored comes from a model and
a sigmoid that have not seen it. Where the sigmoid makes the calibration error no smaller, it is left out.
"""
from dataclasses import dataclass, replace

import numpy as np

from cache.models.tag_scores import sigmoid
from stage2.learning.task import Scores, Task
from stage2.metrics import DIGITS, calibration_error

SIGMOID, LEFT_OUT, NO_SIGNAL = "sigmoid", "left out", "no signal"
FROM_TRAINING, FROM_TEXT = "from training images", "from text"
IN_WORDS = {
    SIGMOID: "by a sigmoid",
    LEFT_OUT: "left out: a sigmoid makes the error no smaller",
    NO_SIGNAL: "none: unseen images of the tag score no higher than others, so all get about its share",
    FROM_TRAINING: "by a sigmoid on the images learnt from: too few for more",
    FROM_TEXT: "none: the text alone says how likely the tag is",
}
FEW_IMAGES = 10  # of a tag: with fewer, folds may turn the order round by chance
NEXT_TO_NOTHING = 1e-6
# Of Newton's method:
MOST_STEPS = 100
GRADIENT_LEFT = 1e-9  # for each row
SMALLEST_CURVATURE = 1e-12
SMALLEST_STEP = 1e-12


@dataclass(frozen=True)
class Calibration:
    """The tag's probability is sigmoid(slope * score + offset), score being the estimator's own, larger for
    the tag."""

    kind: str
    slope: float
    offset: float
    # float64 (rows in folds,): cross-fitted probabilities; None if the tag has one image
    unseen: np.ndarray | None
    error_without: float | None  # the calibration error of the probabilities without the sigmoid
    error_with: float | None
    # The same, but others as if no picture of any of their tags had been seen; None if that cannot be tried.
    strangers: np.ndarray | None = None
    tried: np.ndarray | None = None  # bool (rows in folds,): for which of them that could be tried

    @property
    def measured(self) -> np.ndarray | None:
        """`unseen`, if the final model speaks on the same scale."""
        return self.unseen if self.kind in (SIGMOID, LEFT_OUT, NO_SIGNAL) else None

    @property
    def lacks_strangers(self) -> bool:
        """Whether the folds say something, but no picture could be tried as a stranger."""
        return self.measured is not None and self.strangers is None

    def of_scores(self, scores: np.ndarray) -> np.ndarray:
        return sigmoid(self.slope * scores + self.offset)

    def of_linear(self, weights: np.ndarray, offset: float) -> tuple[np.ndarray, float]:
        """A linear score stays one when the sigmoid is in it: weights and offset of
        sigmoid(features @ weights + offset)."""
        return self.slope * weights, self.slope * offset + self.offset

    def in_words(self) -> str:
        words = IN_WORDS[self.kind]
        if self.error_with is None:
            return words
        return f"{words} (error {self.error_without:.4f} without, {self.error_with:.4f} with it)"

    def as_dict(self) -> dict:
        return {
            "kind": self.kind,
            "calibration_error_without": self.error_without,
            "calibration_error_with": self.error_with,
        }


def calibrate(task: Task, scores: Scores) -> Calibration:
    """Folds decide; a task without them takes the scores of the pictures learnt from."""
    here = task.in_folds  # what is held out is not to be judged by a sigmoid that has seen it
    if not task.has_folds:
        return Calibration(FROM_TRAINING, *_platt(scores.learnt[here], task.is_tag[here]), None, None, None)
    calibration = _by_folds(task.is_tag[here], task.folds[here], scores.folds[here], scores.learnt[here])
    return _with_strangers(calibration, task, scores.strangers[here])


def _by_folds(is_tag: np.ndarray, folds: np.ndarray, scores: np.ndarray, learnt: np.ndarray) -> Calibration:
    """scores: of each fold from the model of the others; learnt: those of the final model: (rows,) each."""
    plain = sigmoid(scores)
    fitted = _cross_fitted(is_tag, folds, scores)
    error_without = round(calibration_error(is_tag, plain), DIGITS)
    error_with = round(calibration_error(is_tag, fitted), DIGITS)
    slope, offset = _platt(scores, is_tag)
    if slope <= 0 and is_tag.sum() < FEW_IMAGES:
        # Of two images, each may look unlike the tag to a model that only knows the other.
        slope, offset = _platt(learnt, is_tag)
        return Calibration(FROM_TRAINING, slope, offset, fitted, error_without, error_with)
    if slope <= 0:
        slope, offset = _nearly_constant(is_tag)
        return Calibration(NO_SIGNAL, slope, offset, fitted, error_without, error_with)
    if error_with < error_without:
        return Calibration(SIGMOID, slope, offset, fitted, error_without, error_with)
    return Calibration(LEFT_OUT, 1.0, 0.0, plain, error_without, error_with)


def _with_strangers(calibration: Calibration, task: Task, scores: np.ndarray) -> Calibration:
    """A picture that could not be tried as a stranger keeps what is said of it as one of a known kind."""
    known = calibration.measured
    if known is None:
        return calibration
    if task.others_taught:
        return replace(calibration, strangers=known, tried=~task.is_tag[task.in_folds])
    if not task.tries_strangers:
        return calibration
    tried = ~np.isnan(scores)
    probabilities = known.copy()
    probabilities[tried] = calibration.of_scores(scores[tried])
    return replace(calibration, strangers=probabilities, tried=tried)


def _cross_fitted(is_tag: np.ndarray, folds: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The probability of each row by the sigmoid of the other folds: (rows,)."""
    probabilities = np.empty(len(scores))
    for fold in np.unique(folds):
        here = folds == fold
        slope, offset = _platt(scores[~here], is_tag[~here])
        if slope <= 0:
            slope, offset = _nearly_constant(is_tag[~here])
        probabilities[here] = sigmoid(slope * scores[here] + offset)
    return probabilities


def _nearly_constant(is_tag: np.ndarray) -> tuple[float, float]:
    """Slope and offset where scores say nothing: the tag's share of all, and just enough of the score to keep
    the order."""
    share = is_tag.mean()
    return NEXT_TO_NOTHING, float(np.log(share / (1 - share)))


def _platt(scores: np.ndarray, is_tag: np.ndarray) -> tuple[float, float]:
    """Slope and offset, as scikit-learn's _SigmoidCalibration finds them, by Newton's method (Lin, Lin and
    Weng 2007, A Note on Platt's Probabilistic Outputs) in less than half the time, which was more than half
    of that of a regression and its folds."""
    tags, others = is_tag.sum(), (~is_tag).sum()
    # Few images of a tag do not make it certain: targets are smoothed as Platt proposed.
    targets = np.where(is_tag, (tags + 1) / (tags + 2), 1 / (others + 2))
    centre, spread = scores.mean(), scores.std() or 1.0
    rows = np.column_stack([(scores - centre) / spread, np.ones(len(scores))])  # (n, 2): score and constant
    weights = np.array([0.0, np.log((tags + 1) / (others + 1))])
    for _ in range(MOST_STEPS):
        probabilities = sigmoid(rows @ weights)
        gradient = rows.T @ (probabilities - targets)
        if np.abs(gradient).max() < GRADIENT_LEFT * len(rows):
            break
        variances = probabilities * (1 - probabilities)
        curvature = rows.T @ (rows * variances[:, None]) + SMALLEST_CURVATURE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = _downhill(rows, targets, weights, step)
    slope = weights[0] / spread
    return float(slope), float(weights[1] - slope * centre)


def _downhill(rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The step away from the gradient, halved until the loss is smaller."""
    before = _loss(rows @ weights, targets)
    while _loss(rows @ (weights - step), targets) > before and np.abs(step).max() > SMALLEST_STEP:
        step = step / 2
    return weights - step


def _loss(margins: np.ndarray, targets: np.ndarray) -> float:
    return float((np.logaddexp(0, margins) - targets * margins).sum())
