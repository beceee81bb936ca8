"""The files of one run of stage 3 or 4 with their scores, in listing order."""
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from cache.models.decisions import DECISIONS, DecisionCodes
from cache.models.tag_models import TagModel
from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped
from cache.stores.private_database import PrivateDatabase

SCHEMA = """
CREATE TABLE file(
    position INTEGER PRIMARY KEY, file_name TEXT, file_path TEXT, absolute_path TEXT, archive_path TEXT,
    type TEXT, n_img_content INTEGER, hash_id TEXT, placed TEXT, scores BLOB, decisions BLOB);
CREATE INDEX file_hash_id ON file(hash_id);
CREATE TABLE skipped(file_path TEXT, reason TEXT, detail TEXT);
"""
ADD = "INSERT INTO file VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
FIRST_OF_EACH_HASH = """
SELECT min(position), * FROM file WHERE hash_id IS NOT NULL GROUP BY hash_id ORDER BY min(position)
"""
SCORE_COLUMNS = ("model_type", "tag_name", "tag_prob", "decision")
SAID = {decision: {"decision": decision} if decision else {} for decision in DECISIONS}  # in output.json
BLOCK = 1024  # pictures looked at together


class ScoreListing(PrivateDatabase):
    """A row per file with its scores under all models: the source of tables, output.json and page."""

    def __init__(self, models: Sequence[TagModel]):
        super().__init__(SCHEMA)
        self._models = [(model.model_type, model.tag_name) for model in models]
        self._decisions = DecisionCodes([model.thresholds for model in models])

    def add(self, batch: Batch, scores: np.ndarray, placed: Iterable[str | None] = repeat(None)) -> None:
        """Of the pictures of the batch: their scores, float64 (pictures, models), and the names of their
        copies in the result."""
        of_pictures = zip(placed, scores, self._decisions.of(scores))  # noqa: B905  the names may go on for ever
        files = (_file_row(item, of_pictures) for item in batch.items if isinstance(item, Picture | Archive))
        skips = ((skip.file_path, skip.reason, skip.detail) for skip in batch.of(Skipped))
        with self.connection as connection:
            connection.executemany(ADD, files)
            connection.executemany("INSERT INTO skipped VALUES (?, ?, ?)", skips)

    def rows(self, columns: Sequence[str]) -> Iterator[tuple]:
        """One row per archive, and one per picture and model, with these columns. What a file's rows share is
        laid out once."""
        model_type, tag_name, tag_prob, decision = (columns.index(name) for name in SCORE_COLUMNS)
        for file in self._dicts("SELECT * FROM file ORDER BY position"):
            row = [file.get(name) for name in columns]
            if file["scores"] is None:
                yield tuple(row)
            for (row[model_type], row[tag_name]), row[tag_prob], row[decision] in self._scored(file):
                yield tuple(row)

    def score_rows(self, columns: Sequence[str]) -> Iterator[tuple]:
        """The same without the rows of archives."""
        hash_id = columns.index("hash_id")
        return (row for row in self.rows(columns) if row[hash_id] is not None)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of many pictures at once, in listing order: their positions; scores and decision codes, both
        (pictures, models)."""
        cursor = self.connection.execute(
            "SELECT position, scores, decisions FROM file WHERE scores IS NOT NULL ORDER BY position")
        while rows := cursor.fetchmany(BLOCK):
            positions, scores, decisions = zip(*rows, strict=True)
            shape = len(rows), len(self._models)
            yield (
                np.array(positions),
                np.frombuffer(b"".join(scores)).reshape(shape),
                np.frombuffer(b"".join(decisions), np.uint8).reshape(shape),
            )

    def file(self, position: int) -> dict[str, Any]:
        """A file by its place in the listing, from 1."""
        [file] = self._dicts("SELECT * FROM file WHERE position = ?", position)
        return file

    def row_count(self) -> int:
        """About how many rows there will be: every file taken for a picture."""
        return self.connection.execute("SELECT count(*) FROM file").fetchone()[0] * len(self._models)

    def places(self) -> Iterator[tuple[str, str | None]]:
        """(absolute path, hash_id) of every picture and every ZIP."""
        return map(tuple, self.connection.execute("SELECT absolute_path, hash_id FROM file"))

    def file_paths(self) -> Iterator[str]:
        return (path for path, in self.connection.execute("SELECT file_path FROM file"))

    def skips(self) -> Iterator[Skipped]:
        return (Skipped(*row) for row in self.connection.execute("SELECT * FROM skipped"))

    def output_json(self) -> Iterator[tuple[str, dict]]:
        """(hash_id, record) per picture; further paths of the same pixels stand under file_paths."""
        for file in self._dicts(FIRST_OF_EACH_HASH):
            record = {"hash_id": file["hash_id"], "file_path": file["file_path"]}
            further_paths = self._further_paths(file)
            if further_paths:
                record["file_paths"] = further_paths
            record["classifiers_output"] = [
                {"model_type": model_type, "tag_name": tag_name, "tag_prob": score, **SAID[decision]}
                for (model_type, tag_name), score, decision in self._scored(file)
            ]
            yield file["hash_id"], record

    def _further_paths(self, file: dict[str, Any]) -> list[str]:
        query = "SELECT file_path FROM file WHERE hash_id = ? AND position > ? ORDER BY position"
        return [path for path, in self.connection.execute(query, (file["hash_id"], file["position"]))]

    def _scored(self, file: dict[str, Any]) -> Iterable[tuple[tuple[str, str], float, str | None]]:
        """Model, score and decision, under every model; nothing of an archive."""
        scores = np.frombuffer(file["scores"] or b"").tolist()
        decisions = [DECISIONS[code] for code in file["decisions"] or b""]
        return zip(self._models, scores, decisions, strict=False)

    def _dicts(self, query: str, *values: object) -> Iterator[dict[str, Any]]:
        return map(dict, self.connection.execute(query, values))


def _file_row(
    item: Picture | Archive, of_pictures: Iterator[tuple[str | None, np.ndarray, np.ndarray]],
) -> tuple:
    place = (item.file.file_name, item.file.file_path, item.file.absolute_path, item.file.archive_path)
    if isinstance(item, Archive):
        return (*place, "zip", item.n_content, None, None, None, None)
    placed, scores, decisions = next(of_pictures)
    return (*place, item.type, None, item.hash_id, placed, scores.tobytes(), decisions.tobytes())
