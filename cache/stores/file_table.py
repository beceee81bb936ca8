"""Which files there are, where they lie, the hash of their pixels: table `file_cache`, one row per file."""
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from cache.files.paths import absolute_path
from cache.pixels.pixel_version import PIXEL_VERSION
from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped, SourceFile
from cache.refusal import Missing
from cache.stores.doubtful_hashes import FIRST_DOUBTS, doubt, doubtful_hashes, was_version_1
from cache.stores.file_changes import AS_IT_WAS, fate_of, place_today
from cache.stores.table_of_files import TableOfFiles

ADD = """
INSERT INTO file_cache(
    file_name, path, hash_id, type, is_archive, n_content, container_archive,
    absolute_path, size_bytes, mtime_ns, width, height, old_hash_id, stamp)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(absolute_path) DO UPDATE SET
    path = excluded.path, hash_id = excluded.hash_id, type = excluded.type,
    is_archive = excluded.is_archive, n_content = excluded.n_content,
    container_archive = excluded.container_archive, size_bytes = excluded.size_bytes,
    mtime_ns = excluded.mtime_ns, width = excluded.width, height = excluded.height,
    old_hash_id = excluded.old_hash_id, stamp = excluded.stamp
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

LARGEST = 2**63 - 1  # that SQLite can hold: nanoseconds up to the year 2262
NEEDED = {"hash_id": str, "type": str, "width": int, "height": int}  # of a picture that is not decoded again


def _schema(stamp: str = ", stamp TEXT") -> tuple[str, ...]:
    return (
        f"""CREATE TABLE file_cache(
            file_name TEXT NOT NULL, path TEXT NOT NULL, hash_id TEXT, type TEXT NOT NULL,
            is_archive INTEGER, n_content INTEGER, container_archive TEXT,
            absolute_path TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            width INTEGER, height INTEGER, old_hash_id TEXT{stamp})""",
        "CREATE INDEX file_cache_hash_id ON file_cache(hash_id)",
        "CREATE INDEX file_cache_path ON file_cache(path)",
        "CREATE INDEX file_cache_old_hash_id ON file_cache(old_hash_id) WHERE old_hash_id IS NOT NULL",
    )


class FileTable(TableOfFiles):
    name = "file_cache"
    schema = _schema()
    older_schemas = (_schema(stamp=""),)
    from_version_1 = ("ALTER TABLE file_cache ADD COLUMN stamp TEXT", FIRST_DOUBTS)

    def add(self, batch: Batch) -> None:
        read = [item for item in batch.items if isinstance(item, (Picture, Archive))]
        unchanged = [item.file for item in read if isinstance(item, Picture) and item.unchanged]
        changed = [item for item in read if isinstance(item, Archive) or not item.unchanged]
        names = (
            (file.file_path, file.archive_path, file.absolute_path, file.file_path) for file in unchanged)
        with self.connection as connection:
            self._doubt(map(_facts, changed))
            connection.executemany(ADD, map(_row, changed))
            self.forget_skips(item.file.file_path for item in read)
            connection.executemany(RENAME, names)
            self.record_skips(batch.of(Skipped))

    def known(self, file: SourceFile) -> Picture | None:
        """The picture at this path, if it is still the file of its row, unchanged."""
        condition = "absolute_path = ? AND size_bytes = ? AND stamp = ? AND is_archive IS NULL"
        row = self._one(condition, file.absolute_path, file.size, stamp_of(file))
        if row is None or any(type(row[name]) is not kind for name, kind in NEEDED.items()):
            return None  # the file may come from anybody
        size = row["width"], row["height"]
        return Picture(file, row["hash_id"], row["old_hash_id"], row["type"], *size, unchanged=True)

    def image(self, hash_id: str) -> dict | None:
        """The first file with these pixels that is still there, as callers get it; those under the digest of
        older tools come last."""
        return next(filter(None, map(self._of_today, self._rows_of(hash_id))), None)

    def places(self, hash_id: str) -> Iterator[str]:
        under_both = (*super().places(hash_id), *self.places_by("old_hash_id", hash_id))
        return iter(dict.fromkeys(under_both))

    def last_known(self, hash_id: str) -> dict | None:
        """Of a file that had these pixels, whether it is still there or not."""
        return next(map(as_dict, self._rows_of(hash_id)), None)

    def _rows_of(self, hash_id: str) -> Iterator[sqlite3.Row]:
        for column in ("hash_id", "old_hash_id"):
            yield from self.connection.execute(f"SELECT * FROM file_cache WHERE {column} = ?", (hash_id,))

    def page(self, after: int = 0, count: int = 100) -> list[dict]:
        """Pictures in the order they came in, `position` above `after`: all pages cost the same."""
        return [as_dict(row) for row in self.connection.execute(PAGE, (after, count))]

    def counts(self) -> dict[str, int]:
        """{pictures, archives}"""
        return dict(self.connection.execute(COUNTS).fetchone())

    def random_image(self) -> dict | None:
        """One that is still there."""
        row = self.random_row("is_archive IS NULL", lambda row: self._of_today(row) is not None)
        return self._of_today(row) if row else None

    def _of_today(self, row: sqlite3.Row) -> dict | None:
        """As callers get it, with the path at which it lies today; None if it is gone, or was changed."""
        if not isinstance(row["absolute_path"], str):  # the file may come from anybody
            return None
        image = as_dict(row)
        place = place_today(dict(row), self.whereabouts)
        if place is None or place == image["absolute_path"]:
            return image if place else None
        path = image["path"] if absolute_path(image["path"]) == place else place
        return {**image, "absolute_path": place, "path": path, "file_path": path}

    def doubtful_hashes(self) -> list[str]:
        """Of version 1, whose vectors may be those of pictures that look different."""
        return doubtful_hashes(self.connection) if self._was_version_1 else []

    def forget(self, absolute_paths: Sequence[str]) -> None:
        self._doubt((path, None, None, None) for path in absolute_paths)
        super().forget(absolute_paths)

    def _doubt(self, files: Iterable[tuple]) -> None:
        if self._was_version_1:
            doubt(self.connection, files)

    @cached_property
    def _was_version_1(self) -> bool:
        return was_version_1(self.connection)

    def is_still_true(self, path: str) -> bool:
        """A picture in a ZIP that this run has left alone, say, is what it was."""
        row = self._one("absolute_path = ?", path)
        return row is not None and fate_of(dict(row), self.whereabouts) == AS_IT_WAS


def _row(item: Picture | Archive) -> tuple:
    file = item.file
    names = (file.file_name, file.file_path)
    place = (file.archive_path, file.absolute_path, file.size, _time(file))
    if isinstance(item, Archive):
        return (*names, None, "zip", True, item.n_content, *place, None, None, None, stamp_of(file))
    looks = (item.width, item.height, item.old_hash_id)
    return (*names, item.hash_id, item.type, None, None, *place, *looks, stamp_of(file))


def _facts(item: Picture | Archive) -> tuple:
    """As doubt() asks for them."""
    hash_id = item.hash_id if isinstance(item, Picture) else None
    return item.file.absolute_path, hash_id, item.file.size, _time(item.file)


def _time(file: SourceFile) -> int:
    """The stamp has it exactly."""
    return max(-LARGEST, min(file.mtime_ns, LARGEST))


def stamp_of(file: SourceFile) -> str:
    """Of the file, and of what a hash stands for: a file known to a program that saw it otherwise is not."""
    return f"{PIXEL_VERSION} {file.stamp}"


def as_dict(row: sqlite3.Row) -> dict:
    """As callers get it: `path` is also `file_path`, `type` also `file_type`; is_archive is True or None."""
    facts = dict(row)
    del facts["stamp"]
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
