"""Whether the arrays of a model file fit each other. libsvm takes their sizes on trust: a file whose arrays are shorter than it says would
have it read memory that is not its own."""
from collections.abc import Iterator

import numpy as np

KERNELS = ("linear", "poly", "rbf", "sigmoid")


def is_sound(estimator: object) -> bool:
    """Of any classifier that cache.safe_pickle loads; what is no SVM is NumPy's business, which checks every size itself."""
    return all(_is_sound_machine(machine) for machine in _machines(estimator))


def _machines(estimator: object) -> Iterator[object]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC

    if isinstance(estimator, SVC):
        yield estimator
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            yield from _machines(step)
    if isinstance(estimator, CalibratedClassifierCV):
        for pair in estimator.calibrated_classifiers_:
            yield from _machines(pair.estimator)


def _is_sound_machine(machine) -> bool:
    support = machine.support_vectors_
    count = len(support)
    per_class = np.asarray(machine._n_support)
    shapes = {
        "support_": [(count,)], "_dual_coef_": [(1, count)], "_intercept_": [(1,)], "_probA": [(0,), (1,)], "_probB": [(0,), (1,)],
    }
    return (
        machine.kernel in KERNELS and not machine._sparse and support.ndim == 2 and support.shape[1] == machine.shape_fit_[1]
        and per_class.shape == (2,) and (per_class >= 0).all() and per_class.sum() == count
        and all(np.shape(getattr(machine, name)) in allowed for name, allowed in shapes.items())
    )
