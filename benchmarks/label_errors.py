"""How many wrong labels the labels to check find, beside cleanlab: a twentieth of the pictures of one tag get
another one, drawn by chance, several times, and all that stage 2 learns is learnt anew.

    python -m benchmarks.label_errors output/input-metadata.json output/input-tag-to-image-hash-list.json
    python -m benchmarks.label_errors output/input-metadata.json output/input-tag-to-image-hash-list.json 5

The number says how many times; of more than MOST_PICTURES so many are drawn. It prints means: how many were
planted, the share of planted ones among as many of the first, how many are listed, and how many of those were
planted. Wrong tags are drawn evenly, whatever the pictures show. That is the best case for ours, which counts
wrong labels by planting in the same way; mistakes between tags that look alike are harder to see. Ours are
ranked whole for the second figure; listed is what reports/label-check.json holds.

cleanlab (Northcutt, Jiang and Chuang 2021, Confident Learning) is given out-of-fold softmax scores of the
same vectors and folds, of the multinomial regression on standardised features that gets the most labels right
among five penalties. Its ranks are those of get_label_quality_scores by self_confidence (on these sets
always better than by normalized_margin), its list is that of find_label_issues. Without it its row is left
out: it brings pandas, which nothing else here needs, so it is installed by hand (pip install cleanlab).
"""
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from cache.stores.metadata import Metadata, read_metadata
from cache.stores.tag_list import read_tag_to_hashes
from stage2.judging.held_out import HeldOut
from stage2.judging.label_check import labels_to_check, ratios
from stage2.judging.labels import Labels
from stage2.judging.results import Judged, ModelResult, TagResult
from stage2.learning.tagged_rows import FOLDS, TaggedRows
from stage2.learning.training import Training

TIMES = 3
PLANTED = 0.05
MOST_PICTURES = 2500
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1)  # C of scikit-learn
UNJUDGED = Judged({}, None)
NOBODY = HeldOut(np.empty(0), np.empty(0), None)

Found = tuple[int, float, int, int]  # planted, share among as many of the first, listed, planted among these


class Dataset:
    """Pictures of one tag each: which of them are wrong is known. (Those of several are left out.)"""

    def __init__(self, metadata: Metadata, tag_to_hashes: dict[str, list[str]]):
        self.tags = sorted(tag_to_hashes)
        tags_of: dict[str, set[int]] = {}
        for number, tag in enumerate(self.tags):
            for hash_id in tag_to_hashes[tag]:
                tags_of.setdefault(hash_id, set()).add(number)
        single = sorted(name for name, tags in tags_of.items() if len(tags) == 1 and name in metadata.rows)
        chosen = sorted(np.random.default_rng(0).permutation(single)[:MOST_PICTURES].tolist())
        vectors = metadata.matrix[[metadata.rows[name] for name in chosen]]
        self.metadata = Metadata(metadata.key, {name: row for row, name in enumerate(chosen)}, vectors)
        self.labels = np.array([min(tags_of[name]) for name in chosen])

    def spoilt(self, seed: int) -> np.ndarray:
        """The same labels, of which PLANTED are wrong."""
        random = np.random.default_rng(seed)
        labels = self.labels.copy()
        wrong = random.permutation(len(labels))[:round(PLANTED * len(labels))]
        labels[wrong] += random.integers(1, len(self.tags), len(wrong))
        return labels % len(self.tags)

    def tagged(self, labels: np.ndarray) -> TaggedRows:
        names = np.array(self.metadata.hash_ids)
        return TaggedRows(
            {tag: names[labels == number].tolist() for number, tag in enumerate(self.tags)}, self.metadata)


def ours(dataset: Dataset, tagged: TaggedRows, wrong: np.ndarray) -> Found:
    results = learnt(dataset.metadata, tagged)
    [suspicion] = ratios(results, [], [Labels.of_results(results, len(wrong))])
    listed = [contradiction.row for contradiction in labels_to_check(results, [], len(wrong))]
    return found(suspicion.ratio, listed, wrong)


def learnt(metadata: Metadata, tagged: TaggedRows) -> list[TagResult]:
    """By both types, from all pictures."""
    splits = {tag: tagged.split(tag, tagged.hold_out(0)) for tag in tagged.tags()}
    results = {tag: TagResult(tag, *split.examples(), {}) for tag, split in splits.items()}
    for fitted in Training(metadata, splits, tagged, {}).models(lambda count=1: None):
        results[fitted.tag].models[fitted.model_type] = ModelResult(
            fitted.model_type, fitted.calibration, NOBODY, UNJUDGED, UNJUDGED)
    return list(results.values())


def cleanlab(dataset: Dataset, labels: np.ndarray, fold_of: np.ndarray, wrong: np.ndarray) -> Found:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    scores = max(
        (softmax(dataset, labels, fold_of, penalty) for penalty in PENALTIES),
        key=lambda scores: np.sum(scores.argmax(1) == labels))
    listed = np.flatnonzero(find_label_issues(labels, scores))
    return found(-get_label_quality_scores(labels, scores, method="self_confidence"), listed, wrong)


def softmax(dataset: Dataset, labels: np.ndarray, fold_of: np.ndarray, penalty: float) -> np.ndarray:
    """Out-of-fold probabilities: (pictures, tags)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    vectors = dataset.metadata.matrix
    scores = np.full((len(labels), len(dataset.tags)), 1e-12)  # cleanlab takes no zeros
    for fold in range(FOLDS):
        here = fold_of == fold
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=200))
        model.fit(vectors[~here], labels[~here])
        scores[np.ix_(here, model.classes_)] += model.predict_proba(vectors[here])
    return scores / scores.sum(1, keepdims=True)


def found(suspicion: np.ndarray, listed: np.ndarray | list[int], wrong: np.ndarray) -> Found:
    planted = int(wrong.sum())
    first = np.argsort(-suspicion, kind="stable")[:planted]
    return planted, float(wrong[first].mean()), len(listed), int(wrong[listed].sum())


def rows_of_table(dataset: Dataset, times: int) -> Iterator[str]:
    everything: dict[str, list[Found]] = {}
    for seed in range(times):
        labels = dataset.spoilt(seed)
        wrong, tagged = labels != dataset.labels, dataset.tagged(labels)
        everything.setdefault("labels to check", []).append(ours(dataset, tagged, wrong))
        if find_spec("cleanlab"):
            everything.setdefault("cleanlab", []).append(cleanlab(dataset, labels, tagged.folds(), wrong))
        print(f"draw {seed + 1} of {times}", file=sys.stderr)
    yield f"{'mean of ' + str(times):<20}{'planted':>10}{'first k':>10}{'listed':>10}{'right':>10}"
    for name, draws in everything.items():
        planted, first, listed, right = np.mean(draws, 0)
        yield f"{name:<20}{planted:>10.1f}{first:>10.3f}{listed:>10.1f}{right:>10.1f}"


def main(metadata_path: str, tags_path: str, times: str = str(TIMES)) -> None:
    dataset = Dataset(read_metadata(metadata_path), read_tag_to_hashes(tags_path))
    print(*rows_of_table(dataset, int(times)), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
