"""The tags of every picture, learnt from the folders that hold it: table `tag_cache`, one row per file."""
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, Skipped
from cache.stores.table_of_files import TableOfFiles
from cache.stores.whereabouts import status_on_disk

ADD = """
INSERT INTO tag_cache(hash_id, tag, path, absolute_path) VALUES (?, ?, ?, ?)
ON CONFLICT(absolute_path) DO UPDATE SET hash_id = excluded.hash_id, tag = excluded.tag, path = excluded.path
"""

# Along the index of hashes, in which copies lie side by side: three times as fast as one tag after the other.
COUNTS = """
SELECT tag, count(*) AS images FROM (SELECT DISTINCT hash_id, tag FROM tag_cache) GROUP BY tag ORDER BY tag
"""

# From one tag to the next along the index: 2 ms for 500 tags of a million rows, DISTINCT reads them all.
TAG_COUNT = """
WITH RECURSIVE known(tag) AS (
    SELECT min(tag) FROM tag_cache
    UNION ALL
    SELECT (SELECT min(tag) FROM tag_cache WHERE tag > known.tag) FROM known WHERE known.tag IS NOT NULL)
SELECT count(tag) FROM known
"""

PAGE = """
SELECT rowid AS position, hash_id, path FROM tag_cache WHERE tag = ? AND rowid > ? ORDER BY rowid LIMIT ?
"""


class TagTable(TableOfFiles):
    name = "tag_cache"
    schema = (
        "CREATE TABLE tag_cache(hash_id TEXT NOT NULL, tag TEXT NOT NULL, path TEXT NOT NULL, "
        "absolute_path TEXT NOT NULL UNIQUE)",
        "CREATE INDEX tag_cache_hash_id ON tag_cache(hash_id, tag)",
        "CREATE INDEX tag_cache_tag ON tag_cache(tag)",
    )

    def add(self, batch: Batch) -> None:
        tagged = [picture for picture in batch.of(Picture) if picture.file.folder is not None]
        with self.connection as connection:
            connection.executemany(ADD, map(_row, tagged))
            self.forget_skips(picture.file.file_path for picture in tagged)
            self.record_skips(batch.of(Skipped))

    def tags(self, hash_id: str) -> dict | None:
        """hash_id, tag (the first by name), tags (all): of the copies that are there, or else of those that
        are gone."""
        query = "SELECT tag, absolute_path FROM tag_cache WHERE hash_id = ? ORDER BY tag"
        rows = self.connection.execute(query, (hash_id,)).fetchall()
        tags = list(dict.fromkeys(tag for tag, _ in rows))
        if len(tags) > 1:
            tags = list(dict.fromkeys(tag for tag, path in rows if self._is_there(path))) or tags
        return {"hash_id": hash_id, "tag": tags[0], "tags": tags} if tags else None

    def _is_there(self, path: object) -> bool:
        """As far as can be told: a name that is no UTF-8 is not to be looked up."""
        if not isinstance(path, str):  # the file may come from anybody
            return False
        return "\\x" in path or any(map(status_on_disk, self.whereabouts.candidates(path)))

    def counts(self) -> dict[str, int]:
        """Number of different images of every tag, by name."""
        rows = self.connection.execute(COUNTS)
        return {row["tag"]: row["images"] for row in rows}

    def largest(self, most: int) -> dict[str, int]:
        """The tags with the most files, and how many these are."""
        query = "SELECT tag, count(*) AS files FROM tag_cache GROUP BY tag ORDER BY files DESC, tag LIMIT ?"
        return {row["tag"]: row["files"] for row in self.connection.execute(query, (most,))}

    def tag_count(self) -> int:
        return self.connection.execute(TAG_COUNT).fetchone()[0]

    def page(self, tag: str, after: int = 0, count: int = 100) -> list[dict]:
        """Files under a tag in the order they came in, `position` above `after`."""
        return [dict(row) for row in self.connection.execute(PAGE, (tag, after, count))]


def _row(picture: Picture) -> tuple:
    file = picture.file
    return picture.hash_id, file.folder, file.file_path, file.absolute_path
