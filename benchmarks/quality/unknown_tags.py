"""Whether promises are kept among strangers: a third of the tags is kept from training, and their pictures
lie among the new ones.

In every draw other tags are unknown. Of every tag, known or not, a fifth of the pictures is new (folds by
groups of near-duplicates); stage 2 learns the known tags from their other pictures, and says yes to new ones
by the thresholds that it gives for each world.
"""
from collections.abc import Iterator

import numpy as np

from benchmarks.quality.counting import Counts, NewPictures, share
from benchmarks.quality.markdown import markdown
from cache.models.tag_scores import ModelSet
from cache.progress import say
from cache.stores.metadata import Metadata
from stage2.flags import CLOSED, STRANGERS
from stage2.judging.judge import Judge
from stage2.learning.tagged_rows import FOLDS, TaggedRows
from stage2.learning.training import Fitted, Training

PROMISED = (0.9, 0.95)
UNKNOWN_SHARE = 1 / 3
HEADINGS = (
    "promise", "model", "world", "yes among taught kinds", "yes in all", "draws with a yes", "recall of yes",
    "tags with yes", "their recall", "below the promise", "surely broken",
)
Case = tuple[float, str, str]  # what is promised, model type, world


def table(metadata: Metadata, tag_to_hashes: dict[str, list[str]], draws: int) -> Iterator[str]:
    everything = TaggedRows(tag_to_hashes, metadata)
    counts: list[dict[Case, Counts]] = []
    for number in range(draws):
        counts.append(Draw(metadata, tag_to_hashes, everything, number).counts())
        say(f"draw {number + 1} of {draws}")
    rows = (row(case, [of_draw[case] for of_draw in counts]) for case in sorted(counts[0]))
    yield from markdown(HEADINGS, rows)


def row(case: Case, draws: list[Counts]) -> Iterator[str]:
    promised, model_type, world = case
    yield from (f"{promised:g}", f"`{model_type}`", world)
    yield from (shared(draws, "right", whole) for whole in ("to_taught", "yeses"))
    yield f"{sum(draw.yeses > 0 for draw in draws)} of {len(draws)}"  # the others have no part in the shares
    for part, whole in (
        ("right", "carrying"), ("promising", "tags"), ("right", "carrying_promising"),
        ("below", "promising"), ("broken", "promising"),
    ):
        yield shared(draws, part, whole)


def shared(draws: list[Counts], part: str, whole: str) -> str:
    return share([getattr(draw, part) for draw in draws], [getattr(draw, whole) for draw in draws])


class Draw:
    def __init__(
        self, metadata: Metadata, tag_to_hashes: dict[str, list[str]], everything: TaggedRows, number: int,
    ):
        self._metadata, self._tag_to_hashes, self._everything = metadata, tag_to_hashes, everything
        tags = everything.tags()
        unknown = round(UNKNOWN_SHARE * len(tags))
        self._known = sorted(np.random.default_rng(number).permutation(tags)[unknown:].tolist())
        is_new = everything.folds() == number % FOLDS
        tagged = np.unique(np.concatenate([everything.of(tag) for tag in tags]))
        self.new = tagged[is_new[tagged]]
        self.pictures = NewPictures(
            ~np.isin(self.new, np.concatenate([everything.of(tag) for tag in self._known])),
            everything.group_of[self.new])

    def counts(self) -> dict[Case, Counts]:
        learnt = TaggedRows(self._learnt_from(), self._metadata)
        nothing = learnt.hold_out(0)
        splits = {tag: learnt.split(tag, nothing) for tag in learnt.tags()}
        fitted = list(Training(self._metadata, splits, learnt, {}).models(lambda count=1: None))
        scores = ModelSet([model.estimator for model in fitted]).score(self._metadata.matrix[self.new])
        judges = {
            promised: Judge(self._metadata, learnt, (promised, promised), STRANGERS) for promised in PROMISED}
        counts: dict[Case, Counts] = {}
        for model, probabilities in zip(fitted, scores.T, strict=True):
            is_tag = np.isin(self.new, self._everything.of(model.tag))
            for (promised, world), yes_from in thresholds(model, judges).items():
                case = (promised, model.model_type, world)
                of_tag = self.pictures.count(is_tag, probabilities, yes_from, promised)
                counts[case] = counts.get(case, Counts()) + of_tag
        return counts

    def _learnt_from(self) -> dict[str, list[str]]:
        new = set(self.new.tolist())
        rows = self._metadata.rows
        return {
            tag: [name for name in self._tag_to_hashes[tag] if name in rows and rows[name] not in new]
            for tag in self._known}


def thresholds(model: Fitted, judges: dict[float, Judge]) -> dict[tuple[float, str], float | None]:
    """Of yes, by what is promised and the world, as stage 2 would write them on the card."""
    yes_from = {}
    for promised, judge in judges.items():
        result = judge.result(model)
        for world, judged in ((CLOSED, result.closed), (STRANGERS, result.strangers)):
            yes_from[promised, world] = judged.promises.yes_from if judged.promises else None
    return yes_from
