"""The score tables of stages 3 and 4: one row per file, model type and tag."""
import os
from collections.abc import Callable
from functools import cached_property
from operator import itemgetter
from typing import ClassVar

from cache.models.score_bins import bin_limits, bin_name
from cache.stores.checksums import score_checksum
from cache.stores.score_listing import ScoreListing
from cache.stores.table_of_files import TableOfFiles

CHECKED = ("hash_id", "model_type", "tag_name", "tag_prob", "decision")  # what score_checksum() is over
BREAK = "\n            "  # in statements: a database is known by them to the last blank

# From one classifier to the next along the index: for 2,000 of a million rows a sixth of DISTINCT's time.
BEST_SCORES = """
WITH RECURSIVE classifier(tag_name, model_type) AS (
    SELECT * FROM (SELECT tag_name, model_type FROM {table} WHERE tag_name IS NOT NULL
                   ORDER BY tag_name, model_type LIMIT 1)
    UNION ALL
    SELECT next.tag_name, next.model_type FROM classifier JOIN {table} AS next ON next.rowid = coalesce(
        (SELECT rowid FROM {table}
         WHERE tag_name = classifier.tag_name AND model_type > classifier.model_type
         ORDER BY model_type LIMIT 1),
        (SELECT rowid FROM {table} WHERE tag_name > classifier.tag_name
         ORDER BY tag_name, model_type LIMIT 1)))
SELECT tag_name, model_type,
       (SELECT max(tag_prob) FROM {table}
        WHERE tag_name = classifier.tag_name AND model_type = classifier.model_type)
FROM classifier
"""


