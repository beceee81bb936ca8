"""What is to be said of a fitted model: metrics out of fold, scores of the pictures held out, which promises
it keeps."""
from dataclasses import replace

import numpy as np

from cache.models.tag_scores import ModelSet
from cache.stores.metadata import Metadata
from stage2.judging.among_strangers import Tried, precision_among_strangers
from stage2.judging.held_out import HeldOut
from stage2.judging.promises import Promises, promises
from stage2.judging.results import Judged, ModelResult
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Fitted
from stage2.metrics import METRICS, NOTHING, Estimate, Resamples


class Judge:
    """targets: of precision and recall; None for no promises. world: in which the models decide."""

    def __init__(
        self, metadata: Metadata, tagged: TaggedRows, targets: tuple[float, float] | None, world: str,
    ):
        self._matrix = metadata.matrix
        self._outside = tagged.outside
        self._group_of, self._kind_of = tagged.group_of, tagged.kind_of
        self._resamples = Resamples(tagged.group_of)
        self._targets, self._world = targets, world

    def result(self, fitted: Fitted) -> ModelResult:
        closed = self._closed(fitted)
        return ModelResult(
            model_type=fitted.model_type,
            calibration=fitted.calibration,
            held_out=self._held_out(fitted),
            closed=closed,
            strangers=self._among_strangers(fitted, closed.promises),
            world=self._world,
        )

    def _closed(self, fitted: Fitted) -> Judged:
        rows, is_tag = fitted.split.examples()
        calibration = fitted.calibration
        kept = None
        if self._targets:
            kept = promises(is_tag, calibration.measured, self._group_of[rows], *self._targets)
        return Judged(self._metrics(rows, is_tag, calibration.unseen), kept)

    def _among_strangers(self, fitted: Fitted, closed: Promises | None) -> Judged:
        """Pictures of the tag are no strangers: the promise of recall is that of the closed world."""
        known, strangers = fitted.calibration.measured, fitted.calibration.strangers
        rows, is_tag = fitted.split.examples()
        metrics = self._metrics(rows, is_tag, strangers)
        if closed is None or known is None:
            return Judged(metrics, closed)
        if strangers is None:
            return Judged(metrics, closed.untried())
        tried = Tried(is_tag, known, strangers, self._kind_of[rows], self._group_of[rows])
        precision = precision_among_strangers(tried, closed.precision.target)
        return Judged(metrics, replace(closed, precision=precision))

    def _metrics(
        self, rows: np.ndarray, is_tag: np.ndarray, probabilities: np.ndarray | None,
    ) -> dict[str, Estimate]:
        if probabilities is None:
            return dict.fromkeys(METRICS, NOTHING)
        return self._resamples.estimates(rows, is_tag, probabilities)

    def _held_out(self, fitted: Fitted) -> HeldOut:
        _, is_tag, held_out = fitted.split.all_examples()
        is_tag = is_tag[held_out]
        of_outside = None
        if self._outside is not None:
            of_outside = ModelSet([fitted.estimator]).score(self._matrix[self._outside])[:, 0]
        return HeldOut(fitted.held_out[is_tag], fitted.held_out[~is_tag], of_outside)
