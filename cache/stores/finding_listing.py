"""The findings and the pictures of one examination, on disk: memory grows with neither."""
import json
import os
from collections.abc import Iterator

from cache.reader.source_file import Picture
from cache.stores.private_database import PrivateDatabase


class FindingListing(PrivateDatabase):
    """Findings are (kind, path, detail, facts), pictures hash, tag and paths; all in the order they came."""

    def __init__(self) -> None:
        super().__init__(
            """
            CREATE TABLE finding(position INTEGER PRIMARY KEY, kind TEXT, path TEXT, detail TEXT, facts TEXT);
            CREATE INDEX finding_kind ON finding(kind);
            CREATE TABLE picture(
                position INTEGER PRIMARY KEY, hash_id TEXT, tag TEXT, file_path TEXT, absolute_path TEXT);
            CREATE INDEX picture_hash_id ON picture(hash_id);
            """)

    def add_finding(self, kind: str, path: str, detail: str, facts: dict) -> None:
        """facts: anything that JSON can hold."""
        row = (kind, path, detail, json.dumps(facts))
        self.connection.execute("INSERT INTO finding VALUES (NULL, ?, ?, ?, ?)", row)

    def add_picture(self, picture: Picture) -> None:
        file = picture.file
        row = (picture.hash_id, file.folder, file.file_path, file.absolute_path)
        self.connection.execute("INSERT INTO picture VALUES (NULL, ?, ?, ?, ?)", row)

    def findings(self, kind: str, most: int = -1) -> Iterator[tuple[str, str, dict]]:
        """(path, detail, facts) of one kind, all of them or the first so many."""
        rows = self.connection.execute(
            "SELECT path, detail, facts FROM finding WHERE kind = ? ORDER BY position LIMIT ?", (kind, most))
        return ((row["path"], row["detail"], json.loads(row["facts"])) for row in rows)

    def shared_hashes(self) -> Iterator[tuple[str, list[str], int]]:
        """(hash, paths of its files, how many tags they are under) of every hash that several files have."""
        rows = self.connection.execute(
            """SELECT hash_id, count(DISTINCT tag) AS tags FROM picture
               GROUP BY hash_id HAVING count(*) > 1 ORDER BY min(position)""")
        for row in rows:
            paths = self._different_files(row["hash_id"])
            if len(paths) > 1:
                yield row["hash_id"], paths, row["tags"]

    def _different_files(self, hash_id: str) -> list[str]:
        """Links to one file on disk are one file, named by its first path."""
        paths: dict[object, str] = {}
        rows = self.connection.execute(
            "SELECT file_path, absolute_path FROM picture WHERE hash_id = ? ORDER BY position", (hash_id,))
        for row in rows:
            try:
                status = os.stat(row["absolute_path"])
                file: object = (status.st_dev, status.st_ino)
            except OSError:  # inside a ZIP
                file = row["absolute_path"]
            paths.setdefault(file, row["file_path"])
        return list(paths.values())

    def untagged_count(self) -> int:
        """Pictures in no folder below the source."""
        return self.connection.execute("SELECT count(*) FROM picture WHERE tag IS NULL").fetchone()[0]

    def tags_of_one_picture(self) -> Iterator[tuple[str, str]]:
        """(tag, path of its picture), by tag; copies of one picture are one."""
        rows = self.connection.execute(
            """SELECT tag, file_path FROM picture WHERE tag IS NOT NULL
               GROUP BY tag HAVING count(DISTINCT hash_id) = 1 ORDER BY tag""")
        return ((row["tag"], row["file_path"]) for row in rows)
