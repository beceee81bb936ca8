"""The models of stage 2 beside plain LogisticRegression: by a second layer of five folds around everything
that stage 2 chooses for itself."""
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from benchmarks.quality.markdown import markdown
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.models.tag_scores import ModelSet, sigmoid
from cache.progress import say
from cache.stores.metadata import Metadata
from stage2.learning.split import Split
from stage2.learning.tagged_rows import FOLDS, TaggedRows
from stage2.learning.training import Training
from stage2.metrics import DECISION, average_precision, calibration_error

PLAIN = "plain LogisticRegression()"
HEADINGS = ("mean / worst tag", "AP, folds together", "AP, mean of folds", "calibration error", "F1 at .5")

Scorer = Callable[[np.ndarray], np.ndarray]  # vectors (n, d) -> probabilities (n, 1)
Said = tuple[np.ndarray, np.ndarray]  # of the pictures of a fold: whether they carry a tag, its probability


def table(metadata: Metadata, tag_to_hashes: dict[str, list[str]]) -> Iterator[str]:
    """Average precision of all folds together, as the report has it, where models of different folds must
    agree on a scale; and the mean of the folds, which only asks for the order within each."""
    unseen = UnseenProbabilities(metadata, tag_to_hashes)
    for fold in range(FOLDS):
        unseen.add_fold(fold)
        say(f"fold {fold + 1} of {FOLDS}")
    kinds = (PLAIN, LOGISTIC_REGRESSION, SVM)
    yield from markdown(HEADINGS, ((f"`{kind}`", *cells([*unseen.said[kind].values()])) for kind in kinds))


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
        training = Training(self._metadata, learnt, rest, {})
        training.tasks = [replace(task, strangers=tuple) for task in training.tasks]  # half the time
        for fitted in training.models(lambda count=1: None):
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


def cells(tags: list[list[Said]]) -> Iterator[str]:
    """Mean and worst tag of each metric; tags: the folds of each."""
    together = [[np.concatenate(parts) for parts in zip(*folds, strict=True)] for folds in tags]
    by_fold = [float(np.mean([average_precision(*fold) for fold in folds])) for folds in tags]
    for values, worst in (
        ([average_precision(*pair) for pair in together], min),
        (by_fold, min),
        ([calibration_error(*pair) for pair in together], max),
        ([f1(*pair) for pair in together], min),
    ):
        yield f"{np.mean(values):.4f} / {worst(values):.4f}"


def f1(is_tag: np.ndarray, probabilities: np.ndarray) -> float:
    """Both: (n,). At least one carries the tag."""
    called = probabilities >= DECISION
    return float(2 * (is_tag & called).sum() / (is_tag.sum() + called.sum()))
