"""FileCache: which files there are, where they lie, and the hash of their pixels.

    from cache import FileCache
    FileCache.add_folder_to_file_cache("photos")
    FileCache.get_random_image("./output/file_cache.sqlite")

SQLite table `file_cache`, one row per file: pictures on disk and in ZIPs, and the ZIPs themselves.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms


from collections.abc import Callable
from contextlib import ExitStack

from cache.limits import Limits
from cache.reader.batches import Counts, Store, observers, record
from cache.reader.disk_files import anywhere
from cache.reader.image_source import images
from cache.stores.cache_answers import created, database_path
from cache.stores.file_table import FileTable
from cache.stores.kept_thumbnails import cleared_with_thumbnails, thumbnails_of_run
from cache.stores.source_listing import SourceListing


class FileCache:
    """A missing or foreign database raises Refused; a hash that is not there gives None."""

    @staticmethod
    def create_file_cache(out_dir: str = "./output", db_name: str = "file_cache.sqlite") -> dict:
        """Make an empty one: {db_path, created, message}. One that is there already is left as it is."""
        return created(FileTable, database_path(out_dir, db_name))

    @staticmethod
    def add_folder_to_file_cache(
        data_dir: str,
        out_dir: str = "./output",
        db_name: str = "file_cache.sqlite",
        include_hidden: bool = False,
        *,
        thumbnails: bool = True,
        observer: Store | None = None,
        allowed: Callable[[str], bool] = anywhere,
    ) -> dict:
        """Read a folder, a picture or a ZIP: {db_path, processed, unchanged, skipped}, counting files.

        Files that are known and unchanged are not decoded again; rows of files that are gone from there go.
        The observer is given every batch after it was stored; what it raises ends the reading. Links to what
        is not allowed(path) are skipped.
        include_hidden: read hidden files and what programs keep among pictures (@eaDir, __MACOSX), too.
        thumbnails: keep small ones of what is decoded in thumbnail_cache.sqlite beside it, for pages.
        """
        path = database_path(out_dir, db_name)
        counts = Counts()
        with ExitStack() as stack:
            table = stack.enter_context(FileTable(path, create=True))
            listing = stack.enter_context(SourceListing())
            kept = stack.enter_context(thumbnails_of_run(out_dir, thumbnails))
            stream = images(
                data_dir,
                limits=Limits(include_hidden=include_hidden),
                thumbnail_for=kept.are_wanted_of,
                known=table.known,
                allowed=allowed,
            )
            record(stream, [kept, table, listing, counts, *observers(observer)])
            table.keep_only(data_dir, listing)
        return {"db_path": path, **counts.as_dict()}

    @staticmethod
    def get_random_hash(db_path: str) -> dict | None:
        """{hash_id} of a random picture; None if there is none."""
        image = FileCache.get_random_image(db_path)
        return {"hash_id": image["hash_id"]} if image else None

    @staticmethod
    def get_img_by_hash(db_path: str, hash_id: str) -> dict | None:
        """One file with these pixels: hash_id, file_name, path = file_path, type = file_type, is_archive,
        n_content, container_archive; also absolute_path, size_bytes, mtime_ns, width, height, old_hash_id."""
        with FileTable(db_path) as table:
            return table.image(hash_id)

    @staticmethod
    def get_random_image(db_path: str) -> dict | None:
        """A random picture, as get_img_by_hash() gives it; None if there is none."""
        with FileTable(db_path) as table:
            return table.random_image()

    @staticmethod
    def clear_cache(db_path: str, delete_cache: bool = False) -> dict:
        """Delete all rows, or the database itself: {db_path, cleared (number of rows), deleted}. The
        thumbnails beside it go, too."""
        return cleared_with_thumbnails(FileTable, db_path, delete_cache)
