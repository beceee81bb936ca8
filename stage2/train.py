"""Stage 2: train two small classifiers per tag on the vectors of stage 1.

    python ./stage2/train.py --metadata_json ./output/input-metadata.json --tag_to_hash_json ./output/input-tag-to-image-hash-list.json

Writes models/ (a .pkl and a .json each) and reports/ into the output folder. The same input gives the same models and reports.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from cache import __version__, command_line
from cache.batches import Counts
from cache.metadata import Metadata, read_metadata, read_tag_to_hashes
from cache.refusal import Refused
from cache.run_lock import only_run_in
from cache.tag_models import LOGISTIC_REGRESSION, SVM, generate_model_path, model_paths, safe_name, save_model
from cache.tag_scores import ModelSet
from cache.whole_file import make_folder, sweep_partial_files, whole_file
from stage2.tagged_rows import FEWEST_IMAGES, Split, TaggedRows, Task, folds_within

if TYPE_CHECKING:
    from sklearn.preprocessing import StandardScaler

MOST_FOLDS = 5
AVERAGE_PICTURES = 30  # of 0, 30, 100, 300 the best on emoji, stamps and clothes with 5 to 200 pictures of a tag, see docs/design.md


def fit_models(metadata: Metadata, splits: dict[str, Split], fold_of: np.ndarray, fitted: Callable[[], object]) -> Iterator[tuple]:
    """(model type, tag, estimator) for both types of every tag. The scaling, one for all, and the calibration are part of an estimator, so
    that it takes the raw vectors of the metadata. fitted() is called after each of the fits."""
    from sklearn.pipeline import make_pipeline

    from stage2 import kernel_svm, logistic_regression

    training = {tag: split.training() for tag, split in splits.items()}
    learnt_from = np.unique(np.concatenate([rows for rows, _ in training.values()]))
    vectors = metadata.matrix[learnt_from]
    scaler = shrunk_scaler(vectors)
    features = scaler.transform(vectors)
    tasks = [Task(tag, np.searchsorted(learnt_from, rows), classes, folds_within(rows, classes, fold_of))
             for tag, (rows, classes) in training.items()]
    for model_type, fit_all in ((LOGISTIC_REGRESSION, logistic_regression.fit_all), (SVM, kernel_svm.fit_all)):
        for tag, estimator in fit_all(features, tasks, fitted):
            yield model_type, tag, make_pipeline(scaler, estimator)


def shrunk_scaler(vectors: np.ndarray) -> "StandardScaler":
    """The variances of few pictures say little: they count as if AVERAGE_PICTURES more had shown the average variance of all features."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(vectors)
    average = scaler.var_.mean() or 1.0
    scaler.var_ = (len(vectors) * scaler.var_ + AVERAGE_PICTURES * average) / (len(vectors) + AVERAGE_PICTURES)
    scaler.scale_ = np.sqrt(scaler.var_)
    return scaler


def write_model(
    tag: str, model_type: str, estimator, metadata: Metadata, split: Split, outside: np.ndarray | None, output_dir: str,
) -> dict:
    """Evaluate and write one model; returns its metrics and the counts of its split."""
    from stage2.model_report import Evaluation, report_text

    parts = [split.tag_test, split.other_test, split.tag_test[:0] if outside is None else outside]
    scores = ModelSet([estimator]).score(metadata.matrix[np.concatenate(parts)])[:, 0]
    tag_scores, other_scores, outside_scores = np.split(scores, np.cumsum([len(part) for part in parts])[:2])
    evaluation = Evaluation(tag, tag_scores, other_scores, None if outside is None else outside_scores)
    text = report_text(model_type, metadata.key, metadata.width, split.counts(), evaluation)
    report = os.path.join(output_dir, "reports", f"model-report-{safe_name(model_type)}-tag-{safe_name(tag)}.txt")
    with whole_file(report) as file:
        file.write(text.encode())
    metrics = evaluation.metrics()
    save_model(os.path.join(output_dir, "models"), model_type, tag, estimator, _card(metadata, split, metrics))
    return {**metrics, **split.counts()}


