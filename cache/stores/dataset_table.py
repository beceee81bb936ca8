"""stage1.db: the files of a dataset as it is now, table `stage1`, one row per file in listing order, duplicates included.

While a run goes on, its listing is a temporary table; finish() replaces the old rows by it in one transaction.
"""
from collections.abc import Iterator

from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped
from cache.stores.sqlite_table import Table


class DatasetTable(Table):
    name = "stage1"
    schema = (
        "CREATE TABLE stage1(file_name TEXT NOT NULL, file_path TEXT NOT NULL, type TEXT NOT NULL, hash_id TEXT NOT NULL, "
        "absolute_path TEXT NOT NULL)",
        "CREATE INDEX stage1_hash_id ON stage1(hash_id)",
    )

    def start_listing(self) -> None:
        """Begin a run; before it, the table only shows what the last one found."""
        self.connection.execute(
            """CREATE TEMP TABLE listing(position INTEGER PRIMARY KEY, file_name TEXT, file_path TEXT, type TEXT, hash_id TEXT,
               absolute_path TEXT, tag TEXT, size_bytes INTEGER, width INTEGER, height INTEGER)""")
        self.connection.execute("CREATE INDEX temp.listing_hash_id ON listing(hash_id, tag)")
        self.connection.execute("CREATE TEMP TABLE archives(absolute_path TEXT)")
        self.connection.execute("CREATE TEMP TABLE left_out(file_path TEXT, reason TEXT, detail TEXT)")

    def add(self, batch: Batch) -> None:
        with self.connection:
            self.connection.executemany("INSERT INTO listing VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, batch.of(Picture)))
            archives = ((item.file.absolute_path,) for item in batch.of(Archive))
            self.connection.executemany("INSERT INTO archives VALUES (?)", archives)
            skips = ((skip.file_path, skip.reason, skip.detail) for skip in batch.of(Skipped))
            self.connection.executemany("INSERT INTO left_out VALUES (?, ?, ?)", skips)

    def images(self) -> Iterator[dict]:
        """One dict per hash: the facts of its first file, and its tags by name."""
        for row in self._rows("SELECT min(position), * FROM listing GROUP BY hash_id ORDER BY min(position)"):
            yield {**row, "tags": [found["tag"] for found in self._tags(row["hash_id"])]}

    def hashes_by_tag(self) -> Iterator[tuple[str, list[str]]]:
        for row in self._rows("SELECT DISTINCT tag FROM listing WHERE tag IS NOT NULL ORDER BY tag"):
            hashes = self._rows("SELECT hash_id FROM listing WHERE tag = ? GROUP BY hash_id ORDER BY min(position)", row["tag"])
            yield row["tag"], [found["hash_id"] for found in hashes]

    def absolute_paths(self) -> Iterator[str]:
        """Of every picture and every ZIP."""
        rows = self._rows("SELECT absolute_path FROM listing UNION ALL SELECT absolute_path FROM archives")
        return (row["absolute_path"] for row in rows)

    def finish(self) -> None:
        with self.connection:
            self.connection.execute("DELETE FROM stage1")
            self.connection.execute(
                "INSERT INTO stage1 SELECT file_name, file_path, type, hash_id, absolute_path FROM listing ORDER BY position")
            self.connection.execute("DELETE FROM skipped")
            self.connection.execute("INSERT OR REPLACE INTO skipped SELECT * FROM left_out")

    def _tags(self, hash_id: str) -> Iterator:
        return self._rows("SELECT DISTINCT tag FROM listing WHERE hash_id = ? AND tag IS NOT NULL ORDER BY tag", hash_id)

    def _rows(self, query: str, *values) -> Iterator:
        return self.connection.execute(query, values)


def _row(item: Picture) -> tuple:
    file = item.file
    return (file.file_name, file.file_path, item.type, item.hash_id, file.absolute_path, file.folder, file.size, item.width, item.height)
