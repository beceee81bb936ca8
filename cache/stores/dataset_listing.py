"""The files of one run of stage 1 in listing order, from which stage1.db and the JSON files are written."""
import os
from collections.abc import Iterator

from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped
from cache.stores.private_database import PrivateDatabase
from cache.text import tag_name

SCHEMA = """
CREATE TABLE picture(position INTEGER PRIMARY KEY, file_name TEXT, file_path TEXT, type TEXT, hash_id TEXT,
                     absolute_path TEXT, tag TEXT, size_bytes INTEGER, width INTEGER, height INTEGER);
CREATE INDEX picture_hash_id ON picture(hash_id, tag);
CREATE TABLE tag_folder(position INTEGER PRIMARY KEY, container TEXT, depth INTEGER, around TEXT, tag TEXT,
                        UNIQUE (container, depth, around, tag));
CREATE TABLE archive(absolute_path TEXT);
CREATE TABLE skipped(file_path TEXT, reason TEXT, detail TEXT);
"""
# What lies directly in the input is a tag folder. In a ZIP it may be one folder around all of them: there the
# tag folders are those that lie nearest to the top.
NESTED = """
SELECT around, tag FROM tag_folder AS nested
WHERE depth > CASE container WHEN '' THEN ?
                   ELSE (SELECT min(depth) FROM tag_folder WHERE container = nested.container) END
ORDER BY position LIMIT 1
"""


class DatasetListing(PrivateDatabase):
    """A store of batches.record(), and what there is to say of the dataset as it is now."""

    def __init__(self) -> None:
        super().__init__(SCHEMA)

    def add(self, batch: Batch) -> None:
        archives = ((archive.file.absolute_path,) for archive in batch.of(Archive))
        skips = ((skip.file_path, skip.reason, skip.detail) for skip in batch.of(Skipped))
        with self.connection as connection:
            connection.executemany(
                "INSERT INTO picture VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, batch.of(Picture)))
            connection.executemany(
                "INSERT OR IGNORE INTO tag_folder VALUES (NULL, ?, ?, ?, ?)", _tag_folders(batch))
            connection.executemany("INSERT INTO archive VALUES (?)", archives)
            connection.executemany("INSERT INTO skipped VALUES (?, ?, ?)", skips)

    def images(self) -> Iterator[dict]:
        """One dict per hash: the facts of its first file, and its tags by name."""
        query = "SELECT min(position), * FROM picture GROUP BY hash_id ORDER BY min(position)"
        tags = "SELECT DISTINCT tag FROM picture WHERE hash_id = ? AND tag IS NOT NULL ORDER BY tag"
        for picture in self.connection.execute(query):
            of_picture = self.connection.execute(tags, (picture["hash_id"],))
            yield {**picture, "tags": [row["tag"] for row in of_picture]}

    def hashes_by_tag(self) -> Iterator[tuple[str, list[str]]]:
        """(tag, hash_ids) by tag, the pictures of each in listing order."""
        tags = "SELECT DISTINCT tag FROM picture WHERE tag IS NOT NULL ORDER BY tag"
        hashes = "SELECT hash_id FROM picture WHERE tag = ? GROUP BY hash_id ORDER BY min(position)"
        for (tag,) in self.connection.execute(tags):
            yield tag, [row["hash_id"] for row in self.connection.execute(hashes, (tag,))]

    def files_by_tag(self) -> dict[str, int]:
        query = "SELECT tag, count(*) FROM picture WHERE tag IS NOT NULL GROUP BY tag"
        return dict(map(tuple, self.connection.execute(query)))

    def nested_tag_folder(self, source: str | os.PathLike[str]) -> tuple[str, str] | None:
        """The first folder in a tag folder of `source` that names a tag of its own: the folder around it,
        written with "/" on every system, and the tag."""
        depth = os.fspath(source).replace(os.sep, "/").rstrip("/").count("/")
        row = self.connection.execute(NESTED, (depth,)).fetchone()
        return row and (row["around"], row["tag"])

    def places(self) -> Iterator[tuple[str, str | None]]:
        """(absolute path, hash_id) of every picture and every ZIP."""
        query = "SELECT absolute_path, hash_id FROM picture UNION ALL SELECT absolute_path, NULL FROM archive"
        return map(tuple, self.connection.execute(query))

    def rows(self) -> Iterator[tuple]:
        """One per picture file: file_name, file_path, type, hash_id, absolute_path."""
        query = "SELECT file_name, file_path, type, hash_id, absolute_path FROM picture ORDER BY position"
        return map(tuple, self.connection.execute(query))

    def skips(self) -> Iterator[Skipped]:
        return (Skipped(*row) for row in self.connection.execute("SELECT * FROM skipped"))


def _row(picture: Picture) -> tuple:
    file = picture.file
    names = (file.file_name, file.file_path)
    place = (file.absolute_path, file.folder, file.size)
    return (*names, picture.type, picture.hash_id, *place, picture.width, picture.height)


def _tag_folders(batch: Batch) -> Iterator[tuple[str, int, str, str]]:
    """(container, depth, around, tag) of each picture: the ZIP that its tag's folder lies in, or "" outside
    of ZIPs; how deep the folder around that folder lies; this folder; and the tag."""
    for picture in batch.of(Picture):
        file = picture.file
        tag, container = file.folder, file.archive_path or ""
        path = file.file_path.replace(os.sep, "/")
        around, _, folder = path.removesuffix(f"/{file.file_name}").rpartition("/")
        # A ZIP is no folder: pictures directly in it have the tag of a folder around the ZIP, or none.
        if tag and tag_name(folder) == tag and len(around) >= len(container):
            yield container, around.count("/"), around, tag
