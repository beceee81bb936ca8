"""How good the models of stage 2 are beside plain LogisticRegression, on pictures that neither has seen: by a
second layer of five folds around everything that stage 2 chooses for itself.

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


Scorer = Callable[[np.ndarray], np.ndarray]  # vectors (n, d) -> probabilities (n, 1)
Said = tuple[np.ndarray, np.ndarray]  # of the pictures of a fold: whether they carry a tag, its probability


class UnseenProbabilities:
    """What was said of every tag by every kind of model, a pair for each fold."""

    def __init__(self, metadata: Metadata, tag_to_hashes: dict[str, list[str]]):
        self._metadata = metadata
        self._tag_to_hashes = tag_to_hashes
        self._everything = TaggedRows(tag_to_hashes, metadata)
        self._fold_of = self._everything.folds()
        self.said: dict[str, dict[str, list[Said]]] = {}  # by the kind of model and the tag

    def add_fold(self, fold: int) -> None:
        rest = TaggedRows(self._without(fold), self._metadata)
        learnt = {tag: rest.split(tag, rest.hold_out(0)) for tag in rest.tags()}
        unseen = {tag: self._everything.split(tag, self._fold_of == fold) for tag in rest.tags()}
        for fitted in Training(self._metadata, learnt, rest, {}).models(lambda count=1: None):
            score = ModelSet([fitted.estimator]).score
            self._add(fitted.model_type, fitted.tag, unseen[fitted.tag], score)
        for tag, split in learnt.items():
            self._add(PLAIN, tag, unseen[tag], _plain(self._metadata, split))

    def _without(self, fold: int) -> dict[str, list[str]]:
        here = {hash_id for hash_id, row in self._metadata.rows.items() if self._fold_of[row] == fold}
        return {
            tag: [hash_id for hash_id in hashes if hash_id not in here]
            for tag, hashes in self._tag_to_hashes.items()}

    def _add(self, kind: str, tag: str, split: Split, score: Scorer) -> None:
        rows = np.concatenate([split.tag_test, split.other_test])
        is_tag = np.repeat([True, False], [len(split.tag_test), len(split.other_test)])
        probabilities = score(self._metadata.matrix[rows])[:, 0]
        self.said.setdefault(kind, {}).setdefault(tag, []).append((is_tag, probabilities))


def _plain(metadata: Metadata, split: Split) -> Scorer:
    from sklearn.linear_model import LogisticRegression

    rows, classes = split.training()
    model = LogisticRegression().fit(metadata.matrix[rows], classes)
    return lambda vectors: sigmoid(-model.decision_function(vectors))[:, None]


def table(said: dict[str, dict[str, list[Said]]]) -> Iterator[str]:
    """Average precision of all folds together, as the report has it, where models of different folds must
    agree on a scale; and the mean of the folds, which only asks for the order within each."""
    yield f"{'mean / worst tag':<28}{'AP, together':>16}{'AP, by fold':>16}{'ECE':>16}"
    for kind in (PLAIN, LOGISTIC_REGRESSION, SVM):
        tags = list(said[kind].values())
        together = [[np.concatenate(parts) for parts in zip(*folds, strict=True)] for folds in tags]
        precisions = [average_precision(*pair) for pair in together]
        by_fold = [float(np.mean([average_precision(*fold) for fold in folds])) for folds in tags]
        errors = [calibration_error(*pair) for pair in together]
        cells = [(precisions, min(precisions)), (by_fold, min(by_fold)), (errors, max(errors))]
        texts = (f"{np.mean(values):.4f} / {worst:.4f}" for values, worst in cells)
        yield f"{kind:<28}" + "".join(f"{text:>16}" for text in texts)


def main(metadata_path: str, tags_path: str) -> None:
    import warnings

    # Plain LogisticRegression has not converged after its 100 steps, as it would not for a person.
    warnings.simplefilter("ignore")
    unseen = UnseenProbabilities(read_metadata(metadata_path), read_tag_to_hashes(tags_path))
    for fold in range(FOLDS):
        unseen.add_fold(fold)
        print(f"fold {fold + 1} of {FOLDS}", file=sys.stderr)
    print(*table(unseen.said), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
