"""Hashes of version 1 whose vectors may be those of pictures that look different: table `doubtful` of a file
cache that was brought up to date.

A hash of version 1 was the pixels alone. Where several files had one, or a file has another today, they may
have looked different: turned, with another palette or profile. Which of them a vector was made of is not
known.
"""
import sqlite3
from collections.abc import Iterable

FIRST_DOUBTS = """
CREATE TABLE doubtful AS
SELECT hash_id FROM file_cache WHERE hash_id NOT NULL GROUP BY hash_id HAVING count(*) > 1
"""
DOUBT = """
INSERT INTO doubtful SELECT hash_id FROM file_cache
WHERE absolute_path = ? AND stamp IS NULL AND hash_id NOT NULL
    AND NOT (hash_id IS ? AND size_bytes IS ? AND mtime_ns IS ?)
"""


def was_version_1(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE name = 'doubtful'"
    return connection.execute(query).fetchone() is not None


def doubtful_hashes(connection: sqlite3.Connection) -> list[str]:
    return [hash_id for hash_id, in connection.execute("SELECT DISTINCT hash_id FROM doubtful")]


def doubt(connection: sqlite3.Connection, files: Iterable[tuple]) -> None:
    """Within the caller's transaction, before the rows change: what version 1 knew of these files, if it was
    not just this: (absolute_path, hash_id, size_bytes, mtime_ns), but for the first None of a file that is
    gone."""
    connection.executemany(DOUBT, files)
