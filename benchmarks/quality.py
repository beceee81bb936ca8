"""How good the models of stage 2 are beside plain LogisticRegression, on pictures that neither has seen, by a second layer of five folds
around everything that stage 2 chooses for itself.

    python -m benchmarks.quality output/input-metadata.json output/input-tag-to-image-hash-list.json
"""
import sys
from collections.abc import Callable, Iterator

import numpy as np

from cache.metadata import Metadata, read_metadata, read_tag_to_hashes
from cache.tag_models import LOGISTIC_REGRESSION, SVM
from cache.tag_scores import ModelSet, sigmoid
from stage2.evaluation import average_precision, calibration_error
from stage2.tagged_rows import Split, TaggedRows
from stage2.training import Training

FOLDS = 5
PLAIN = "plain LogisticRegression()"


def unseen_probabilities(metadata: Metadata, tagged: TaggedRows) -> dict[str, dict[str, list[tuple[np.ndarray, np.ndarray]]]]:
    """{what: {tag: [whether each row of a fold carries it, how likely it was said to be]}}, a pair for each fold."""
    fold_of = tagged.folds(FOLDS)
    found: dict[str, dict[str, list]] = {}
    for fold in range(FOLDS):
        splits = {tag: tagged.split(tag, fold_of == fold) for tag in tagged.tags()}
        inner = Training(metadata, splits, _dealt_anew(fold_of, fold), {})
        for fitted in inner.models(lambda count=1: None):
            _keep(found, fitted.model_type, fitted.tag, fitted.split, ModelSet([fitted.estimator]).score, metadata)
        for tag, split in splits.items():
            _keep(found, PLAIN, tag, split, _plain(metadata, split), metadata)
        print(f"fold {fold + 1} of {FOLDS}", file=sys.stderr)
    return found


def _dealt_anew(fold_of: np.ndarray, held_out: int) -> np.ndarray:
    """Folds for the rest: those of the fold that is held out are not there, so the others are cut finer."""
    within = np.zeros(len(fold_of), np.int64)
    for fold in range(FOLDS):
        rows = np.flatnonzero(fold_of == fold)
        within[rows] = np.arange(len(rows)) % FOLDS
    within[fold_of == held_out] = 0
    return within


def _plain(metadata: Metadata, split: Split) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    rows, classes = split.training()
    model = LogisticRegression().fit(metadata.matrix[rows], classes)
    return lambda vectors: sigmoid(-model.decision_function(vectors))[:, None]


def _keep(found: dict, what: str, tag: str, split: Split, score: Callable[[np.ndarray], np.ndarray], metadata: Metadata) -> None:
    rows = np.concatenate([split.tag_test, split.other_test])
    is_tag = np.repeat([True, False], [len(split.tag_test), len(split.other_test)])
    found.setdefault(what, {}).setdefault(tag, []).append((is_tag, score(metadata.matrix[rows])[:, 0]))


def table(found: dict) -> Iterator[str]:
    yield f"{'':<28}{'mean AP':>9}{'worst AP':>10}{'mean ECE':>10}{'worst ECE':>11}"
    for what in (PLAIN, LOGISTIC_REGRESSION, SVM):
        precisions = [np.mean([average_precision(*fold) for fold in folds]) for folds in found[what].values()]
        errors = [calibration_error(*(np.concatenate(parts) for parts in zip(*folds, strict=True))) for folds in found[what].values()]
        yield f"{what:<28}{np.mean(precisions):>9.4f}{min(precisions):>10.4f}{np.mean(errors):>10.4f}{max(errors):>11.4f}"


def main(metadata_path: str, tags_path: str) -> None:
    import warnings

    warnings.simplefilter("ignore")  # plain LogisticRegression has not converged after its 100 steps, as it would not for a person
    metadata = read_metadata(metadata_path)
    print(*table(unseen_probabilities(metadata, TaggedRows(read_tag_to_hashes(tags_path), metadata))), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
