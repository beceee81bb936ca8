"""The score tables of stages 3 and 4, and the listing of one run from which they and output.json are written."""


from cache.models.score_bins import bin_name
from cache.stores.score_listing import ScoreListing
from cache.stores.sqlite_table import Table

BIN_EDGE = 1e-9  # in bins: a probability on an edge belongs to the lower one, as in score_bins.py

# From one classifier to the next along the index: for 2,000 of a million rows a sixth of the time of DISTINCT.
BEST_SCORES = """
WITH RECURSIVE classifier(tag_name, model_type) AS (
    SELECT * FROM (SELECT tag_name, model_type FROM {table} WHERE tag_name IS NOT NULL
                   ORDER BY tag_name, model_type LIMIT 1)
    UNION ALL
    SELECT next.tag_name, next.model_type FROM classifier JOIN {table} AS next ON next.rowid = coalesce(
        (SELECT rowid FROM {table} WHERE tag_name = classifier.tag_name AND model_type > classifier.model_type
         ORDER BY model_type LIMIT 1),
        (SELECT rowid FROM {table} WHERE tag_name > classifier.tag_name ORDER BY tag_name, model_type LIMIT 1)))
SELECT tag_name, model_type,
       (SELECT max(tag_prob) FROM {table} WHERE tag_name = classifier.tag_name AND model_type = classifier.model_type)
FROM classifier
"""


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
        return list(self.best_scores())

    def best_scores(self) -> dict[tuple[str, str], float]:
        """The highest score of every classifier, by (tag, model type)."""
        rows = self.connection.execute(BEST_SCORES.format(table=self.name))
        return {(tag, model_type): best for tag, model_type, best in rows}

    def likeliest(self, tag: str, model_type: str, most: int) -> list[dict]:
        """The rows with the highest scores of a classifier."""
        return self._dicts("tag_name = ? AND model_type = ? ORDER BY tag_prob DESC LIMIT ?", tag, model_type, most)

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