class ScoreTable(TableOfFiles):
    """A file is told by its absolute path, however the input was spelled: a newer score of the same file,
    model type and tag replaces the older one, and the newest spelling stays in file_path."""

    page_size = 16384  # for a row and its indexes, 600 bytes, a quarter faster to write than 4096
    columns: ClassVar[tuple[str, ...]] = ()  # without the checksum
    look_up_indexes: ClassVar[dict[str, str]] = {}

    def replace(self, source: str | os.PathLike, listing: ScoreListing) -> None:
        """Take over a whole run over `source` in one transaction. Where it is at least as large as the table,
        the indexes are built anew behind the rows: twice as fast as row by row."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            is_older = not self._is_of_today()
            if is_older:
                self._lay_out_anew()
            self.forget_missing(source, listing)
            is_large = self.row_count() <= listing.row_count()
            later = self.look_up_indexes if is_older or is_large else {}
            for name in later:
                connection.execute(f"DROP INDEX IF EXISTS {name}")
            places = ", ".join("?" * (len(self.columns) + 1))
            rows = map(self._with_checksum, listing.rows(self.columns))
            connection.executemany(f"{self._replace_into()} VALUES ({places})", rows)
            for index in later.values():
                connection.execute(index)
            self.forget_skips(listing.file_paths())
            self.record_skips(listing.skips())
            self.forget_other_skips(source, listing.skips())

    def _replace_into(self) -> str:
        return f"INSERT OR REPLACE INTO {self.name}({', '.join(self.columns)}, checksum)"

    def _with_checksum(self, row: tuple) -> tuple:
        """Of an archive, which has no score, None."""
        checked = self._checked(row)
        return (*row, None if checked[0] is None else score_checksum(*checked))

    @cached_property
    def _checked(self) -> Callable[[tuple], tuple]:
        return itemgetter(*map(self.columns.index, CHECKED))

    @property
    def files_under(self) -> str:
        """Each file has a row for every model: so from one file to the next along the index."""
        table = self.name
        within = "absolute_path >= :start AND absolute_path < :end"
        return f"""
            WITH RECURSIVE file(absolute_path) AS (
                SELECT min(absolute_path) FROM {table} WHERE absolute_path = :place
                UNION
                SELECT min(absolute_path) FROM {table} WHERE {within}
                UNION
                SELECT (SELECT min(absolute_path) FROM {table}
                        WHERE {within} AND absolute_path > file.absolute_path)
                FROM file WHERE file.absolute_path >= :start)
            SELECT absolute_path,
                   (SELECT hash_id FROM {table} WHERE absolute_path = file.absolute_path LIMIT 1) AS hash_id
            FROM file WHERE absolute_path IS NOT NULL"""

    def _statements(self) -> dict[str, str]:
        """Those that made the table and its indexes, by name."""
        query = "SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND sql NOT NULL"
        return dict(self.connection.execute(query, (self.name,)).fetchall())

    def bytes_of_older(self) -> int:
        """The size of a file that the next run lays out anew, 0 for one of today."""
        return 0 if self._is_of_today() else os.path.getsize(self.path)

    def _is_of_today(self) -> bool:
        return set(self._statements().values()) <= set(self.schema)

    def _lay_out_anew(self) -> None:
        """Within the caller's transaction: of older rows that are one today, the newest stays. Replacing a
        row moves it to the end, so their order is that of time. Look-up indexes are left to the caller."""
        connection = self.connection
        older = f"{self.name}_older"
        for name in self._statements().keys() - {self.name}:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(f"ALTER TABLE {self.name} RENAME TO {older}")
        for statement in self.schema:
            if statement not in self.look_up_indexes.values():
                connection.execute(statement)
        rows = f"SELECT {', '.join(self.columns)}, checksum FROM {older} ORDER BY rowid"
        connection.execute(f"{self._replace_into()} {rows}")
        connection.execute(f"DROP TABLE {older}")

    def of_image(self, hash_id: str) -> list[dict]:
        """Each score of an image once, by tag and model type; what is no number is none."""
        where = "hash_id = ? AND model_type IS NOT NULL AND typeof(tag_prob) = 'real'"
        return self._dicts(f"{where} GROUP BY model_type, tag_name ORDER BY tag_name, model_type", hash_id)

    def classifiers(self) -> list[tuple[str, str]]:
        """(tag, model type) of every classifier that scored something."""
        return list(self.best_scores())

    def best_scores(self) -> dict[tuple[str, str], float]:
        """The highest score of every classifier, by (tag, model type)."""
        rows = self.connection.execute(BEST_SCORES.format(table=self.name))
        return {(tag, model_type): best for tag, model_type, best in rows}

    def likeliest(self, tag: str, model_type: str, most: int) -> list[dict]:
        """The rows with the highest scores of a classifier."""
        where = "tag_name = ? AND model_type = ?"
        return self._dicts(f"{where} ORDER BY tag_prob DESC LIMIT ?", tag, model_type, most)

    def scores(
        self, tag: str, low: float = 0.0, high: float = 1.0, page: int = 1, count: int = 100,
    ) -> list[dict]:
        """Rows of a tag with low <= tag_prob <= high, the likeliest first; pages are counted from 1."""
        return self._dicts(
            "tag_name = ? AND tag_prob BETWEEN ? AND ? ORDER BY tag_prob DESC, file_path LIMIT ? OFFSET ?",
            tag, low, high, count, (page - 1) * count)

    def bins(self, tag: str, model_type: str, bins: int = 10, count: int = 12) -> list[dict]:
        """Every bin, the likeliest first: {name, total, rows}, with its `count` likeliest rows."""
        return [self._bin(tag, model_type, number, bins, count) for number in range(bins, 0, -1)]

    def _bin(self, tag: str, model_type: str, number: int, bins: int, count: int) -> dict:
        where = "tag_name = ? AND model_type = ? AND tag_prob > ? AND tag_prob <= ?"
        values = (tag, model_type, *bin_limits(number, bins))
        query = f"SELECT count(*) FROM {self.name} WHERE {where}"
        total = self.connection.execute(query, values).fetchone()[0]
        rows = self._dicts(f"{where} ORDER BY tag_prob DESC, file_path LIMIT ?", *values, count)
        return {"name": bin_name(number, bins), "total": total, "rows": rows}

    def _dicts(self, condition: str, *values: object) -> list[dict]:
        columns = ", ".join(self.columns)
        rows = self.connection.execute(f"SELECT {columns} FROM {self.name} WHERE {condition}", values)
        return [dict(row) for row in rows]


def _look_up_indexes(table: str) -> dict[str, str]:
    """Name and statement of the indexes that nothing but reading needs."""
    columns = {f"{table}_hash_id": "hash_id", f"{table}_tag": "tag_name, model_type, tag_prob"}
    return {name: f"CREATE INDEX {name} ON {table}({indexed})" for name, indexed in columns.items()}


CHECKSUM = ", checksum INTEGER"
OLDER = (("absolute_path", ""), ("file_path", ""), ("file_path", CHECKSUM))  # identity of a file, checksum


def _picture_schema(identity: str = "absolute_path", checksum: str = CHECKSUM) -> tuple[str, ...]:
    return (
        "CREATE TABLE stage3("
        "file_name TEXT NOT NULL, file_path TEXT NOT NULL, type TEXT NOT NULL, hash_id TEXT NOT NULL,"
        f"{BREAK}model_type TEXT NOT NULL, tag_name TEXT NOT NULL, tag_prob REAL NOT NULL, decision TEXT, "
        f"absolute_path TEXT NOT NULL{checksum},"
        f"{BREAK}UNIQUE({identity}, model_type, tag_name))",
        *_look_up_indexes("stage3").values(),
    )


def _archive_schema(
    table: str, identity: str = "absolute_path", checksum: str = CHECKSUM,
) -> tuple[str, ...]:
    """Archives have a row of their own, without hash and model: an index over expressions keeps those
    unique, too."""
    unique = f"{identity}, ifnull(model_type, ''), ifnull(tag_name, '')"
    return (
        f"CREATE TABLE {table}("
        "file_name TEXT NOT NULL, file_path TEXT NOT NULL, archive_path TEXT, type TEXT NOT NULL,"
        f"{BREAK}n_img_content INTEGER, hash_id TEXT, model_type TEXT, tag_name TEXT, tag_prob REAL, "
        "decision TEXT,"
        f"{BREAK}absolute_path TEXT NOT NULL{checksum})",
        f"CREATE UNIQUE INDEX {table}_file_and_model ON {table}({unique})",
        *_look_up_indexes(table).values(),
    )


class Stage3Table(ScoreTable):
    name = "stage3"
    columns = (
        "file_name", "file_path", "type", "hash_id",
        "model_type", "tag_name", "tag_prob", "decision", "absolute_path",
    )
    look_up_indexes = _look_up_indexes("stage3")
    from_version_1 = ("ALTER TABLE stage3 ADD COLUMN checksum INTEGER",)
    schema = _picture_schema()
    older_schemas = tuple(_picture_schema(*variant) for variant in OLDER)


class Stage4Table(ScoreTable):
    name = "stage4"
    columns = (
        "file_name", "file_path", "archive_path", "type", "n_img_content", "hash_id",
        "model_type", "tag_name", "tag_prob", "decision", "absolute_path",
    )
    look_up_indexes = _look_up_indexes("stage4")
    from_version_1 = ("ALTER TABLE stage4 ADD COLUMN checksum INTEGER",)
    schema = _archive_schema("stage4")
    older_schemas = tuple(_archive_schema("stage4", *variant) for variant in OLDER)


class ZipScoreTable(Stage4Table):
    name = "zip_score_cache"
    look_up_indexes = _look_up_indexes("zip_score_cache")
    from_version_1 = ("ALTER TABLE zip_score_cache ADD COLUMN checksum INTEGER",)
    schema = _archive_schema("zip_score_cache")
    older_schemas = tuple(_archive_schema("zip_score_cache", *variant) for variant in OLDER)
