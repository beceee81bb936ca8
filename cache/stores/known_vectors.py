"""Where stages 3 and 4 find the vector of a picture: in the metadata of stage 1, then in the clip caches.

New ones go to the last of these.
"""
import os
from contextlib import ExitStack
from typing import TypeVar

import numpy as np

from cache.encoders.clip_encoder import ClipEncoder
from cache.encoders.loading import named_by
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile
from cache.refusal import Refused
from cache.stores.clip_table import ClipStore, ClipTable
from cache.stores.file_table import FileTable
from cache.stores.metadata import Metadata, is_database, read_metadata
from cache.stores.sqlite_table import Table
from cache.stores.table_of_files import Listing

AnyTable = TypeVar("AnyTable", bound=Table)


class KnownVectors:
    """Vectors of the encoder that made the metadata; also a store of batches.record(), for new ones."""

    def __init__(
        self,
        metadata_path: str,
        cache_folder: str,
        device: str | None,
        precision: str | None,
        checkpoint: str | None,
    ):
        beside = os.path.dirname(metadata_path)
        with ExitStack() as stack:
            self._metadata, self.key, self.width = _read(metadata_path, stack)
            self.encoder = ClipEncoder(*named_by(self.key, checkpoint), device, precision)
            self._files = _tables(stack, FileTable, "file_cache.sqlite", beside, cache_folder)
            clips = _tables(stack, ClipTable, "clip_cache.sqlite", beside, cache_folder)
            self._sources: list[Metadata | ClipTable] = [self._metadata, *clips]
            self._store = ClipStore(clips[-1], self.encoder)
            self._stack = stack.pop_all()

    def __enter__(self) -> "KnownVectors":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def vector(self, picture: Picture) -> np.ndarray | None:
        """float32 (d,), under the picture's hash, or as an older tool has recorded its very file. Raises
        Refused for one of another width."""
        vector = self.of_hash(picture.hash_id)
        if vector is None and isinstance(self._metadata, Metadata):
            return self._metadata.recorded_by_older_tool(picture)
        return vector

    def of_hash(self, hash_id: str) -> np.ndarray | None:
        """float32 (d,). Raises Refused for one of another width."""
        vectors = (source.vector(hash_id, self.key) for source in self._sources)
        vector = next((vector for vector in vectors if vector is not None), None)
        if vector is not None and len(vector) != self.width:
            features = f"{len(vector)} features, not {self.width}, for {hash_id[:16]}"
            raise Refused(
                f"a clip cache holds a vector of {features}; delete the clip_cache.sqlite beside the "
                "metadata or in the cache folder, it is made anew")
        return vector

    def has(self, picture: Picture) -> bool:
        return self.vector(picture) is not None

    def known(self, file: SourceFile) -> Picture | None:
        """The picture at this path, if a file cache has it unchanged and its vector is there."""
        for table in self._files:
            picture = table.known(file)
            if picture and self.has(picture):
                return picture
        return None

    def add(self, batch: Batch) -> None:
        self._store.add(batch)
        self._files[-1].add(batch)

    def keep_only(self, source: str | os.PathLike, listing: Listing) -> None:
        """After a whole run over `source`: in the caches of the cache folder, what they say of it is what it
        holds."""
        self._files[-1].keep_only(source, listing)
        self._store.keep_only_skips(source, listing.skips())


def _read(path: str, stack: ExitStack) -> tuple[Metadata | ClipTable, str, int]:
    """The vectors, in memory from a JSON or looked up one by one in a clip cache; their encoder and width."""
    if is_database(path):
        table = stack.enter_context(ClipTable(path))
        key = table.only_model()
        return table, key, table.size(key)[1]
    metadata = read_metadata(path)
    return metadata, metadata.key, metadata.width


def _tables(
    stack: ExitStack, kind: type[AnyTable], name: str, beside: str, cache_folder: str,
) -> list[AnyTable]:
    """The cache beside the metadata, if there is one, and that in the cache folder, made if need be."""
    own, other = os.path.join(cache_folder, name), os.path.join(beside, name)
    tables = [kind(own, create=True)]
    stack.enter_context(tables[0])
    if os.path.isfile(other) and not os.path.samefile(own, other):
        tables.insert(0, kind(other))
        stack.enter_context(tables[0])
    return tables
