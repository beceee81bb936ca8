"""What is to be said of a fitted model: metrics out of fold, scores of the pictures held out, which promises
it keeps."""
from cache.models.tag_scores import ModelSet
from cache.stores.metadata import Metadata
from stage2.judging.held_out import HeldOut
from stage2.judging.promises import promises
from stage2.judging.results import ModelResult
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Fitted
from stage2.metrics import METRICS, NOTHING, Resamples


class Judge:
    """targets: of precision and recall; None for no promises."""

    def __init__(self, metadata: Metadata, tagged: TaggedRows, targets: tuple[float, float] | None):
        self._matrix = metadata.matrix
        self._outside = tagged.outside
        self._group_of = tagged.group_of
        self._resamples = Resamples(tagged.group_of)
        self._targets = targets

    def result(self, fitted: Fitted) -> ModelResult:
        rows, is_tag = fitted.split.examples()
        calibration = fitted.calibration
        metrics = dict.fromkeys(METRICS, NOTHING)
        if calibration.unseen is not None:
            metrics = self._resamples.estimates(rows, is_tag, calibration.unseen)
        kept = None
        if self._targets:
            kept = promises(is_tag, calibration.measured, self._group_of[rows], *self._targets)
        return ModelResult(fitted.model_type, calibration, metrics, self._held_out(fitted), kept)

    def _held_out(self, fitted: Fitted) -> HeldOut:
        _, is_tag, held_out = fitted.split.all_examples()
        is_tag = is_tag[held_out]
        of_outside = None
        if self._outside is not None:
            of_outside = ModelSet([fitted.estimator]).score(self._matrix[self._outside])[:, 0]
        return HeldOut(fitted.held_out[is_tag], fitted.held_out[~is_tag], of_outside)
