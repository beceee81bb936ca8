"""What is to be said of a fitted model: metrics out of fold, scores of the pictures held out, which promises
it keeps."""
from dataclasses import replace

import numpy as np

from cache.models.tag_scores import ModelSet
from cache.stores.metadata import Metadata
from stage2.judging.among_strangers import Asked, precision_among_strangers
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
        self._matrix, self._tagged = metadata.matrix, tagged
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
        rows, is_tag = fitted.split.examples()
        known = fitted.calibration.measured
        if known is None:
            return Judged(dict.fromkeys(METRICS, NOTHING), closed)
        strangers = self._strangers(fitted)
        if strangers is None:
            return Judged(dict.fromkeys(METRICS, NOTHING), closed and closed.untried())
        asked, probabilities = strangers
        all_rows = np.concatenate([rows[is_tag], asked])
        weight = np.count_nonzero(~is_tag) / len(asked)
        metrics = self._resamples.estimates(
            all_rows, np.arange(len(all_rows)) < is_tag.sum(), np.concatenate([known[is_tag], probabilities]),
            other_weight=weight)
        if closed is None:
            return Judged(metrics, None)
        precision = precision_among_strangers(
            self._asked(rows[is_tag], known[is_tag]), self._asked(rows[~is_tag], known[~is_tag]),
            self._asked(asked, probabilities), closed.precision.target)
        return Judged(metrics, replace(closed, precision=precision))

    def _strangers(self, fitted: Fitted) -> tuple[np.ndarray, np.ndarray] | None:
        """Rows that could be tried as strangers, and what is said of them. To models that have learnt others
        from other-training alone, pictures of other tags are strangers, too: those are tried, if there are
        any."""
        rows, is_tag = fitted.split.examples()
        calibration = fitted.calibration
        if calibration.strangers is None or calibration.tried is None:
            return None
        other_tags = self._tagged.unlearnt(fitted.tag)
        if len(other_tags):
            return other_tags, ModelSet([fitted.estimator]).score(self._matrix[other_tags])[:, 0]
        return rows[calibration.tried], calibration.strangers[calibration.tried]

    def _asked(self, rows: np.ndarray, probabilities: np.ndarray) -> Asked:
        return Asked(probabilities, self._kind_of[rows], self._group_of[rows])

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
