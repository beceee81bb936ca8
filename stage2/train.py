"""Stage 2: train two small classifiers per tag on the vectors of stage 1.

    python ./stage2/train.py --metadata_json ./output/input-metadata.json --tag_to_hash_json ./output/input-tag-to-image-hash-list.json

Writes models/ (a .pkl and a .json each) and reports/ into the output folder. The same input gives the same files.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

import argparse
import os
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np

from cache import __version__, command_line
from cache.batches import Counts
from cache.metadata import Metadata, read_metadata, read_tag_to_hashes
from cache.refusal import Refused
from cache.tag_models import LOGISTIC_REGRESSION, SVM, generate_model_path, model_paths, safe_name, save_model
from cache.whole_file import make_folder, whole_file

OTHER_TRAINING, OTHER_VALIDATION = "other-training", "other-validation"
FEWEST_IMAGES = 2  # of a class, in the training part: below that nothing can be calibrated
MOST_FOLDS = 5
# Measured on emoji, stamps and clothes, see docs/design.md.
REGRESSION_C, SVM_C = 0.01, 10.0


@dataclass(frozen=True)
class Split:
    """Row numbers of the metadata matrix. A row is a hash, so duplicates are never on both sides."""

    tag_train: np.ndarray
    tag_test: np.ndarray
    other_train: np.ndarray
    other_test: np.ndarray

    def counts(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in vars(self).items()}


class TaggedRows:
    """Which rows of the matrix carry which tag, and which rows are negatives of a tag."""

    def __init__(self, tag_to_hashes: dict[str, list[str]], metadata: Metadata):
        hashes = {hash_id for listed in tag_to_hashes.values() for hash_id in listed}
        self.without_vector = len(hashes - metadata.rows.keys())
        self.with_vector = len(hashes) - self.without_vector
        self._rows = {
            tag: np.unique(np.array([metadata.rows[hash_id] for hash_id in listed if hash_id in metadata.rows], dtype=np.int64))
            for tag, listed in sorted(tag_to_hashes.items())
        }

    def tags(self) -> list[str]:
        return [tag for tag in self._rows if tag not in (OTHER_TRAINING, OTHER_VALIDATION)]

    def of(self, tag: str) -> np.ndarray:
        return self._rows[tag]

    def negatives(self, tag: str) -> np.ndarray:
        if OTHER_TRAINING in self._rows:
            pool = self._rows[OTHER_TRAINING]
        else:
            pool = np.unique(np.concatenate([rows for name, rows in self._rows.items() if name != OTHER_VALIDATION]))
        return np.setdiff1d(pool, self._rows[tag])

    def outside(self, tag: str) -> np.ndarray | None:
        """Images of no tag, for the out-of-distribution histogram."""
        return np.setdiff1d(self._rows[OTHER_VALIDATION], self._rows[tag]) if OTHER_VALIDATION in self._rows else None


def split_rows(tag: str, positives: np.ndarray, negatives: np.ndarray, test_per: float) -> Split:
    """Hold out the same share of both classes, but leave FEWEST_IMAGES of each for training. Seeded by the tag's name."""
    generator = np.random.default_rng(zlib.crc32(tag.encode()))
    parts = []
    for rows in (positives, negatives):
        held_out = max(0, min(round(test_per * len(rows)), len(rows) - FEWEST_IMAGES))
        shuffled = generator.permutation(rows)
        parts += [shuffled[held_out:], shuffled[:held_out]]
    return Split(*parts)


def new_estimator(model_type: str, split: Split):
    """An untrained classifier; scaling and calibration are part of it, so that it takes the raw vectors of the metadata."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if model_type == LOGISTIC_REGRESSION:
        return make_pipeline(StandardScaler(), LogisticRegression(C=REGRESSION_C, max_iter=1000))
    folds = min(MOST_FOLDS, len(split.tag_train), len(split.other_train))
    return make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(C=SVM_C), ensemble=False, cv=folds))


def fit(model_type: str, matrix: np.ndarray, split: Split):
    rows = np.concatenate([split.tag_train, split.other_train])
    classes = np.repeat([0, 1], [len(split.tag_train), len(split.other_train)])
    return new_estimator(model_type, split).fit(matrix[rows], classes)


def train_tag(tag: str, model_type: str, metadata: Metadata, tagged: TaggedRows, test_per: float, output_dir: str) -> dict:
    """Fit, evaluate and write one model; returns its metrics and the counts of its split."""
    from stage2.model_report import Evaluation, report_text

    split = split_rows(tag, tagged.of(tag), tagged.negatives(tag), test_per)
    estimator = fit(model_type, metadata.matrix, split)

    def score(rows: np.ndarray | None) -> np.ndarray | None:
        return rows if rows is None or not len(rows) else estimator.predict_proba(metadata.matrix[rows])[:, 0]

    evaluation = Evaluation(tag, score(split.tag_test), score(split.other_test), score(tagged.outside(tag)))
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
        for name, count in (("images", len(tagged.of(tag))), ("images without it", len(tagged.negatives(tag)))):
            if count < FEWEST_IMAGES:
                print(f"skipped tag {tag}: {count} {name} with a vector, {FEWEST_IMAGES} are needed", file=sys.stderr)
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
    jobs = [(tag, model_type) for tag in trainable(tagged) for model_type in (LOGISTIC_REGRESSION, SVM)]
    if not jobs:
        raise Refused(f"no tag of {tag_to_hash_json} has {FEWEST_IMAGES} images with a vector in {metadata_json}")
    output_dir = output_dir or "./output"
    for folder in ("models", "reports"):
        make_folder(os.path.join(output_dir, folder))
    results: dict[str, dict] = {LOGISTIC_REGRESSION: {}, SVM: {}}
    for tag, model_type in tqdm(jobs, unit=" models", disable=None):
        results[model_type][tag] = train_tag(tag, model_type, metadata, tagged, test_per, output_dir)
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
