"""What is to be said of a fitted model: metrics out of fold, scores of the pictures held out, which promises
it keeps."""
import numpy as np

from cache.models.tag_scores import ModelSet
from cache.stores.metadata import Metadata
from stage2.judging.held_out import HeldOut
from stage2.judging.promises import promises
from stage2.judging.results import Judged, ModelResult
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Fitted
from stage2.metrics import METRICS, NOTHING, Resamples


class Judge:
    """targets: of precision and recall; None for no promises. world: in which the models decide."""

    def __init__(
        self, metadata: Metadata, tagged: TaggedRows, targets: tuple[float, float] | None, world: str,
    ):
        self._matrix = metadata.matrix
        self._outside = tagged.outside
        self._group_of = tagged.group_of
        self._resamples = Resamples(tagged.group_of)
        self._targets, self._world = targets, world

    def result(self, fitted: Fitted) -> ModelResult:
        calibration = fitted.calibration
        closed = self._judged(fitted, calibration.unseen, calibration.measured)
        strangers = Judged(dict.fromkeys(METRICS, NOTHING), closed.promises and closed.promises.untried())
        if calibration.strangers is not None:
            strangers = self._judged(fitted, calibration.strangers, calibration.strangers)
        return ModelResult(
            model_type=fitted.model_type,
            calibration=calibration,
            held_out=self._held_out(fitted),
            closed=closed,
            strangers=strangers,
            world=self._world,
        )

    def _judged(self, fitted: Fitted, unseen: np.ndarray | None, measured: np.ndarray | None) -> Judged:
        """unseen: the probabilities of the rows in folds; measured: the same, if they are on the final
        model's scale."""
        rows, is_tag = fitted.split.examples()
        metrics = dict.fromkeys(METRICS, NOTHING)
        if unseen is not None:
            metrics = self._resamples.estimates(rows, is_tag, unseen)
        kept = None
        if self._targets:
            kept = promises(is_tag, measured, self._group_of[rows], *self._targets)
        return Judged(metrics, kept)

    def _held_out(self, fitted: Fitted) -> HeldOut:
        _, is_tag, held_out = fitted.split.all_examples()
        is_tag = is_tag[held_out]
        of_outside = None
        if self._outside is not None:
            of_outside = ModelSet([fitted.estimator]).score(self._matrix[self._outside])[:, 0]
        return HeldOut(fitted.held_out[is_tag], fitted.held_out[~is_tag], of_outside)