def _card(metadata: Metadata, split: Split, metrics: dict) -> dict:
    from importlib.metadata import version

    versions = {name: version(name) for name in ("joblib", "numpy", "scikit-learn")}
    return {
        "model": metadata.key, "width": metadata.width, "counts": split.counts(), "metrics": metrics,
        "versions": {"image-tagging-tools": __version__, **versions}, "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def trainable(tagged: TaggedRows) -> Iterator[str]:
    """The tags with enough images on both sides; the others are named on stderr. Raises Refused if no tag has a negative."""
    tags = tagged.tags()
    if not any(len(tagged.negatives(tag)) for tag in tags):
        raise Refused("no negatives: every image carries every tag; add a second tag, or a folder other-training")
    for tag in tags:
        for name, count in (("", len(tagged.of(tag))), (" without it", len(tagged.negatives(tag)))):
            if count < FEWEST_IMAGES:
                images = f"{count} image{'' if count == 1 else 's'}"
                print(f"skipped tag {tag}: {images}{name} with a vector, {FEWEST_IMAGES} are needed", file=sys.stderr)
                break
        else:
            yield tag


def main(metadata_json: str, tag_to_hash_json: str, output_dir: str | None = None, test_per: float = 0.1) -> dict[str, dict]:
    """Train both classifiers of every tag; returns {model type: {tag: metrics and counts}}. Raises Refused for unusable input."""
    from tqdm import tqdm

    if not 0 <= test_per < 1:
        raise Refused(f"--test_per {test_per} is not a share of the images, between 0 and 1")
    metadata = read_metadata(metadata_json)
    tagged = TaggedRows(read_tag_to_hashes(tag_to_hash_json), metadata)
    if not tagged.with_vector and tagged.without_vector:
        raise Refused(f"no image of {tag_to_hash_json} has a vector in {metadata_json}: these two files are not of one dataset")
    if tagged.without_vector:
        print(f"{tagged.without_vector} images of {tag_to_hash_json} have no vector in {metadata_json}", file=sys.stderr)
    held_out = tagged.hold_out(test_per)
    splits = {tag: tagged.split(tag, held_out) for tag in trainable(tagged)}
    if not splits:
        raise Refused(f"no tag of {tag_to_hash_json} has {FEWEST_IMAGES} images with a vector in {metadata_json}")
    output_dir = output_dir or "./output"
    results: dict[str, dict] = {LOGISTIC_REGRESSION: {}, SVM: {}}
    reports = os.path.join(output_dir, "reports")
    with (only_run_in(os.path.join(output_dir, "models")),
          tqdm(total=len(splits) * (1 + MOST_FOLDS + 1), unit=" fits", disable=None) as bar):
        make_folder(reports)
        sweep_partial_files(reports)
        for model_type, tag, estimator in fit_models(metadata, splits, tagged.folds(MOST_FOLDS), bar.update):
            results[model_type][tag] = write_model(tag, model_type, estimator, metadata, splits[tag], tagged.outside, output_dir)
    _name_stale_models(output_dir, results)
    return results


def _name_stale_models(output_dir: str, results: dict[str, dict]) -> None:
    """Models of earlier runs stay, because several datasets may be trained into one folder; a renamed tag would live on unnoticed."""
    folder = os.path.join(output_dir, "models")
    made = {generate_model_path(folder, model_type, tag) for model_type, tags in results.items() for tag in tags}
    for path in model_paths(folder):
        if path not in made:
            print(f"still there from an earlier run: {path}; delete it if its tag is gone", file=sys.stderr)


def command(argv: list[str] | None = None) -> int:
    parser = command_line.new_parser(
        "Train two classifiers per tag, a logistic regression and an SVM, on the vectors of stage 1.",
        "python ./stage2/train.py --metadata_json ./output/input-metadata.json "
        "--tag_to_hash_json ./output/input-tag-to-image-hash-list.json",
    )
    parser.add_argument("--metadata_json", required=True, default=argparse.SUPPRESS, metavar="PATH",
                        help="the metadata JSON of stage 1, or a clip cache (.sqlite)")
    parser.add_argument("--tag_to_hash_json", required=True, default=argparse.SUPPRESS, metavar="PATH",
                        help="input-tag-to-image-hash-list.json of stage 1")
    parser.add_argument("--output", default="./output", metavar="PATH", help="where models/ and reports/ go")
    parser.add_argument("--test_per", type=float, default=0.1, metavar="SHARE", help="share of the images held out for the reports")
    arguments = command_line.parse(parser, argv)

    def work(counts: Counts) -> None:
        results = main(arguments.metadata_json, arguments.tag_to_hash_json, arguments.output, arguments.test_per)
        _print_results(results)
        counts.processed = len({hash_id for hashes in read_tag_to_hashes(arguments.tag_to_hash_json).values() for hash_id in hashes})

    return command_line.run(work)


def _print_results(results: dict[str, dict]) -> None:
    """How good each model is on the images held out, and how few these are."""
    print(f"{'average precision on held-out images':<38}{'of the tag':>10}{'of others':>10}{LOGISTIC_REGRESSION:>25}{SVM:>9}")
    for tag, svm in results[SVM].items():
        values = (results[LOGISTIC_REGRESSION][tag]["average_precision"], svm["average_precision"])
        logistic_text, svm_text = ("-" if value is None else f"{value:.4f}" for value in values)
        print(f"{' '.join(tag.split()):<38}{svm['tag_test']:>10}{svm['other_test']:>10}{logistic_text:>25}{svm_text:>9}")
    print(f"trained {sum(map(len, results.values()))} models of {len(results[SVM])} tags")


if __name__ == "__main__":
    raise SystemExit(command())
