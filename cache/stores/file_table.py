"""Which files there are, where they lie, the hash of their pixels: table `file_cache`, one row per file."""
import os
import sqlite3

from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped, SourceFile
from cache.refusal import Missing
from cache.stores.sqlite_table import Table

ADD = """
INSERT INTO file_cache(
    file_name, path, hash_id, type, is_archive, n_content, container_archive,
    absolute_path, size_bytes, mtime_ns, width, height, old_hash_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(absolute_path) DO UPDATE SET
    path = excluded.path, hash_id = excluded.hash_id, type = excluded.type,
    is_archive = excluded.is_archive, n_content = excluded.n_content,
    container_archive = excluded.container_archive, size_bytes = excluded.size_bytes,
    mtime_ns = excluded.mtime_ns, width = excluded.width, height = excluded.height,
    old_hash_id = excluded.old_hash_id
"""

# A known file may be given by another name today: from another folder, or absolute.
RENAME = "UPDATE file_cache SET path = ?, container_archive = ? WHERE absolute_path = ? AND path <> ?"

PAGE = """
SELECT rowid AS position, * FROM file_cache WHERE rowid > ? AND is_archive IS NULL ORDER BY rowid LIMIT ?
"""

# Off two indexes, because the rows are ten times as many bytes: only archives have no hash.
FILES = "SELECT count(*) FROM file_cache"
ARCHIVES = "SELECT count(*) FROM file_cache WHERE hash_id IS NULL"
COUNTS = f"SELECT ({FILES}) - ({ARCHIVES}) AS pictures, ({ARCHIVES}) AS archives"

NEEDED = {"hash_id": str, "type": str, "width": int, "height": int}  # of a picture that is not decoded again


class FileTable(Table):
    name = "file_cache"
    schema = (
        """CREATE TABLE file_cache(
            file_name TEXT NOT NULL, path TEXT NOT NULL, hash_id TEXT, type TEXT NOT NULL,
            is_archive INTEGER, n_content INTEGER, container_archive TEXT,
            absolute_path TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            width INTEGER, height INTEGER, old_hash_id TEXT)""",
        "CREATE INDEX file_cache_hash_id ON file_cache(hash_id)",
        "CREATE INDEX file_cache_path ON file_cache(path)",
        "CREATE INDEX file_cache_old_hash_id ON file_cache(old_hash_id) WHERE old_hash_id IS NOT NULL",
    )

    def add(self, batch: Batch) -> None:
        read = [item for item in batch.items if isinstance(item, (Picture, Archive))]
        unchanged = [item.file for item in read if isinstance(item, Picture) and item.unchanged]
        changed = (item for item in read if isinstance(item, Archive) or not item.unchanged)
        names = (
            (file.file_path, file.archive_path, file.absolute_path, file.file_path) for file in unchanged)
        with self.connection as connection:
            connection.executemany(ADD, map(_row, changed))
            self.forget_skips(item.file.file_path for item in read)
            connection.executemany(RENAME, names)
            self.record_skips(batch.of(Skipped))

    def known(self, file: SourceFile) -> Picture | None:
        """The picture at this path, if size and time of change are still those of its row."""
        condition = "absolute_path = ? AND size_bytes = ? AND mtime_ns = ? AND is_archive IS NULL"
        row = self._one(condition, file.absolute_path, file.size, file.mtime_ns)
        if row is None or any(type(row[name]) is not kind for name, kind in NEEDED.items()):
            return None  # the file may come from anybody
        size = row["width"], row["height"]
        return Picture(file, row["hash_id"], row["old_hash_id"], row["type"], *size, unchanged=True)

    def image(self, hash_id: str) -> dict | None:
        """One file with these pixels, as callers get it."""
        row = self._one("hash_id = ?", hash_id) or self._one("old_hash_id = ?", hash_id)
        return as_dict(row) if row else None

    def page(self, after: int = 0, count: int = 100) -> list[dict]:
        """Pictures in the order they came in, `position` above `after`: all pages cost the same."""
        return [as_dict(row) for row in self.connection.execute(PAGE, (after, count))]

    def counts(self) -> dict[str, int]:
        """{pictures, archives}"""
        return dict(self.connection.execute(COUNTS).fetchone())

    def random_image(self) -> dict | None:
        row = self.random_row("is_archive IS NULL")
        return as_dict(row) if row else None


def _row(item: Picture | Archive) -> tuple:
    file = item.file
    names = (file.file_name, file.file_path)
    place = (file.archive_path, file.absolute_path, file.size, file.mtime_ns)
    if isinstance(item, Archive):
        return (*names, None, "zip", True, item.n_content, *place, None, None, None)
    return (*names, item.hash_id, item.type, None, None, *place, item.width, item.height, item.old_hash_id)


def as_dict(row: sqlite3.Row) -> dict:
    """As callers get it: `path` is also `file_path`, `type` also `file_type`; is_archive is True or None."""
    facts = dict(row)
    facts.update(
        file_path=row["path"],
        file_type=row["type"],
        is_archive=True if row["is_archive"] else None,
    )
    return facts


def files_beside(path: str | os.PathLike) -> FileTable | None:
    """The file cache in the same folder, if there is one: what it knows need not be decoded again."""
    beside = os.path.join(os.path.dirname(path), "file_cache.sqlite")
    if os.path.islink(beside):  # it may belong to somebody else
        return None
    try:
        return FileTable(beside)
    except Missing:
        return None
