"""The two classifiers of every tag, fitted on shared features, with what their folds say of unseen
pictures."""
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.stores.metadata import Metadata
from stage2.learning.calibration import Calibration, calibrate
from stage2.learning.split import Split
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.task import HELD_OUT, Scores, Task, folds_within
from stage2.learning.text_prior import TextPrior, with_prior

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

# Of 0, 30, 100, 300 the best on emoji, stamps and clothes with 5 to 200 pictures of a tag, see
# docs/design.md.
AVERAGE_PICTURES = 30


@dataclass(frozen=True)
class Fitted:
    tag: str
    model_type: str
    estimator: "Pipeline"  # takes raw vectors
    calibration: Calibration
    split: Split
    held_out: np.ndarray  # probabilities of the pictures held out, in the order of their rows


class Training:
    """What all tags of a run share: the rows they learn from, their standardised features, and the
    scaling."""

    def __init__(
        self, metadata: Metadata, splits: dict[str, Split], tagged: TaggedRows, priors: dict[str, TextPrior],
    ):
        self._splits, self._priors = splits, priors
        examples = {tag: split.all_examples() for tag, split in splits.items()}
        self.rows = np.unique(np.concatenate([rows for rows, _, _ in examples.values()]))
        vectors = metadata.matrix[self.rows]
        self.scaler = shrunk_scaler(vectors)
        self.features = self.scaler.transform(vectors)
        fold_of, strangers = tagged.folds(), tagged.strangers()

        def task(tag: str, rows: np.ndarray, is_tag: np.ndarray, held_out: np.ndarray) -> Task:
            classes = np.where(is_tag, 0, 1)
            folds = np.full(len(rows), HELD_OUT)
            folds[~held_out] = folds_within(rows[~held_out], classes[~held_out], fold_of, tagged.group_of)
            try_strangers = partial(strangers.trials, tag, rows, is_tag, ~held_out)
            return Task(
                tag=tag,
                rows=np.searchsorted(self.rows, rows),
                classes=classes,
                folds=folds,
                prior=priors[tag].logits(metadata.matrix[rows]) if tag in priors else 0.0,
                strangers=try_strangers,
                kinds=strangers.kinds(rows, try_strangers()),
                others_taught=tagged.others_taught,
            )

        self.tasks = [task(tag, *of_tag) for tag, of_tag in examples.items()]

    @property
    def fits(self) -> int:
        """Of both types: each once for every trial and once for good."""
        return 2 * sum(task.fits for task in self.tasks)

    def models(self, fitted: Callable[..., object]) -> Iterator[Fitted]:
        """Both types of every tag; fitted(count) is called after so many fits, 1 if it does not say."""
        yield from self._regressions(fitted)
        yield from self._svms(fitted)

    def _regressions(self, fitted: Callable[..., object]) -> Iterator[Fitted]:
        from stage2.learning import logistic_regression

        deviations = self.scaler.scale_
        for task, fit in logistic_regression.fit_all(self.features, deviations, self.tasks, fitted):
            calibration = calibrate(task, fit.scores)
            weights, offset = fit.weights, fit.offset
            if task.tag in self._priors:
                weights, offset = with_prior(self._priors[task.tag], self.scaler, weights, offset)
            regression = logistic_regression.new_regression(*calibration.of_linear(weights, offset))
            yield self._fitted(LOGISTIC_REGRESSION, task, regression, calibration, fit.scores)

    def _svms(self, fitted: Callable[..., object]) -> Iterator[Fitted]:
        from stage2.learning import kernel_svm

        for task, machine, scores in kernel_svm.fit_all(self.features, self.tasks, fitted):
            calibration = calibrate(task, scores)
            calibrated = kernel_svm.calibrated(machine, calibration)
            yield self._fitted(SVM, task, calibrated, calibration, scores)

    def _fitted(
        self, model_type: str, task: Task, model: object, calibration: Calibration, scores: Scores,
    ) -> Fitted:
        from sklearn.pipeline import make_pipeline

        return Fitted(
            tag=task.tag,
            model_type=model_type,
            estimator=make_pipeline(self.scaler, model),
            calibration=calibration,
            split=self._splits[task.tag],
            held_out=calibration.of_scores(scores.held_out[~task.in_folds]),
        )


def shrunk_scaler(vectors: np.ndarray) -> "StandardScaler":
    """The variances of few pictures say little: they count as if AVERAGE_PICTURES more had shown the average
    variance of all features."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(vectors)
    average = scaler.var_.mean() or 1.0
    count = len(vectors)
    scaler.var_ = (count * scaler.var_ + AVERAGE_PICTURES * average) / (count + AVERAGE_PICTURES)
    scaler.scale_ = np.sqrt(scaler.var_)
    return scaler
