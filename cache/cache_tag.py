"""TagCache: the tags of every picture, learnt from the folders that hold it.

    from cache import TagCache
    TagCache.add_folder_to_tag_cache("photos")
    TagCache.get_random_tag("./output/tag_cache.sqlite")    # {"hash_id": ..., "tag": "a", "tags": ["a", "b"]}

SQLite table `tag_cache`, one row per file.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms


from collections.abc import Callable
from contextlib import ExitStack, nullcontext

from cache.limits import Limits
from cache.reader.batches import Counts, Store, observers, record
from cache.reader.disk_files import anywhere
from cache.reader.image_source import images
from cache.stores.cache_answers import created, database_path
from cache.stores.file_table import files_beside
from cache.stores.kept_thumbnails import cleared_with_thumbnails, thumbnails_of_run
from cache.stores.source_listing import SourceListing
from cache.stores.tag_table import TagTable


class TagCache:
    """A missing or foreign database raises Refused; a hash that is not there gives None."""

    @staticmethod
    def create_tag_cache(out_dir: str = "./output", db_name: str = "tag_cache.sqlite") -> dict:
        """Make an empty one: {db_path, created, message}. One that is there already is left as it is."""
        return created(TagTable, database_path(out_dir, db_name))

    @staticmethod
    def add_folder_to_tag_cache(
        data_dir: str,
        out_dir: str = "./output",
        db_name: str = "tag_cache.sqlite",
        include_hidden: bool = False,
        *,
        thumbnails: bool = True,
        observer: Store | None = None,
        allowed: Callable[[str], bool] = anywhere,
    ) -> dict:
        """Read a folder of tag folders, or a ZIP of one: {db_path, processed, unchanged, skipped}, in files.

        An image seen under two tags has both, one that was moved from tag to tag the new one only;
        `include_hidden`, `thumbnails`, `observer` and `allowed` as for FileCache.
        """
        path = database_path(out_dir, db_name)
        counts = Counts()
        with ExitStack() as stack:
            table = stack.enter_context(TagTable(path, create=True))
            listing = stack.enter_context(SourceListing())
            files = stack.enter_context(files_beside(path) or nullcontext())
            kept = stack.enter_context(thumbnails_of_run(out_dir, thumbnails))
            known = files.known if files else lambda file: None
            stream = images(
                data_dir,
                tagged=True,
                limits=Limits(include_hidden=include_hidden),
                thumbnail_for=kept.are_wanted_of,
                known=known,
                allowed=allowed,
            )
            record(stream, [kept, table, listing, counts, *observers(observer)])
            table.keep_only(data_dir, listing)
        return {"db_path": path, **counts.as_dict()}

    @staticmethod
    def get_random_hash(db_path: str) -> dict | None:
        """{hash_id} of a random picture with tags; None if there is none."""
        tag = TagCache.get_random_tag(db_path)
        return {"hash_id": tag["hash_id"]} if tag else None

    @staticmethod
    def get_tag_by_hash(db_path: str, hash_id: str) -> dict | None:
        """hash_id, tag (the first by name), tags (all, by name)."""
        with TagTable(db_path) as table:
            return table.tags(hash_id)

    @staticmethod
    def get_random_tag(db_path: str) -> dict | None:
        """The tags of a random picture, as get_tag_by_hash() gives them; None if there is none."""
        with TagTable(db_path) as table:
            row = table.random_row()
            return table.tags(row["hash_id"]) if row else None

    @staticmethod
    def clear_cache(db_path: str, delete_cache: bool = False) -> dict:
        """Delete all rows, or the database itself: {db_path, cleared (number of rows), deleted}. Thumbnails
        go with a file cache, and with this one where there is none."""
        return cleared_with_thumbnails(TagTable, db_path, delete_cache)
