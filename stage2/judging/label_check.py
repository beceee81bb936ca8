"""Which labels to check first, of all tags in one list: pictures for which another labelling is much likelier
than theirs, and no more of them than are likelier wrong than right.

Both model types are heard together: the odds of a tag are the geometric mean of those of their out-of-fold
probabilities. A picture's labels are suspect by the ratio of odds that speaks for the likeliest mistake: one
of its tags stands for another, is too many, or has been forgotten. Of pictures with one tag each that is the
sum of the odds of all other tags over those of their own. Beside other ways to rank see docs/report.md.

A ratio above one is not enough: with a twentieth of the labels wrong, most pictures that look like another
tag are hard ones with the right label. How many labels are wrong, and from which ratio on most are, is
therefore tried: a mistake is planted in every picture, and its ratio worked out as for the real labels (the
two-groups model of Efron, Tibshirani, Storey and Tusher 2001, Empirical Bayes Analysis of a Microarray
Experiment; here what the second group looks like is known). Where planted mistakes are strongest, right
labels are next to none: as often as real ratios reach these, so many labels are wrong.
"""
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from stage2.judging.labels import Labels
from stage2.judging.results import Contradiction, TagResult
from stage2.metrics import DIGITS

SUREST = 1e-6  # of a probability, and its distance from one: odds are never nothing, nor endless
STRONGEST = 0.4  # share of the planted mistakes by which the wrong labels are counted, see docs/design.md


def labels_to_check(
    results: Sequence[TagResult], together: Collection[tuple[str, str]], row_count: int,
) -> list[Contradiction]:
    """The most suspect first. together: pairs of tags that some picture carries; row_count: of the metadata
    matrix."""
    labels = Labels.of_results(results, row_count)
    suspicion, planted = ratios(results, together, [labels, labels.with_mistakes()])
    ranked = np.flatnonzero(suspicion.ratio)
    ranked = ranked[np.argsort(-suspicion.ratio[ranked], kind="stable")]
    count = likelier_wrong(suspicion.ratio[ranked], planted.ratio[planted.ratio > 0])
    return [
        _contradiction(results, row, labels.of_row(row), suspicion.looks_like[row])
        for row in ranked[:count].tolist()
    ]


def check_json(
    contradictions: Sequence[Contradiction], hash_of: Sequence[str], path_of: Mapping[str, str],
) -> Iterator[tuple[str, dict]]:
    """What goes into reports/label-check.json, in the same order. hash_of: by row of the metadata matrix;
    path_of: by hash, without those that nobody knows."""
    for contradiction in contradictions:
        hash_id = hash_of[contradiction.row]
        yield hash_id, {
            "hash_id": hash_id,
            "file_path": path_of.get(hash_id),
            "labelled": _rounded(contradiction.labelled),
            "looks_like": _rounded(contradiction.looks_like),
        }


def _rounded(said: Mapping[str, float | None]) -> dict[str, float | None]:
    return {tag: None if value is None else round(value, DIGITS) for tag, value in said.items()}


def likelier_wrong(suspicion: np.ndarray, planted: np.ndarray) -> int:
    """How many of the first are likelier wrong than right: every further one would be expected to add less
    than half a wrong label. suspicion: of the labels as they are, falling; planted: of mistakes."""
    if not len(suspicion) or not len(planted):
        return 0
    strong = np.quantile(planted, 1 - STRONGEST)
    wrong = np.sum(suspicion > strong) / max(np.mean(planted > strong), 1 / len(planted))
    as_suspect = 1 - np.searchsorted(np.sort(planted), suspicion) / len(planted)
    gain = wrong * as_suspect - np.arange(1, len(suspicion) + 1) / 2
    return int(gain.argmax()) + 1 if gain.max() > 0 else 0


def ratios(
    results: Sequence[TagResult], together: Collection[tuple[str, str]], labellings: Sequence[Labels],
) -> list["Ratios"]:
    """Of each labelling. Tag after tag: what all models say of all pictures at once would not fit into
    memory. The pictures, and which tags are found together, are those of the first labelling."""
    beside = _beside([result.tag for result in results], together)
    number_of_tags = labellings[0].number
    none_may_be_right = any((number_of_tags[result.rows] == 0).any() for result in results)  # other-training
    of_labellings = [Ratios(labels, beside, none_may_be_right) for labels in labellings]
    for number, result in enumerate(results):
        if (odds := _odds(result)) is not None:
            for of_labelling in of_labellings:
                of_labelling.hear(number, result.rows, odds)
    return of_labellings


