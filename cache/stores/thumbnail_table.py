"""A small JPEG of every picture, so that no page has to open it: SQLite table `thumbnail_cache`, one row per
hash."""
import sqlite3
from collections.abc import Iterable

from cache.reader.source_file import Thumbnail
from cache.stores.checksums import thumbnail_checksum
from cache.stores.sqlite_table import Table

JPEG_START = b"\xff\xd8\xff"  # https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1: SOI, then a marker
MOST_BYTES = 128 * 1024  # of a JPEG: ours have at most 16 kB, but the file may come from anybody
MOST_LOOKED_AT = 16  # rows of one hash: pictures that differ in their palettes alone share an old one
# A JPEG that is too large is none, which no checksum fits, and is never read.
COLUMNS = f"""hash_id, old_hash_id, checksum,
    CASE WHEN typeof(jpeg) = 'blob' AND length(jpeg) <= {MOST_BYTES} THEN jpeg END AS jpeg"""


class ThumbnailTable(Table):
    """Told by the hash, like a vector: it stays when the file has gone."""

    name = "thumbnail_cache"
    # Rows of 3 to 10 kB. Pages of 4096 take photographs in at half the rate, pages of 16384 waste a quarter
    # more room on them: each then holds one.
    page_size = 8192
    schema = (
        "CREATE TABLE thumbnail_cache(hash_id TEXT NOT NULL UNIQUE, jpeg BLOB NOT NULL, "
        "checksum INTEGER NOT NULL, old_hash_id TEXT)",
        "CREATE INDEX thumbnail_cache_old_hash_id ON thumbnail_cache(old_hash_id) "
        "WHERE old_hash_id IS NOT NULL",
    )

    def add(self, thumbnails: Iterable[Thumbnail]) -> None:
        """In one transaction."""
        rows = (
            (hash_id, jpeg, thumbnail_checksum(hash_id, old_hash_id, jpeg), old_hash_id)
            for hash_id, old_hash_id, jpeg in thumbnails)
        with self.connection as connection:
            connection.executemany("INSERT OR IGNORE INTO thumbnail_cache VALUES (?, ?, ?, ?)", rows)

    def has(self, hash_id: str) -> bool:
        query = "SELECT 1 FROM thumbnail_cache WHERE hash_id = ?"
        return self.connection.execute(query, (hash_id,)).fetchone() is not None

    def jpeg(self, hash_id: str) -> bytes | None:
        """Under its hash, else under the digest of older tools. One that was damaged on the disk is as good
        as none: it goes, to be made anew."""
        for column in ("hash_id", "old_hash_id"):
            query = f"SELECT rowid, {COLUMNS} FROM thumbnail_cache WHERE {column} = ? LIMIT {MOST_LOOKED_AT}"
            for row in self.connection.execute(query, (hash_id,)).fetchall():
                if is_whole(row) and is_jpeg(row["jpeg"]):
                    return row["jpeg"]
                self._forget(row["rowid"])
        return None

    def clear(self) -> int:
        """As Table does; and nothing of a picture stays in pages of the file that are free by now."""
        self.connection.execute("PRAGMA secure_delete = ON")  # not every SQLite is built with it
        return super().clear()

    def _forget(self, rowid: int) -> None:
        if self.may_be_written:
            with self.connection as connection:
                connection.execute("DELETE FROM thumbnail_cache WHERE rowid = ?", (rowid,))


def is_whole(row: sqlite3.Row) -> bool:
    """As far as its checksum says. The file may come from anybody, and SQLite stores anything in any
    column."""
    hash_id, old_hash_id, jpeg = row["hash_id"], row["old_hash_id"], row["jpeg"]
    names_are_text = isinstance(hash_id, str) and isinstance(old_hash_id, str | None)
    is_thumbnail = names_are_text and isinstance(jpeg, bytes)
    return is_thumbnail and thumbnail_checksum(hash_id, old_hash_id, jpeg) == row["checksum"]


def is_jpeg(data: bytes) -> bool:
    """By its first bytes: a browser gets it as it is."""
    return data.startswith(JPEG_START)
