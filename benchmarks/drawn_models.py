"""As many models as a thousand tags have, drawn instead of trained: what it takes to load them."""
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measure import Measurement, told_by
from cache.models.bundle import bundle_path
from cache.models.bundle_writer import BundleWriter
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, save_model

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

TAGS, PICTURES, FEATURES = 1000, 8000, 512
SUPPORT_VECTORS = 300  # of each SVM, which makes 1.3 GB of .pkl
CARD = {"model": "drawn:drawn", "width": FEATURES, "thresholds": {"yes_from": 0.9, "no_below": 0.1}}
# In a program of its own, whose peak is that of the models; ru_maxrss would count the program that forked it.
LOAD = """
import json, sys, time
begin = time.perf_counter()
from cache.models.tag_models import load_models
from cache.models.tag_scores import ModelSet
models, refusals = load_models(sys.argv[1], "drawn:drawn", int(sys.argv[2]))
ModelSet([model.estimator for model in models])
spent = time.perf_counter() - begin
assert not refusals
[peak] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps({"models": len(models), "s": spent, "MiB": int(peak.split()[1]) / 1024}))
"""


def loading(tags: int = TAGS) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), tags)
        bundled = load(folder)
        os.remove(bundle_path(folder))
        one_by_one = load(folder)
    what = f"loading {bundled['models']:,} models of {tags:,} tags"
    for name, unit, bar in ((what, "s", "measured <= 2"), (f"{what}, peak of memory", "MiB", "")):
        value, limit = bundled[unit], one_by_one[unit]
        yield Measurement(name, value, unit, "their .pkl files, one by one", limit, limit / value, bar)


def load(folder: str, features: int = FEATURES) -> dict[str, float]:
    """Two of load_models() and ModelSet in a program: once to have the files in memory, once to measure."""
    return [told_by("-c", LOAD, folder, str(features)) for _ in range(2)][-1]


def draw(
    folder: Path, tags: int, pictures: int = PICTURES, features: int = FEATURES,
    support: int = SUPPORT_VECTORS,
) -> None:
    """Saved as stage 2 saves them. They tell nothing apart."""
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    vectors = random.normal(size=(pictures, features)).astype(np.float32)
    scaler = StandardScaler().fit(vectors)
    standardised = scaler.transform(vectors)
    bundle = BundleWriter(str(folder))
    for tag in range(tags):
        rows = np.sort(random.choice(pictures, support, replace=False))
        machine = drawn_machine(scaler, standardised[rows], random)
        regression = drawn_regression(scaler, random)
        for model_type, estimator in ((SVM, machine), (LOGISTIC_REGRESSION, regression)):
            bundle.add(save_model(str(folder), model_type, f"tag {tag}", estimator, CARD), estimator)
    bundle.write()


def drawn_regression(scaler: "StandardScaler", random: np.random.Generator) -> "Pipeline":
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    regression = LogisticRegression().fit(np.eye(2, len(scaler.mean_)), [0, 1])
    regression.coef_ = random.normal(size=regression.coef_.shape)
    return make_pipeline(scaler, regression)


def drawn_machine(scaler: "StandardScaler", support: np.ndarray, random: np.random.Generator) -> "Pipeline":
    """An SVM with these support vectors, of which the first is the tag's."""
    from sklearn.calibration import CalibratedClassifierCV, _CalibratedClassifier, _SigmoidCalibration
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    count, features = support.shape
    machine = SVC(gamma=1 / features).fit(np.eye(2, features), [0, 1])
    machine.support_, machine.shape_fit_ = np.arange(count, dtype=np.int32), (count, features)
    machine.support_vectors_ = support.astype(np.float64)
    machine.dual_coef_ = machine._dual_coef_ = random.normal(size=(1, count))
    machine._n_support = np.array([1, count - 1], np.int32)
    sigmoid = _SigmoidCalibration()
    sigmoid.a_, sigmoid.b_ = -1.0, 0.0
    calibrated = CalibratedClassifierCV(SVC(gamma=1 / features), ensemble=False)
    calibrated.calibrated_classifiers_ = [
        _CalibratedClassifier(machine, [sigmoid], classes=machine.classes_)]
    calibrated.classes_, calibrated.n_features_in_ = machine.classes_, features
    return make_pipeline(scaler, calibrated)