class Ratios:
    """How many times likelier the likeliest mistake is than that the labels are right.

    beside: of each tag those that it is found together with; none_may_be_right: whether there are pictures
    of no tag."""

    def __init__(self, labels: Labels, beside: Sequence[Sequence[int]], none_may_be_right: bool):
        self._labels, self._beside = labels, beside
        self._none_may_be_right = none_may_be_right
        # Odds: of the least likely of a picture's tags; of the likeliest that it lacks, and of all of these
        # together; of the likeliest that it has forgotten.
        self._own = np.full(labels.row_count, np.inf)
        self._likeliest, self._others, self._missing = np.zeros((3, labels.row_count))
        self.looks_like = np.full(labels.row_count, -1)  # the number of the likeliest tag that it lacks

    def hear(self, number: int, rows: np.ndarray, odds: np.ndarray) -> None:
        """What the models of a tag say of some rows."""
        of_tag = np.zeros(self._labels.row_count, bool)
        of_tag[self._labels.carriers[number]] = True
        carried = of_tag[rows]
        own, rows = rows[carried], rows[~carried]
        self._own[own] = np.minimum(self._own[own], odds[carried])
        odds = odds[~carried]
        self._others[rows] += odds
        likelier = odds > self._likeliest[rows]
        self._likeliest[rows[likelier]], self.looks_like[rows[likelier]] = odds[likelier], number
        may_be_missing = self._may_be_missing(number)[rows]
        rows, odds = rows[may_be_missing], odds[may_be_missing]
        self._missing[rows] = np.maximum(self._missing[rows], odds)

    def _may_be_missing(self, number: int) -> np.ndarray:
        """bool (row_count,): without any tag, or with one beside which it has been seen."""
        may = self._labels.number == 0
        for tag in self._beside[number]:
            may[self._labels.carriers[tag]] = True
        return may

    @property
    def ratio(self) -> np.ndarray:
        """(row_count,); 0 where nothing can be said."""
        one_may_be_too_many = (self._labels.number > 1) | self._none_may_be_right
        too_many = np.where(one_may_be_too_many, 1 / self._own, 0)
        return np.max([self._others / self._own, too_many, self._missing], 0)


def _beside(tags: Sequence[str], together: Collection[tuple[str, str]]) -> list[list[int]]:
    """For each tag the numbers of those that some picture carries beside it."""
    number_of = {tag: number for number, tag in enumerate(tags)}
    beside: list[list[int]] = [[] for _ in tags]
    for first, second in together:
        if first in number_of and second in number_of:
            beside[number_of[first]].append(number_of[second])
            beside[number_of[second]].append(number_of[first])
    return beside


def _odds(result: TagResult) -> np.ndarray | None:
    """Of each of its rows, by the geometric mean of the model types'; None if none was measured. A root is
    rounded correctly (IEEE 754), so that it is the same everywhere."""
    clipped = [probabilities.clip(SUREST, 1 - SUREST) for probabilities in _measured(result)]
    odds = [probabilities / (1 - probabilities) for probabilities in clipped]
    if len(odds) == 2:
        return np.sqrt(odds[0] * odds[1])
    return odds[0] if odds else None


def _measured(result: TagResult) -> list[np.ndarray]:
    unseen = [model.calibration.unseen for model in result.models.values()]
    return [probabilities for probabilities in unseen if probabilities is not None]


def _contradiction(results: Sequence[TagResult], row: int, own: np.ndarray, other: int) -> Contradiction:
    """own: the numbers of its tags; other: that of the tag it looks like, -1 for none."""
    labelled = {results[number].tag: _probability(results[number], row) for number in own}
    looks_like = {results[number].tag: _probability(results[number], row) for number in [other] if other >= 0}
    return Contradiction(row, labelled, looks_like)


def _probability(result: TagResult, row: int) -> float | None:
    """The mean of the model types of one of its rows."""
    place = int(np.searchsorted(result.rows, row))
    measured = [float(probabilities[place]) for probabilities in _measured(result)]
    return sum(measured) / len(measured) if measured else None
