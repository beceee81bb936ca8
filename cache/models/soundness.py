"""Whether the arrays of a model file fit each other, and how wide its vectors are.

libsvm takes sizes on trust: a file whose arrays are shorter than it says would have it read memory that is
not its own. And a file of one kilobyte may say that it takes a billion features.
"""
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.svm import SVC

KERNELS = ("linear", "poly", "rbf", "sigmoid")


def sound_width(estimator: object) -> int:
    """The number of features, by the arrays of a fitted classifier. Raises ValueError, or whatever its
    attributes give rise to, for one that is not sound."""
    widths = set(_widths(estimator))
    said = getattr(estimator, "n_features_in_", None)  # not in models from before scikit-learn 0.24
    if said is not None:
        widths.add(said)
    if len(widths) != 1:
        raise ValueError(f"its parts take vectors of {sorted(widths)} features")
    return int(widths.pop())


def _widths(part: object) -> Iterator[int]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    match part:
        case Pipeline():
            for _, step in part.steps:
                yield from _widths(step)
        case CalibratedClassifierCV():
            for pair in part.calibrated_classifiers_:
                yield from _widths(pair.estimator)
                for calibrator in pair.calibrators:
                    _numbers([calibrator.a_, calibrator.b_], (2,))
        case SVC():
            yield _width_of_machine(part)
        case LogisticRegression():
            _numbers(part.intercept_, (1,))
            yield _numbers(part.coef_, (1, np.shape(part.coef_)[-1])).shape[1]
        case StandardScaler():
            width = len(_numbers(part.mean_, np.shape(part.mean_)))
            if not _numbers(part.scale_, (width,)).all():
                raise ValueError("its scaling divides by zero")
            yield width


def _width_of_machine(machine: "SVC") -> int:
    vectors = _numbers(machine.support_vectors_, np.shape(machine.support_vectors_))
    count, width = vectors.shape
    per_class = np.asarray(machine._n_support)
    _numbers(machine._dual_coef_, (1, count))
    _numbers(machine.dual_coef_, (1, count))
    _numbers(machine._intercept_, (1,))
    _numbers(machine.intercept_, (1,))
    sound = (
        machine.kernel in KERNELS,
        not machine._sparse,
        width == machine.shape_fit_[1],
        np.shape(machine.support_) == (count,),
        per_class.shape == (2,),
        (per_class >= 0).all(),
        per_class.sum() == count,
        all(np.shape(values) in ((0,), (1,)) for values in (machine._probA, machine._probB)),
    )
    if not all(sound):
        raise ValueError("its arrays do not fit each other")
    return width


def _numbers(values: object, shape: tuple[int, ...]) -> np.ndarray:
    """The values as they are, if they have this shape and all are finite."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or array.shape != shape or not np.isfinite(array).all():
        raise ValueError("its arrays do not fit each other")
    return array
