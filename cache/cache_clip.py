"""ClipCache: the vector of every picture under every model.

    from cache import ClipCache
    clips = ClipCache(clip_model="EfficientNet-Lite0-MS", pretrained="imagenet")
    clips.add_folder_to_clip_cache("photos")
    clips.get_random_clip("./output/clip_cache.sqlite")["clip_vector"].shape      # (1, 1824)

SQLite table `clip_cache`, one row per hash and model.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms


from collections.abc import Callable
from contextlib import ExitStack, nullcontext

from cache.encoders.clip_encoder import ClipEncoder
from cache.limits import Limits
from cache.reader.batches import Counts, Embedding, Store, observers, record
from cache.reader.disk_files import anywhere
from cache.reader.image_source import images
from cache.stores.cache_answers import created, database_path
from cache.stores.clip_table import ClipStore, ClipTable
from cache.stores.file_table import files_beside
from cache.stores.kept_thumbnails import cleared_with_thumbnails, thumbnails_of_run
from cache.stores.source_listing import SourceListing


class ClipCache:
    """Vectors of one encoder; its weights are loaded when the first picture needs them, look-ups need none.
    Without `pretrained` they are those that go with the model: openai for ViT-B-32, imagenet for
    EfficientNet-Lite0-MS.

    A missing or foreign database raises Refused; a hash that is not there gives None.
    """

    def __init__(
        self, clip_model: str = "ViT-B-32", pretrained: str | None = None, device: str | None = None,
    ):
        self.encoder = ClipEncoder(clip_model, pretrained, device)

    def create_clip_cache(self, out_dir: str = "./output", db_name: str = "clip_cache.sqlite") -> dict:
        """Make an empty one: {db_path, created, message}. One that is there already is left as it is."""
        return created(ClipTable, database_path(out_dir, db_name))

    def add_folder_to_clip_cache(
        self,
        data_dir: str,
        out_dir: str = "./output",
        db_name: str = "clip_cache.sqlite",
        include_hidden: bool = False,
        *,
        thumbnails: bool = True,
        observer: Store | None = None,
        allowed: Callable[[str], bool] = anywhere,
    ) -> dict:
        """Embed a folder, a picture or a ZIP: {db_path, processed, unchanged, skipped}, counting files.

        Pictures whose vector is there are not embedded again; `include_hidden`, `thumbnails`, `observer` and
        `allowed` as for FileCache.
        """
        path = database_path(out_dir, db_name)
        counts = Counts()
        with ExitStack() as stack:
            table = stack.enter_context(ClipTable(path, create=True))
            listing = stack.enter_context(SourceListing())
            files = stack.enter_context(files_beside(path) or nullcontext())
            kept = stack.enter_context(thumbnails_of_run(out_dir, thumbnails))
            store = ClipStore(table, self.encoder, files)
            embedding = Embedding(self.encoder, store.has)
            stream = images(
                data_dir,
                limits=Limits(include_hidden=include_hidden),
                crop_for=embedding.crop_for,
                thumbnail_for=kept.are_wanted_of,
                known=store.known,
                allowed=allowed,
            )
            record(stream, [kept, store, listing, counts, *observers(observer)], embedding)
            store.keep_only_skips(data_dir, listing.skips())
        return {"db_path": path, **counts.as_dict()}

    def get_random_hash(self, db_path: str) -> dict | None:
        """{hash_id} of a random vector; None if there is none."""
        clip = self.get_random_clip(db_path)
        return {"hash_id": clip["hash_id"]} if clip else None

    def get_clip_by_hash(self, db_path: str, hash_id: str) -> dict | None:
        """hash_id, clip_vector (float32, shape (1, d), not normalised) and model ("ViT-B-32:openai"), that of
        this instance where the hash has vectors of several."""
        with ClipTable(db_path) as table:
            return table.any_model(hash_id, self.encoder.key)

    def get_random_clip(self, db_path: str) -> dict | None:
        """A random vector of any model, as get_clip_by_hash() gives it; None if there is none."""
        with ClipTable(db_path) as table:
            return table.random_clip()

    def clear_cache(self, db_path: str, delete_cache: bool = False) -> dict:
        """Delete all rows, or the database itself: {db_path, cleared (number of rows), deleted}. Thumbnails
        go with a file cache, and with this one where there is none."""
        return cleared_with_thumbnails(ClipTable, db_path, delete_cache)
