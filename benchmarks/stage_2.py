"""Stage 2 on 50 tags x 10,000 pictures x 512 features, beside the straightforward loop.

That reads JSON through the standard library, then fits for one tag after the other LogisticRegression and a
calibrated SVC, both as scikit-learn has them. It is timed on 3 of the tags and scaled.

    python -m benchmarks stage_2
"""
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measure import Measurement, report, run_stage, seconds
from cache.files.json_file import write_json_object
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.stores.metadata import read_metadata
from cache.stores.tag_list import read_tag_to_hashes

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

    from stage2.learning.split import Split

PICTURES, FEATURES, TAGS, TAGS_TIMED = 10_000, 512, 50, 3
OUR_SETTINGS = "with our settings"
SPREAD = 0.2  # of the tags' centres, where that of the pictures around them is 1


def draw_vectors(pictures: int = PICTURES, tag_count: int = TAGS) -> tuple[np.ndarray, dict[str, list[int]]]:
    """Clouds around the centre of each tag, and the pictures of every tag. The components fall off as those
    of real pictures do (the embedded encoder on photographs of clothes: the 10th has .12 of the variance of
    the first, the 100th .009)."""
    random = np.random.default_rng(0)
    tag_of = np.arange(pictures) % tag_count
    around = random.normal(size=(pictures, FEATURES))
    centres = SPREAD * random.normal(size=(tag_count, FEATURES))
    components = around + centres[tag_of]
    spectrum = np.arange(1, FEATURES + 1) ** -0.6
    basis = np.linalg.qr(random.normal(size=(FEATURES, FEATURES)))[0]
    vectors = (components * spectrum @ basis + random.normal(size=FEATURES)).astype(np.float32)
    tags = {f"tag {number:02}": np.flatnonzero(tag_of == number).tolist() for number in range(tag_count)}
    return vectors, tags


def write_dataset(folder: Path, pictures: int = PICTURES, tag_count: int = TAGS) -> tuple[Path, Path]:
    vectors, tags = draw_vectors(pictures, tag_count)
    facts = {"model": "drawn", "pretrained": "drawn"}
    names = [f"{number:0128x}" for number in range(pictures)]
    metadata_path, tags_path = folder / "metadata.json", folder / "tags.json"
    records = (
        (name, {"hash_id": name, **facts, "embeddings_vector": vector})
        for name, vector in zip(names, vectors, strict=True))
    write_json_object(metadata_path, records)
    write_json_object(tags_path, ((tag, [names[row] for row in rows]) for tag, rows in tags.items()))
    return metadata_path, tags_path


class Ours:
    """The parts of stage 2 as train.train() calls them, each timed. `fitting` has six fits of every model,
    five of them for the folds, and its calibration; the loop fits once."""

    def __init__(self, metadata_path: Path, tags_path: Path, output: Path):
        from stage2.flags import TrainSettings
        from stage2.learning.tagged_rows import TaggedRows
        from stage2.learning.training import Training
        from stage2.run import TrainingRun

        for name in ("models", "reports"):
            (output / name).mkdir(parents=True)
        self.reading = seconds(lambda: read_metadata(metadata_path))
        metadata = read_metadata(metadata_path)
        tagged = TaggedRows(read_tag_to_hashes(tags_path), metadata)
        held_out = tagged.hold_out(0.1)
        self.splits = {tag: tagged.split(tag, held_out) for tag in tagged.tags()}
        self.fitting, self.writing = ({LOGISTIC_REGRESSION: 0.0, SVM: 0.0} for _ in range(2))
        settings = TrainSettings(str(metadata_path), str(tags_path), str(output))
        run = TrainingRun(settings, metadata, tagged, self.splits)
        begin = time.perf_counter()
        for model in Training(metadata, self.splits, tagged, {}).models(lambda count=1: None):
            fitted = time.perf_counter()
            run.write(model)
            written = time.perf_counter()
            self.fitting[model.model_type] += fitted - begin
            self.writing[model.model_type] += written - fitted
            begin = written


