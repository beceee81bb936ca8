"""The decisions of two output.json, compared picture by picture in a private database on disk: neither file is ever in memory."""
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from cache.files.json_file import JsonFormat
from cache.models.decisions import DECISIONS, is_probability
from cache.results.result_folder import OUTPUT

OUTPUT_JSON = JsonFormat("an output.json", "stage 3 or 4", "{hash_id: record}")
YES_FROM = 0.5  # where a model has decided nothing
COLUMNS = ("file_path", "hash_id", "model_type", "tag_name", "tag_prob_before", "tag_prob_after", "decision_before", "decision_after")

Model = tuple[str, str]  # model type and tag
Score = tuple[float, str | None]  # probability and decision


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
        """Raises Refused if one of the folders holds no output.json of ours."""
        self._paths = [os.path.join(folder, OUTPUT) for folder in (first, second)]
        self.models: list[set[Model]] = [set(), set()]  # of each run
        self.undecided: list[set[Model]] = [set(), set()]  # those of them that only score
        self.only_second = 0
        self._connection = sqlite3.connect("")
        self._connection.executescript(
            f"""CREATE TABLE first(hash_id TEXT PRIMARY KEY, scores BLOB, seen INTEGER DEFAULT 0);
                CREATE TABLE changed(position INTEGER PRIMARY KEY, {', '.join(COLUMNS)});
                CREATE INDEX change ON changed(tag_name, model_type, decision_before, decision_after);""")

    def __enter__(self) -> "ChangedDecisions":
        try:
            self._read()
        except BaseException:  # then nobody comes to __exit__
            self._connection.close()
            raise
        return self

    def __exit__(self, *error) -> None:
        self._connection.close()

    def _read(self) -> None:
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO first(hash_id, scores) VALUES (?, ?)", self._first())
            for hash_id, file_path, scores in self._pictures(1):
                self._compare(hash_id, file_path, scores)

    def _first(self) -> Iterator[tuple[str, bytes]]:
        for hash_id, _, scores in self._pictures(0):
            yield hash_id, orjson.dumps([[*model, *score] for model, score in scores.items()])

    def _pictures(self, run: int) -> Iterator[tuple[str, str, dict[Model, Score]]]:
        path = self._paths[run]
        for hash_id, record in OUTPUT_JSON.members(path):
            file_path, scores = _scores(path, hash_id, record)
            self.models[run].update(scores)
            self.undecided[run].update(model for model, (_, decision) in scores.items() if decision is None)
            yield hash_id, file_path, scores

    def _compare(self, hash_id: str, file_path: str, scores: dict[Model, Score]) -> None:
        found = self._connection.execute("SELECT scores FROM first WHERE hash_id = ?", (hash_id,)).fetchone()
        if found is None:
            self.only_second += 1
            return
        self._connection.execute("UPDATE first SET seen = 1 WHERE hash_id = ?", (hash_id,))
        for *model, probability, decision in orjson.loads(found[0]):
            now = scores.get(tuple(model))
            decisions = (_said(probability, decision), _said(*now)) if now else ("", "")
            if len(set(decisions)) > 1:
                self._connection.execute(f"INSERT INTO changed VALUES (NULL{', ?' * len(COLUMNS)})",
                                         (file_path, hash_id, *model, probability, now[0], *decisions))

    @property
    def only_first(self) -> int:
        return self._connection.execute("SELECT count(*) FROM first WHERE NOT seen").fetchone()[0]

    @property
    def pictures(self) -> int:
        """About which a decision has changed."""
        return self._connection.execute("SELECT count(DISTINCT hash_id) FROM changed").fetchone()[0]

    def changes(self) -> list[Change]:
        """By tag, model type and kind."""
        names = "tag_name, model_type, decision_before, decision_after"
        query = f"SELECT {names}, count(*) FROM changed GROUP BY {names} ORDER BY {names}"
        return [Change(*row) for row in self._connection.execute(query)]

    def largest(self, change: Change, most: int) -> Iterator[tuple[str, str, float, float]]:
        """Hash, path and both probabilities of the pictures whose probability has changed most."""
        return self._connection.execute(
            """SELECT hash_id, file_path, tag_prob_before, tag_prob_after FROM changed
               WHERE (tag_name, model_type, decision_before, decision_after) = (?, ?, ?, ?)
               ORDER BY abs(tag_prob_after - tag_prob_before) DESC, position LIMIT ?""",
            (change.tag_name, change.model_type, change.before, change.after, most))

    def rows(self) -> Iterator[tuple]:
        """With COLUMNS, in the order of the second run."""
        return self._connection.execute(f"SELECT {', '.join(COLUMNS)} FROM changed ORDER BY position")


def _said(probability: float, decision: str | None) -> str:
    return decision or ("yes" if probability >= YES_FROM else "no")


def _scores(path: str, hash_id: str, record: object) -> tuple[str, dict[Model, Score]]:
    """Path of a picture, and its scores under all models."""
    try:
        scores = {(output["model_type"], output["tag_name"]): (output["tag_prob"], output.get("decision"))
                  for output in record["classifiers_output"]}
        texts = [record["file_path"], *(text for model in scores for text in model)]
    except (AttributeError, KeyError, TypeError):
        texts = [None]
    if not all(isinstance(text, str) for text in texts) or not all(
            is_probability(probability) and decision in DECISIONS for probability, decision in scores.values()):
        raise OUTPUT_JSON.refusal(path, f"record {hash_id[:16]} has no file_path and classifiers_output of such a run")
    return record["file_path"], scores
