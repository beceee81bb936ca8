"""Where stages 3 and 4 find the vector of a picture: in the metadata of stage 1, then in the clip caches; new ones go to the last."""
import os
from contextlib import ExitStack

import numpy as np

from cache.encoders.clip_encoder import ClipEncoder
from cache.encoders.loading import named_by
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile
from cache.refusal import Refused
from cache.stores.clip_table import ClipStore, ClipTable
from cache.stores.file_table import FileTable
from cache.stores.metadata import Metadata, is_sqlite, only_model, read_metadata


class KnownVectors:
    """Vectors of the encoder that made `metadata_path`. A store of batches.record(), too: it keeps what was embedded and decoded anew."""

    def __init__(self, metadata_path: str, cache_folder: str, device: str | None, precision: str | None, checkpoint: str | None):
        with ExitStack() as stack:
            self.key, self.width, self._metadata, metadata_table = _read(metadata_path, stack)
            self.encoder = ClipEncoder(*named_by(self.key, checkpoint), device, precision)
            beside = os.path.dirname(metadata_path)
            self._files = [stack.enter_context(table) for table in _tables(FileTable, "file_cache.sqlite", beside, cache_folder)]
            clips = [stack.enter_context(table) for table in _tables(ClipTable, "clip_cache.sqlite", beside, cache_folder)]
            self._clips = [table for table in (metadata_table, *clips) if table]
            self._store = ClipStore(clips[-1], self.encoder)
            self._stack = stack.pop_all()

    def __enter__(self) -> "KnownVectors":
        return self

    def __exit__(self, *error) -> None:
        self._stack.close()

    def vector(self, hash_id: str, old_hash_id: str | None = None) -> np.ndarray | None:
        """float32 (d,), under the hash; for a palette image also under the digest that older tools wrote into their metadata."""
        sources = [self._metadata, *self._clips]
        found = (source.vector(hash_id, self.key) for source in sources if source)
        vector = next((vector for vector in found if vector is not None), None)
        if vector is None and old_hash_id and self._metadata:
            return self._metadata.vector(old_hash_id, self.key)
        if vector is not None and len(vector) != self.width:
            raise Refused(f"a clip cache holds a vector of {len(vector)} features, not {self.width}, for {hash_id[:16]}; delete the "
                          f"clip_cache.sqlite beside the metadata or in the cache folder, it is made anew")
        return vector

    def has(self, hash_id: str, old_hash_id: str | None = None) -> bool:
        return self.vector(hash_id, old_hash_id) is not None

    def known(self, file: SourceFile) -> Picture | None:
        """The picture at this path, if a file cache has it unchanged and its vector is there."""
        for table in self._files:
            picture = table.known(file)
            if picture and self.has(picture.hash_id, picture.old_hash_id):
                return picture
        return None

    def add(self, batch: Batch) -> None:
        self._store.add(batch)
        self._files[-1].add(batch)


def _read(path: str, stack: ExitStack) -> tuple[str, int, Metadata | None, ClipTable | None]:
    """Encoder and width, and the vectors: in memory from a JSON, looked up one by one in a clip cache."""
    if not is_sqlite(path):
        metadata = read_metadata(path)
        return metadata.key, metadata.width, metadata, None
    table = stack.enter_context(ClipTable(path))
    key = only_model(table)
    return key, table.size(key)[1], None, table


def _tables(kind: type, name: str, beside: str, cache_folder: str) -> list:
    """The cache beside the metadata, if there is one, and the one in the cache folder, which is made if need be."""
    own, other = os.path.join(cache_folder, name), os.path.join(beside, name)
    tables = [kind(own, create=True)]
    if os.path.isfile(other) and not os.path.samefile(own, other):
        tables.insert(0, kind(other))
    return tables
