"""What a run has read under its source, where nothing else of it is to be remembered."""
from collections.abc import Iterator

from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped
from cache.stores.private_database import PrivateDatabase

SCHEMA = """
CREATE TABLE place(absolute_path TEXT, hash_id TEXT);
CREATE TABLE skipped(file_path TEXT, reason TEXT, detail TEXT);
"""


class SourceListing(PrivateDatabase):
    """A store of batches.record()."""

    def __init__(self) -> None:
        super().__init__(SCHEMA)

    def add(self, batch: Batch) -> None:
        pictures = ((picture.file.absolute_path, picture.hash_id) for picture in batch.of(Picture))
        archives = ((archive.file.absolute_path, None) for archive in batch.of(Archive))
        skips = ((skip.file_path, skip.reason, skip.detail) for skip in batch.of(Skipped))
        with self.connection as connection:
            connection.executemany("INSERT INTO place VALUES (?, ?)", pictures)
            connection.executemany("INSERT INTO place VALUES (?, ?)", archives)
            connection.executemany("INSERT INTO skipped VALUES (?, ?, ?)", skips)

    def places(self) -> Iterator[tuple[str, str | None]]:
        return map(tuple, self.connection.execute("SELECT * FROM place"))

    def skips(self) -> Iterator[Skipped]:
        return (Skipped(*row) for row in self.connection.execute("SELECT * FROM skipped"))