class Loop:
    """The straightforward way, on the same rows."""

    def __init__(self, metadata_path: Path, splits: dict):
        self.reading = seconds(lambda: plain_matrix(metadata_path))
        self.fitting, self.precision = {}, {}
        matrix = read_metadata(metadata_path).matrix
        for model_type, new_estimator in loop_estimators().items():
            some_splits = list(splits.values())[:TAGS_TIMED]
            timed = [self._one(matrix, split, new_estimator()) for split in some_splits]
            spent, precision = zip(*timed, strict=True)
            self.fitting[model_type] = sum(spent) * TAGS / TAGS_TIMED
            self.precision[model_type] = sum(precision) / TAGS_TIMED

    @staticmethod
    def _one(matrix: np.ndarray, split: "Split", estimator: "ClassifierMixin") -> tuple[float, float]:
        """Seconds to fit it, and its average precision on the pictures held out."""
        from sklearn.metrics import average_precision_score

        rows, classes = split.training()
        spent = seconds(lambda: estimator.fit(matrix[rows], classes))
        test = np.concatenate([split.tag_test, split.other_test])
        is_tag = np.repeat([1, 0], [len(split.tag_test), len(split.other_test)])
        return spent, average_precision_score(is_tag, estimator.predict_proba(matrix[test])[:, 0])


def plain_matrix(path: Path) -> np.ndarray:
    records = json.loads(path.read_text()).values()
    return np.array([record["embeddings_vector"] for record in records], np.float32)


def loop_estimators() -> dict[str, Callable]:
    """As they come, and the regression also with our settings: the ratio to that is the algorithm's alone."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from stage2.learning.logistic_regression import USUAL

    return {
        LOGISTIC_REGRESSION: LogisticRegression,
        OUR_SETTINGS: lambda: make_pipeline(StandardScaler(), LogisticRegression(C=USUAL.C)),
        SVM: lambda: CalibratedClassifierCV(SVC(), ensemble=False),
    }


def average_precision_on_the_timed_tags(splits: dict, folder: Path, model_type: str) -> float:
    from cache.models.tag_models import generate_model_path

    total = 0.0
    for tag in list(splits)[:TAGS_TIMED]:
        path = Path(generate_model_path(str(folder / "models"), model_type, tag)).with_suffix(".json")
        total += json.loads(path.read_text())["metrics"]["average_precision"]
    return total / TAGS_TIMED


def measure() -> Iterator[Measurement]:
    import sklearn.svm  # noqa: F401  both sides need it: its import is nobody's loss

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        metadata_path, tags_path = write_dataset(folder)
        ours = Ours(metadata_path, tags_path, folder / "output")
        loop = Loop(metadata_path, ours.splits)
        flags = {"--metadata_json": metadata_path, "--tag_to_hash_json": tags_path}
        whole = run_stage(2, {**flags, "--output": folder / "whole"}).seconds
        yield Measurement(
            f"stage 2, reading the metadata JSON, {PICTURES:,} x {FEATURES}", ours.reading, "s",
            "json and a list of lists", loop.reading, loop.reading / ours.reading, "")
        yield from fits_and_precisions(ours, loop, folder / "output")
        yield from with_all_around_them(ours, loop, whole)


def fits_and_precisions(ours: Ours, loop: Loop, output: Path) -> Iterator[Measurement]:
    size = f"{TAGS} tags x {PICTURES:,} x {FEATURES}"
    note = f"one scikit-learn fit after the other, {TAGS_TIMED} tags scaled"
    for model_type, bar in ((LOGISTIC_REGRESSION, ">= 20"), (SVM, "")):
        fits, plain = ours.fitting[model_type], loop.fitting[model_type]
        yield Measurement(f"stage 2, {model_type}, fits of {size}", fits, "s", note, plain, plain / fits, bar)
        precision = average_precision_on_the_timed_tags(ours.splits, output, model_type)
        limit = loop.precision[model_type]
        yield Measurement(
            f"stage 2, {model_type}, held-out average precision", precision, "",
            f"the same, {TAGS_TIMED} tags", limit, precision / limit, bar and ">= 1")
    fits, same = ours.fitting[LOGISTIC_REGRESSION], loop.fitting[OUR_SETTINGS]
    yield Measurement(
        f"stage 2, {LOGISTIC_REGRESSION}, fits of {size}", fits, "s",
        "the same loop with our scaling and C", same, same / fits, "")


def with_all_around_them(ours: Ours, loop: Loop, whole: float) -> Iterator[Measurement]:
    """whole: seconds of the whole command."""
    note = "the loop: reading and fits, nothing more"
    linear = ours.reading + ours.fitting[LOGISTIC_REGRESSION] + ours.writing[LOGISTIC_REGRESSION]
    plain = loop.reading + loop.fitting[LOGISTIC_REGRESSION]
    yield Measurement(
        "stage 2, linear type with reading, evaluation, reports and model files", linear, "s",
        note, plain, plain / linear, "")
    plain += loop.fitting[SVM]
    yield Measurement(
        "stage 2, the whole command, both types", whole, "s", note, plain, plain / whole, "")


if __name__ == "__main__":
    report(measure())
