"""Two runs of stages 3 or 4 joined on disk, by the hashes of their pictures: memory grows with neither."""
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from cache.stores.private_database import PrivateDatabase


class ChangedDecision(NamedTuple):
    """What one model says of one picture in the first run and in the second."""

    file_path: str  # in the second run
    hash_id: str
    model_type: str
    tag_name: str
    tag_prob_before: float
    tag_prob_after: float
    decision_before: str
    decision_after: str


COLUMNS = ChangedDecision._fields
WHAT_CHANGED = "tag_name, model_type, decision_before, decision_after"


class DecisionListing(PrivateDatabase):
    """The scores of the first run, then what the second run has changed, in its order."""

    def __init__(self) -> None:
        super().__init__(
            f"""
            CREATE TABLE first(hash_id TEXT PRIMARY KEY, scores BLOB, seen INTEGER DEFAULT 0);
            CREATE TABLE changed(position INTEGER PRIMARY KEY, {', '.join(COLUMNS)});
            CREATE INDEX change ON changed({WHAT_CHANGED});
            """)

    def add_first(self, pictures: Iterable[tuple[str, list]]) -> None:
        """(hash, its scores as JSON can hold them) of every picture of the first run."""
        rows = ((hash_id, orjson.dumps(scores)) for hash_id, scores in pictures)
        self.connection.executemany("INSERT OR REPLACE INTO first(hash_id, scores) VALUES (?, ?)", rows)

    def take_first(self, hash_id: str) -> list | None:
        """The scores of a picture in the first run, which is then in both; None if it was not there."""
        row = self.connection.execute("SELECT scores FROM first WHERE hash_id = ?", (hash_id,)).fetchone()
        if row is None:
            return None
        self.connection.execute("UPDATE first SET seen = 1 WHERE hash_id = ?", (hash_id,))
        return orjson.loads(row["scores"])

    def add_change(self, changed: ChangedDecision) -> None:
        places = ", ?" * len(COLUMNS)
        self.connection.execute(f"INSERT INTO changed VALUES (NULL{places})", changed)

    def only_first(self) -> int:
        """Pictures of the first run that were not taken."""
        return self.connection.execute("SELECT count(*) FROM first WHERE NOT seen").fetchone()[0]

    def changed_pictures(self) -> int:
        return self.connection.execute("SELECT count(DISTINCT hash_id) FROM changed").fetchone()[0]

    def changes(self) -> Iterator[tuple[str, str, str, str, int]]:
        """(tag, model type, decision before, decision after, number of pictures), sorted."""
        rows = self.connection.execute(
            f"SELECT {WHAT_CHANGED}, count(*) FROM changed GROUP BY {WHAT_CHANGED} ORDER BY {WHAT_CHANGED}")
        return (tuple(row) for row in rows)

    def largest(self, change: tuple[str, str, str, str], most: int) -> Iterator[ChangedDecision]:
        """Of a change as in changes(), the pictures whose probability has changed most."""
        rows = self.connection.execute(
            f"""SELECT {', '.join(COLUMNS)} FROM changed WHERE ({WHAT_CHANGED}) = (?, ?, ?, ?)
                ORDER BY abs(tag_prob_after - tag_prob_before) DESC, position LIMIT ?""", (*change, most))
        return (ChangedDecision(*row) for row in rows)

    def rows(self) -> Iterator[ChangedDecision]:
        """All of them, in the order of the second run."""
        rows = self.connection.execute(f"SELECT {', '.join(COLUMNS)} FROM changed ORDER BY position")
        return (ChangedDecision(*row) for row in rows)
