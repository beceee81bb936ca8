"""How good the models of stage 2 are beside plain LogisticRegression, on pictures that neither has seen, by a second layer of five folds
around everything that stage 2 chooses for itself.

    python -m benchmarks.quality output/input-metadata.json output/input-tag-to-image-hash-list.json
"""
import sys
from collections.abc import Callable, Iterator

import numpy as np

from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.models.tag_scores import ModelSet, sigmoid
from cache.stores.metadata import Metadata, read_metadata
from cache.stores.tag_list import read_tag_to_hashes
from stage2.learning.split import Split
from stage2.learning.tagged_rows import FOLDS, TaggedRows
from stage2.learning.training import Training
from stage2.metrics import average_precision, calibration_error

PLAIN = "plain LogisticRegression()"


def unseen_probabilities(metadata: Metadata, tag_to_hashes: dict[str, list[str]]) -> dict[str, dict[str, list[tuple]]]:
    """{what: {tag: [whether each row of a fold carries it, how likely it was said to be]}}, a pair for each fold."""
    everything = TaggedRows(tag_to_hashes, metadata)
    fold_of, found = everything.folds(), {}
    for fold in range(FOLDS):
        here = {hash_id for hash_id, row in metadata.rows.items() if fold_of[row] == fold}
        rest = TaggedRows({tag: [hash_id for hash_id in hashes if hash_id not in here] for tag, hashes in tag_to_hashes.items()}, metadata)
        learnt = {tag: rest.split(tag, rest.hold_out(0)) for tag in rest.tags()}
        unseen = {tag: everything.split(tag, fold_of == fold) for tag in rest.tags()}
        for fitted in Training(metadata, learnt, rest, {}).models(lambda count=1: None):
            _keep(found, fitted.model_type, fitted.tag, unseen[fitted.tag], ModelSet([fitted.estimator]).score, metadata)
        for tag, split in learnt.items():
            _keep(found, PLAIN, tag, unseen[tag], _plain(metadata, split), metadata)
        print(f"fold {fold + 1} of {FOLDS}", file=sys.stderr)
    return found


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
    """Average precision of all folds together, as the report has it, where models of different folds must agree on a scale; and the mean
    of the folds, which only asks for the order within each."""
    yield f"{'mean / worst tag':<28}{'AP, together':>16}{'AP, by fold':>16}{'ECE':>16}"
    for what in (PLAIN, LOGISTIC_REGRESSION, SVM):
        together = {tag: [np.concatenate(parts) for parts in zip(*folds, strict=True)] for tag, folds in found[what].items()}
        precisions = [average_precision(*pair) for pair in together.values()]
        by_fold = [np.mean([average_precision(*fold) for fold in folds]) for folds in found[what].values()]
        errors = [calibration_error(*pair) for pair in together.values()]
        cells = ((precisions, min), (by_fold, min), (errors, max))
        yield f"{what:<28}" + "".join(f"{f'{np.mean(values):.4f} / {worst(values):.4f}':>16}" for values, worst in cells)


def main(metadata_path: str, tags_path: str) -> None:
    import warnings

    warnings.simplefilter("ignore")  # plain LogisticRegression has not converged after its 100 steps, as it would not for a person
    metadata = read_metadata(metadata_path)
    print(*table(unseen_probabilities(metadata, read_tag_to_hashes(tags_path))), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
