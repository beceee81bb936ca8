"""TagCache: the tags of every picture, learnt from the folders that hold it. SQLite table `tag_cache`, one row per file.

    from cache import TagCache
    TagCache.add_folder_to_tag_cache("photos")
    TagCache.get_random_tag("./output/tag_cache.sqlite")        # {"hash_id": ..., "tag": "cats", "tags": ["cats", "pets"]}
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms


from collections.abc import Callable
from contextlib import nullcontext

from cache.reader.batches import Counts, Store, observers, record
from cache.reader.disk_files import anywhere
from cache.reader.image_source import images
from cache.stores.cache_answers import cleared, created, database_path
from cache.stores.file_table import files_beside
from cache.stores.tag_table import TagTable


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
