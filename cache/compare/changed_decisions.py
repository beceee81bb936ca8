"""What two runs of stages 3 or 4 decide differently about the pictures that both have seen."""
from collections.abc import Iterator
from dataclasses import dataclass

from cache.compare.scored_run import Model, Score, ScoredPicture, ScoredRun
from cache.stores.decision_listing import ChangedDecision, DecisionListing

YES_FROM = 0.5  # where a model has decided nothing


@dataclass(frozen=True)
class Change:
    """What one model has come to decide otherwise, about `count` pictures."""

    tag_name: str
    model_type: str
    before: str
    after: str
    count: int

    @property
    def kind(self) -> str:
        return f"{self.before} → {self.after}"


class ChangedDecisions:
    """with ChangedDecisions("scored-before", "scored-after") as changed: changed.changes()"""

    def __init__(self, first: str, second: str):
        self.first, self.second = ScoredRun(first), ScoredRun(second)
        self.only_second = 0
        self._listing = DecisionListing()

    def __enter__(self) -> "ChangedDecisions":
        """Reads both. Raises Refused if one of the folders holds no output.json of ours."""
        try:
            self._read()
        except BaseException:  # then nobody comes to __exit__
            self._listing.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._listing.close()

    def _read(self) -> None:
        self._listing.add_first((picture.hash_id, _as_list(picture)) for picture in self.first.pictures())
        for picture in self.second.pictures():
            scores_before = self._listing.take_first(picture.hash_id)
            if scores_before is None:
                self.only_second += 1
                continue
            for *model, probability, decision in scores_before:
                self._compare(picture, Model(*model), Score(probability, decision))

    def _compare(self, picture: ScoredPicture, model: Model, before: Score) -> None:
        after = picture.scores.get(model)
        if after is None:  # the second run has no such model
            return
        said_before, said_after = _said(before), _said(after)
        if said_before != said_after:
            self._listing.add_change(ChangedDecision(
                picture.file_path, picture.hash_id, *model, before.probability, after.probability,
                said_before, said_after))

    @property
    def only_first(self) -> int:
        return self._listing.only_first()

    @property
    def pictures(self) -> int:
        """About which a decision has changed."""
        return self._listing.changed_pictures()

    def changes(self) -> list[Change]:
        """By tag, model type and kind."""
        return [Change(*columns) for columns in self._listing.changes()]

    def largest(self, change: Change, most: int) -> Iterator[ChangedDecision]:
        """Those whose probability has changed most."""
        return self._listing.largest((change.tag_name, change.model_type, change.before, change.after), most)

    def rows(self) -> Iterator[ChangedDecision]:
        """All of them, in the order of the second run."""
        return self._listing.rows()


def _said(score: Score) -> str:
    return score.decision or ("yes" if score.probability >= YES_FROM else "no")


def _as_list(picture: ScoredPicture) -> list[tuple[str, str, float, str | None]]:
    return [(*model, *score) for model, score in picture.scores.items()]
