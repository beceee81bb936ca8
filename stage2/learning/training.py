"""The two classifiers of every tag, fitted on shared features, with what their folds say of unseen pictures."""
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.stores.metadata import Metadata
from stage2.learning.calibration import Calibration
from stage2.learning.tagged_rows import Split, TaggedRows, Task, folds_within
from stage2.learning.text_prior import TextPrior, with_prior

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

AVERAGE_PICTURES = 30  # of 0, 30, 100, 300 the best on emoji, stamps and clothes with 5 to 200 pictures of a tag, see docs/design.md


@dataclass(frozen=True)
class Fitted:
    tag: str
    model_type: str
    estimator: "Pipeline"  # takes raw vectors
    calibration: Calibration
    split: Split


class Training:
    """What all tags of a run share: the rows they learn from, their standardised features, and the scaling."""

    def __init__(self, metadata: Metadata, splits: dict[str, Split], tagged: TaggedRows, priors: dict[str, TextPrior]):
        self._splits, self._priors, fold_of = splits, priors, tagged.folds()
        training = {tag: split.training() for tag, split in splits.items()}
        self.rows = np.unique(np.concatenate([rows for rows, _ in training.values()]))
        vectors = metadata.matrix[self.rows]
        self.scaler = shrunk_scaler(vectors)
        self.features = self.scaler.transform(vectors)
        self.tasks = [
            Task(tag, np.searchsorted(self.rows, rows), classes, folds_within(rows, classes, fold_of, tagged.group_of),
                 priors[tag].logits(metadata.matrix[rows]) if tag in priors else 0.0)
            for tag, (rows, classes) in training.items()]

    def models(self, fitted: Callable[[], object]) -> Iterator[Fitted]:
        """Both types of every tag; fitted() is called after each of the fits."""
        from sklearn.pipeline import make_pipeline

        from stage2.learning import kernel_svm, logistic_regression

        for tag, fit in logistic_regression.fit_all(self.features, self.scaler.scale_, self.tasks, fitted):
            weights, offset = fit.weights, fit.offset
            if tag in self._priors:
                weights, offset = with_prior(self._priors[tag], self.scaler, weights, offset)
            regression = logistic_regression.new_regression(*fit.calibration.of_linear(weights, offset))
            yield Fitted(tag, LOGISTIC_REGRESSION, make_pipeline(self.scaler, regression), fit.calibration, self._splits[tag])
        for tag, machine, calibration in kernel_svm.fit_all(self.features, self.tasks, fitted):
            yield Fitted(tag, SVM, make_pipeline(self.scaler, machine), calibration, self._splits[tag])


def shrunk_scaler(vectors: np.ndarray) -> "StandardScaler":
    """The variances of few pictures say little: they count as if AVERAGE_PICTURES more had shown the average variance of all features."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(vectors)
    average = scaler.var_.mean() or 1.0
    scaler.var_ = (len(vectors) * scaler.var_ + AVERAGE_PICTURES * average) / (len(vectors) + AVERAGE_PICTURES)
    scaler.scale_ = np.sqrt(scaler.var_)
    return scaler
