"""TagCache: the tags of every picture, learnt from the folders that hold it. SQLite table `tag_cache`, one row per file.

    from cache import TagCache
    TagCache.add_folder_to_tag_cache("photos")
    TagCache.get_random_tag("./output/tag_cache.sqlite")        # {"hash_id": ..., "tag": "cats", "tags": ["cats", "pets"]}
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

from collections.abc import Callable
from contextlib import nullcontext

from cache.batches import Batch, Counts, Store, observers, record
from cache.cache_file import files_beside
from cache.image_source import anywhere, images
from cache.source_file import Picture, Skipped
from cache.sqlite_table import Table, cleared, created, database_path

ADD = """
INSERT INTO tag_cache(hash_id, tag, path, absolute_path) VALUES (?, ?, ?, ?)
ON CONFLICT(absolute_path) DO UPDATE SET hash_id = excluded.hash_id, tag = excluded.tag, path = excluded.path
"""


class TagTable(Table):
    name = "tag_cache"
    schema = (
        "CREATE TABLE tag_cache(hash_id TEXT NOT NULL, tag TEXT NOT NULL, path TEXT NOT NULL, absolute_path TEXT NOT NULL UNIQUE)",
        "CREATE INDEX tag_cache_hash_id ON tag_cache(hash_id, tag)",
        "CREATE INDEX tag_cache_tag ON tag_cache(tag)",
    )

    def add(self, batch: Batch) -> None:
        tagged = [item for item in batch.of(Picture) if item.file.folder is not None]
        rows = ((item.hash_id, item.file.folder, item.file.file_path, item.file.absolute_path) for item in tagged)
        with self.connection:
            self.connection.executemany(ADD, rows)
            self.forget_skips(item.file.file_path for item in tagged)
            self.record_skips(batch.of(Skipped))

    def tags(self, hash_id: str) -> dict | None:
        """hash_id, tag (the first by name), tags (all)."""
        rows = self.connection.execute("SELECT DISTINCT tag FROM tag_cache WHERE hash_id = ? ORDER BY tag", (hash_id,))
        tags = [row["tag"] for row in rows]
        return {"hash_id": hash_id, "tag": tags[0], "tags": tags} if tags else None

    def counts(self) -> dict[str, int]:
        """Number of different images of every tag, by name."""
        rows = self.connection.execute("SELECT tag, count(DISTINCT hash_id) AS images FROM tag_cache GROUP BY tag ORDER BY tag")
        return {row["tag"]: row["images"] for row in rows}

    def page(self, tag: str, after: int = 0, count: int = 100) -> list[dict]:
        """Files under a tag in the order they came in, `position` above `after`."""
        query = "SELECT rowid AS position, hash_id, path FROM tag_cache WHERE tag = ? AND rowid > ? ORDER BY rowid LIMIT ?"
        return [dict(row) for row in self.connection.execute(query, (tag, after, count))]


class TagCache:
    """Every method takes paths; a missing or foreign database raises Refused, a hash that is not there gives None."""

    @staticmethod
    def create_tag_cache(out_dir: str = "./output", db_name: str = "tag_cache.sqlite") -> dict:
        return created(TagTable, database_path(out_dir, db_name))

    @staticmethod
    def add_folder_to_tag_cache(
        data_dir: str, out_dir: str = "./output", db_name: str = "tag_cache.sqlite", *, observer: Store | None = None,
        allowed: Callable[[str], bool] = anywhere,
    ) -> dict:
        """Read a folder of tag folders, or a ZIP of one; an image seen under two tags has both."""
        path = database_path(out_dir, db_name)
        with TagTable(path, create=True) as table, files_beside(path) or nullcontext() as files:
            counts = Counts()
            known = {"known": files.known} if files else {}
            record(images(data_dir, tagged=True, **known, allowed=allowed), [table, counts, *observers(observer)])
        return {"db_path": path, **counts.as_dict()}

    @staticmethod
    def get_random_hash(db_path: str) -> dict | None:
        tag = TagCache.get_random_tag(db_path)
        return tag and {"hash_id": tag["hash_id"]}

    @staticmethod
    def get_tag_by_hash(db_path: str, hash_id: str) -> dict | None:
        with TagTable(db_path) as table:
            return table.tags(hash_id)

    @staticmethod
    def get_random_tag(db_path: str) -> dict | None:
        with TagTable(db_path) as table:
            row = table.random_row()
            return row and table.tags(row["hash_id"])

    @staticmethod
    def clear_cache(db_path: str, delete_cache: bool = False) -> dict:
        return cleared(TagTable, db_path, delete_cache)
