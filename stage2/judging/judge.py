"""What is to be said of a fitted model: metrics out of fold, scores of the pictures held out, and which promises it keeps."""
import numpy as np

from cache.models.tag_scores import ModelSet
from cache.stores.metadata import Metadata
from stage2.judging.held_out import Evaluation
from stage2.judging.promises import promises
from stage2.judging.results import ModelResult
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Fitted
from stage2.metrics import METRICS, NOTHING, Resamples


class Judge:
    """targets: of precision and recall; None for no promises."""

    def __init__(self, metadata: Metadata, tagged: TaggedRows, targets: tuple[float, float] | None):
        self._matrix, self._outside, self._targets = metadata.matrix, tagged.outside, targets
        self._group_of = tagged.group_of
        self._resamples = Resamples(tagged.group_of)

    def result(self, fitted: Fitted) -> ModelResult:
        metrics, kept = dict.fromkeys(METRICS, NOTHING), None
        rows, is_tag = fitted.split.examples()
        unseen = fitted.calibration.unseen
        if unseen is not None:
            metrics = self._resamples.estimates(rows, is_tag, unseen)
        if self._targets:
            kept = promises(is_tag, fitted.calibration.measured, self._group_of[rows], *self._targets)
        return ModelResult(fitted.model_type, fitted.calibration, metrics, self._held_out(fitted), kept)

    def _held_out(self, fitted: Fitted) -> Evaluation:
        split = fitted.split
        parts = [split.tag_test, split.other_test, split.tag_test[:0] if self._outside is None else self._outside]
        scores = ModelSet([fitted.estimator]).score(self._matrix[np.concatenate(parts)])[:, 0]
        of_tag, of_others, of_outside = np.split(scores, np.cumsum([len(part) for part in parts])[:2])
        return Evaluation(fitted.tag, of_tag, of_others, None if self._outside is None else of_outside)
