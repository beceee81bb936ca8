"""The score tables of stages 3 and 4, and the listing of one run from which they and output.json are written."""
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import numpy as np

from cache.batches import Batch
from cache.decisions import DECISIONS, DecisionCodes
from cache.score_bins import bin_name
from cache.source_file import Archive, Picture, Skipped
from cache.sqlite_table import Table
from cache.tag_models import TagModel

SCORE_COLUMNS = ("model_type", "tag_name", "tag_prob", "decision")
SAID = {decision: {"decision": decision} if decision else {} for decision in DECISIONS}  # in output.json
BLOCK = 1024  # pictures looked at together
BIN_EDGE = 1e-9  # in bins: a probability on an edge belongs to the lower one, as in score_bins.py


class ScoreListing:
    """The files of one run in listing order, each with its scores under all models: a private database on disk, gone with the run."""

    def __init__(self, models: Sequence[TagModel]):
        self._models = [(model.model_type, model.tag_name) for model in models]
        self._decisions = DecisionCodes([model.thresholds for model in models])
        self._connection = sqlite3.connect("")
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(
            """CREATE TABLE file(position INTEGER PRIMARY KEY, file_name TEXT, file_path TEXT, absolute_path TEXT, archive_path TEXT,
                                 type TEXT, n_img_content INTEGER, hash_id TEXT, placed TEXT, scores BLOB, decisions BLOB);
               CREATE INDEX file_hash_id ON file(hash_id);
               CREATE TABLE skipped(file_path TEXT, reason TEXT, detail TEXT);""")

    def __enter__(self) -> "ScoreListing":
        return self

    def __exit__(self, *error) -> None:
        self._connection.close()

    def add(self, batch: Batch, scores: np.ndarray, placed: Iterable[str | None] = repeat(None)) -> None:
        """Of the pictures of the batch: their scores, float64 (pictures, models), and the names of their copies in the result."""
        of_pictures = zip(placed, scores, self._decisions.of(scores))  # noqa: B905  the names may go on for ever
        files = (_file_row(item, of_pictures) for item in batch.items if not isinstance(item, Skipped))
        skips = ((skip.file_path, skip.reason, skip.detail) for skip in batch.of(Skipped))
        with self._connection:
            self._connection.executemany("INSERT INTO file VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", files)
            self._connection.executemany("INSERT INTO skipped VALUES (?, ?, ?)", skips)

    def rows(self, columns: Sequence[str]) -> Iterator[tuple]:
        """One row per archive, and one per picture and model, with these columns. What a file's rows share is laid out once."""
        model_type, tag_name, tag_prob, decision = (columns.index(name) for name in SCORE_COLUMNS)
        for file in self._connection.execute("SELECT * FROM file ORDER BY position"):
            row = [file[name] if name in file.keys() else None for name in columns]  # noqa: SIM118  a Row is no dict
            if file["scores"] is None:
                yield tuple(row)
            for (row[model_type], row[tag_name]), row[tag_prob], row[decision] in self._scored(file):
                yield tuple(row)

    def score_rows(self, columns: Sequence[str]) -> Iterator[tuple]:
        """The same without the rows of archives."""
        hash_id = columns.index("hash_id")
        return (row for row in self.rows(columns) if row[hash_id] is not None)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of many pictures at once, in listing order: their positions; scores and decision codes (pictures, models)."""
        cursor = self._connection.execute("SELECT position, scores, decisions FROM file WHERE scores IS NOT NULL ORDER BY position")
        while rows := cursor.fetchmany(BLOCK):
            positions, scores, decisions = zip(*rows, strict=True)
            shape = len(rows), len(self._models)
            yield (np.array(positions), np.frombuffer(b"".join(scores)).reshape(shape),
                   np.frombuffer(b"".join(decisions), np.uint8).reshape(shape))

    def file(self, position: int) -> sqlite3.Row:
        return self._connection.execute("SELECT * FROM file WHERE position = ?", (position,)).fetchone()

    def row_count(self) -> int:
        """About how many rows there will be: every file taken for a picture."""
        return self._connection.execute("SELECT count(*) FROM file").fetchone()[0] * len(self._models)

    def file_paths(self) -> Iterator[str]:
        return (row["file_path"] for row in self._connection.execute("SELECT file_path FROM file"))

    def skips(self) -> Iterator[Skipped]:
        return (Skipped(*row) for row in self._connection.execute("SELECT * FROM skipped"))

    def output_json(self) -> Iterator[tuple[str, dict]]:
        """(hash_id, record) per picture; further paths of the same pixels stand under file_paths."""
        query = "SELECT min(position), * FROM file WHERE hash_id IS NOT NULL GROUP BY hash_id ORDER BY min(position)"
        for file in self._connection.execute(query):
            others = [row["file_path"] for row in self._connection.execute(
                "SELECT file_path FROM file WHERE hash_id = ? AND position > ? ORDER BY position", (file["hash_id"], file["position"]))]
            outputs = [{"model_type": model_type, "tag_name": tag_name, "tag_prob": score, **SAID[decision]}
                       for (model_type, tag_name), score, decision in self._scored(file)]
            yield file["hash_id"], {
                "hash_id": file["hash_id"], "file_path": file["file_path"], **({"file_paths": others} if others else {}),
                "classifiers_output": outputs,
            }

    def _scored(self, file: sqlite3.Row) -> Iterable[tuple[tuple[str, str], float, str | None]]:
        scores = np.frombuffer(file["scores"] or b"").tolist()
        return zip(self._models, scores, map(DECISIONS.__getitem__, file["decisions"] or b""), strict=False)


def _file_row(item: Picture | Archive, of_pictures: Iterator[tuple[str | None, np.ndarray, np.ndarray]]) -> tuple:
    place = (item.file.file_name, item.file.file_path, item.file.absolute_path, item.file.archive_path)
    if isinstance(item, Archive):
        return (*place, "zip", item.n_content, None, None, None, None)
    placed, scores, decisions = next(of_pictures)
    return (*place, item.type, None, item.hash_id, placed, scores.tobytes(), decisions.tobytes())


class ScoreTable(Table):
    """One row per file and model; a newer score of the same file, model type and tag replaces the older one."""

    page_size = 16384  # a row and its indexes are 600 bytes: a quarter faster to write than pages of 4096
    columns: tuple[str, ...] = ()
    look_up_indexes: dict[str, str] = {}

    def replace(self, listing: ScoreListing) -> None:
        """Take over a whole run in one transaction. Where it is at least as large as the table, the indexes are built anew behind
        the rows: twice as fast as row by row."""
        statement = f"INSERT OR REPLACE INTO {self.name}({', '.join(self.columns)}) VALUES ({', '.join('?' * len(self.columns))})"
        self.connection.execute("BEGIN IMMEDIATE")
        with self.connection:
            later = self.look_up_indexes if self.row_count() <= listing.row_count() else {}
            for name in later:
                self.connection.execute(f"DROP INDEX IF EXISTS {name}")
            self.connection.executemany(statement, listing.rows(self.columns))
            for index in later.values():
                self.connection.execute(index)
            self.forget_skips(listing.file_paths())
            self.record_skips(listing.skips())

    def of_image(self, hash_id: str) -> list[dict]:
        """Each score of an image once, by tag and model type."""
        return self._dicts("hash_id = ? AND model_type IS NOT NULL GROUP BY model_type, tag_name ORDER BY tag_name, model_type", hash_id)

    def classifiers(self) -> list[tuple[str, str]]:
        """(tag, model type) of every classifier that scored something."""
        query = f"SELECT DISTINCT tag_name, model_type FROM {self.name} WHERE tag_name IS NOT NULL ORDER BY tag_name, model_type"
        return [tuple(row) for row in self.connection.execute(query)]

    def scores(self, tag: str, low: float = 0.0, high: float = 1.0, page: int = 1, count: int = 100) -> list[dict]:
        """Rows of a tag with low <= tag_prob <= high, the likeliest first; pages are counted from 1."""
        return self._dicts("tag_name = ? AND tag_prob BETWEEN ? AND ? ORDER BY tag_prob DESC, file_path LIMIT ? OFFSET ?",
                           tag, low, high, count, (page - 1) * count)

    def bins(self, tag: str, model_type: str, bins: int = 10, count: int = 12) -> list[dict]:
        """Every bin, the likeliest first: {name, total, rows}, with its `count` likeliest rows."""
        found = []
        for number in range(bins, 0, -1):
            where = "tag_name = ? AND model_type = ? AND tag_prob > ? AND tag_prob <= ?"
            low = -1.0 if number == 1 else (number - 1 + BIN_EDGE) / bins
            limits = (tag, model_type, low, (number + BIN_EDGE) / bins)
            total = self.connection.execute(f"SELECT count(*) FROM {self.name} WHERE {where}", limits).fetchone()[0]
            found.append({"name": bin_name(number, bins), "total": total,
                          "rows": self._dicts(f"{where} ORDER BY tag_prob DESC, file_path LIMIT ?", *limits, count)})
        return found

    def _dicts(self, condition: str, *values) -> list[dict]:
        return [dict(row) for row in self.connection.execute(f"SELECT * FROM {self.name} WHERE {condition}", values)]


def _look_up_indexes(table: str) -> dict[str, str]:
    """Name and statement of the indexes that nothing but reading needs."""
    columns = {f"{table}_hash_id": "hash_id", f"{table}_tag": "tag_name, model_type, tag_prob"}
    return {name: f"CREATE INDEX {name} ON {table}({indexed})" for name, indexed in columns.items()}


class Stage3Table(ScoreTable):
    name = "stage3"
    columns = ("file_name", "file_path", "type", "hash_id", "model_type", "tag_name", "tag_prob", "decision", "absolute_path")
    look_up_indexes = _look_up_indexes("stage3")
    schema = (
        """CREATE TABLE stage3(file_name TEXT NOT NULL, file_path TEXT NOT NULL, type TEXT NOT NULL, hash_id TEXT NOT NULL,
            model_type TEXT NOT NULL, tag_name TEXT NOT NULL, tag_prob REAL NOT NULL, decision TEXT, absolute_path TEXT NOT NULL,
            UNIQUE(file_path, model_type, tag_name))""",
        *look_up_indexes.values(),
    )


def _archive_schema(name: str) -> tuple[str, ...]:
    """Archives have a row of their own, without hash and model: an index over expressions keeps those unique, too."""
    return (
        f"""CREATE TABLE {name}(file_name TEXT NOT NULL, file_path TEXT NOT NULL, archive_path TEXT, type TEXT NOT NULL,
            n_img_content INTEGER, hash_id TEXT, model_type TEXT, tag_name TEXT, tag_prob REAL, decision TEXT,
            absolute_path TEXT NOT NULL)""",
        f"CREATE UNIQUE INDEX {name}_file_and_model ON {name}(file_path, ifnull(model_type, ''), ifnull(tag_name, ''))",
        *_look_up_indexes(name).values(),
    )


class Stage4Table(ScoreTable):
    name = "stage4"
    columns = ("file_name", "file_path", "archive_path", "type", "n_img_content", "hash_id", "model_type", "tag_name", "tag_prob",
               "decision", "absolute_path")
    look_up_indexes = _look_up_indexes("stage4")
    schema = _archive_schema("stage4")


class ZipScoreTable(Stage4Table):
    name = "zip_score_cache"
    look_up_indexes = _look_up_indexes("zip_score_cache")
    schema = _archive_schema("zip_score_cache")
