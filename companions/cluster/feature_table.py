"""The features of every picture under every method: SQLite table `feature_cache`, one row per hash, method
and version."""
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

from cache.refusal import Refused
from cache.stores.sqlite_table import Table

ASKED_AT_ONCE = 500  # hashes; SQLite takes 999 values in a statement that is older than 2020
KEY = "hash_id = ? AND method = ? AND version = ?"


class Row(NamedTuple):
    hash_id: str
    features: bytes
    sharpness: float


class FeatureTable(Table):
    """Told by the hash, like a vector: it stays when the file has gone."""

    name = "feature_cache"
    page_size = 16384  # keypoints of a picture take 16 kB
    schema = (
        "CREATE TABLE feature_cache(hash_id TEXT NOT NULL, method TEXT NOT NULL, version INTEGER NOT NULL, "
        "features BLOB NOT NULL, sharpness REAL NOT NULL, checksum INTEGER NOT NULL, "
        "UNIQUE(hash_id, method, version))",
    )

    def add(self, method: str, version: int, rows: Iterable[Row]) -> None:
        """In one transaction."""
        values = ((row.hash_id, method, version, row.features, row.sharpness, _checksum(method, version, row))
                  for row in rows)
        with self.connection as connection:
            connection.executemany("INSERT OR IGNORE INTO feature_cache VALUES (?, ?, ?, ?, ?, ?)", values)

    def has(self, hash_id: str, method: str, version: int) -> bool:
        query = f"SELECT 1 FROM feature_cache WHERE {KEY}"
        return self.connection.execute(query, (hash_id, method, version)).fetchone() is not None

    def versions(self, hash_id: str, method: str) -> list[int]:
        """Of which there are features of this picture."""
        query = "SELECT version FROM feature_cache WHERE hash_id = ? AND method = ? ORDER BY version"
        return [version for version, in self.connection.execute(query, (hash_id, method))]

    def rows(self, hash_ids: Sequence[str], method: str, version: int) -> Iterator[Row]:
        """In the order of the hashes, each of which is there once. Raises Refused for one that is not there,
        or was damaged on the disk: it goes, to be made anew."""
        for start in range(0, len(hash_ids), ASKED_AT_ONCE):
            some = hash_ids[start:start + ASKED_AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT * FROM feature_cache WHERE hash_id IN ({marks}) AND method = ? AND version = ?"
            row_of = {row["hash_id"]: row for row in self.connection.execute(query, (*some, method, version))}
            yield from (self._checked(row_of.get(hash_id), hash_id, method, version) for hash_id in some)

    def _checked(self, row: sqlite3.Row | None, hash_id: str, method: str, version: int) -> Row:
        """The file may come from anybody."""
        if row is not None and _is_whole(row):
            return Row(hash_id, row["features"], row["sharpness"])
        if row is not None and self.may_be_written:
            with self.connection as connection:
                connection.execute(f"DELETE FROM feature_cache WHERE {KEY}", (hash_id, method, version))
        why = "are not there" if row is None else "were damaged on the disk"
        raise Refused(f"{self.path}: the features of {hash_id[:16]} {why}; the same command makes them anew")


def _is_whole(row: sqlite3.Row) -> bool:
    typed = isinstance(row["features"], bytes) and isinstance(row["sharpness"], float)
    if not typed or not isinstance(row["hash_id"], str):
        return False
    there = Row(row["hash_id"], row["features"], row["sharpness"])
    return _checksum(row["method"], row["version"], there) == row["checksum"]


def _checksum(method: str, version: int, row: Row) -> int:
    name = f"{row.hash_id}\0{method}\0{version}".encode(errors="surrogatepass")
    return crc32(row.features, crc32(struct.pack("<d", row.sharpness), crc32(name)))
