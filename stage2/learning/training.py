"""The two classifiers of every tag, fitted on shared features, with what their folds say of unseen
pictures."""
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.stores.metadata import Metadata
from stage2.learning.calibration import Calibration
from stage2.learning.split import Split
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.task import Task, folds_within
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


class Training:
    """What all tags of a run share: the rows they learn from, their standardised features, and the
    scaling."""

    def __init__(
        self, metadata: Metadata, splits: dict[str, Split], tagged: TaggedRows, priors: dict[str, TextPrior],
    ):
        self._splits, self._priors = splits, priors
        training = {tag: split.training() for tag, split in splits.items()}
        self.rows = np.unique(np.concatenate([rows for rows, _ in training.values()]))
        vectors = metadata.matrix[self.rows]
        self.scaler = shrunk_scaler(vectors)
        self.features = self.scaler.transform(vectors)
        fold_of = tagged.folds()
        self.tasks = [
            Task(
                tag=tag,
                rows=np.searchsorted(self.rows, rows),
                classes=classes,
                folds=folds_within(rows, classes, fold_of, tagged.group_of),
                prior=priors[tag].logits(metadata.matrix[rows]) if tag in priors else 0.0,
            )
            for tag, (rows, classes) in training.items()
        ]

    def models(self, fitted: Callable[..., object]) -> Iterator[Fitted]:
        """Both types of every tag; fitted(count) is called after so many fits, 1 if it does not say."""
        yield from self._regressions(fitted)
        yield from self._svms(fitted)

    def _regressions(self, fitted: Callable[..., object]) -> Iterator[Fitted]:
        from sklearn.pipeline import make_pipeline

        from stage2.learning import logistic_regression

        deviations = self.scaler.scale_
        for tag, fit in logistic_regression.fit_all(self.features, deviations, self.tasks, fitted):
            weights, offset = fit.weights, fit.offset
            if tag in self._priors:
                weights, offset = with_prior(self._priors[tag], self.scaler, weights, offset)
            regression = logistic_regression.new_regression(*fit.calibration.of_linear(weights, offset))
            pipeline = make_pipeline(self.scaler, regression)
            yield Fitted(tag, LOGISTIC_REGRESSION, pipeline, fit.calibration, self._splits[tag])

    def _svms(self, fitted: Callable[[], object]) -> Iterator[Fitted]:
        from sklearn.pipeline import make_pipeline

        from stage2.learning import kernel_svm

        for tag, machine, calibration in kernel_svm.fit_all(self.features, self.tasks, fitted):
            yield Fitted(tag, SVM, make_pipeline(self.scaler, machine), calibration, self._splits[tag])


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
