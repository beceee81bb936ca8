"""Results of stage 2 that hold nothing but labels and out-of-fold probabilities."""
import numpy as np

from stage2.judging.held_out import HeldOut
from stage2.judging.results import Judged, ModelResult, TagResult
from stage2.learning.calibration import SIGMOID, Calibration
from stage2.metrics import Estimate

NOBODY = HeldOut(np.empty(0), np.empty(0), None)


def model(precision: float | None, probabilities: list[float] | np.ndarray | None) -> ModelResult:
    unseen = None if probabilities is None else np.array(probabilities)
    judged = Judged({"average_precision": Estimate(precision, None, None)}, None)
    return ModelResult("M", Calibration(SIGMOID, 1.0, 0.0, unseen, None, None), NOBODY, judged, judged)


def result(tag: str, rows: list[int] | np.ndarray, is_tag: list[int], *models: ModelResult) -> TagResult:
    by_type = {str(place): model for place, model in enumerate(models)}
    return TagResult(tag, np.array(rows), np.array(is_tag, bool), by_type)
