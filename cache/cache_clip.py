"""ClipCache: the vector of every picture under every model. SQLite table `clip_cache`, one row per hash and model.

    from cache import ClipCache
    clips = ClipCache(clip_model="EfficientNet-Lite0-MS", pretrained="imagenet")
    clips.add_folder_to_clip_cache("photos")
    clips.get_random_clip("./output/clip_cache.sqlite")["clip_vector"].shape      # (1, 1824)
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

import heapq
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice

import numpy as np

from cache.batches import Batch, Counts, Embedding, Store, observers, record
from cache.cache_file import FileTable, files_beside
from cache.clip_encoder import ClipEncoder
from cache.image_source import anywhere, images
from cache.refusal import Refused
from cache.source_file import Picture, Skipped, SourceFile
from cache.sqlite_table import Table, cleared, created, database_path

NEIGHBOURS_AT_ONCE = 4096  # vectors in memory while looking for similar images


class ClipTable(Table):
    """Vectors are blobs of little-endian float32. The key is (hash_id, model); the precision they were computed in is noted only."""

    name = "clip_cache"
    page_size = 16384  # 2 kB blobs: 3 times the insert rate of 4096, 57 % of its size
    schema = (
        """CREATE TABLE clip_cache(hash_id TEXT NOT NULL, model TEXT NOT NULL, precision TEXT NOT NULL, clip_vector BLOB NOT NULL,
            UNIQUE(hash_id, model))""",
    )

    def add(self, batch: Batch, model: str, precision: str) -> None:
        rows = ((hash_id, model, precision, vector.astype("<f4").tobytes()) for hash_id, vector in batch.vectors.items())
        with self.connection:
            self.connection.executemany("INSERT OR IGNORE INTO clip_cache VALUES (?, ?, ?, ?)", rows)
            self.forget_skips(item.file.file_path for item in batch.of(Picture))
            self.record_skips(batch.of(Skipped))

    def has(self, hash_id: str, model: str) -> bool:
        return self.connection.execute("SELECT 1 FROM clip_cache WHERE hash_id = ? AND model = ?", (hash_id, model)).fetchone() is not None

    def vector(self, hash_id: str, model: str) -> np.ndarray | None:
        """float32 (d,)."""
        row = self._one("hash_id = ? AND model = ?", hash_id, model)
        return row and self._as_vector(row)

    def any_model(self, hash_id: str, preferred: str) -> dict | None:
        """The vector of the preferred model if it has one, else that of another."""
        row = self._one("hash_id = ? ORDER BY model <> ?", hash_id, preferred)
        return row and self._as_dict(row)

    def random_clip(self) -> dict | None:
        row = self.random_row()
        return row and self._as_dict(row)

    def models(self) -> list[str]:
        models = [row["model"] for row in self.connection.execute("SELECT DISTINCT model FROM clip_cache ORDER BY model")]
        if not all(isinstance(model, str) for model in models):
            raise Refused(f"{self.path} holds bytes where the name of a model belongs; delete it, it is made anew")
        return models

    def vectors(self, model: str) -> Iterator[tuple[str, np.ndarray]]:
        rows = self.connection.execute("SELECT hash_id, clip_vector FROM clip_cache WHERE model = ? ORDER BY rowid", (model,))
        return ((row["hash_id"], self._as_vector(row)) for row in rows)

    def size(self, model: str) -> tuple[int, int]:
        """Number of vectors and their width."""
        query = "SELECT count(*), max(length(clip_vector)) FROM clip_cache WHERE model = ?"
        count, blob = self.connection.execute(query, (model,)).fetchone()
        return count, (blob or 0) // 4

    def neighbours(self, hash_id: str, model: str, count: int = 12) -> list[dict]:
        """The most similar other images by cosine: [{hash_id, cosine}], best first. Reads every vector of the model, in parts."""
        query = self.vector(hash_id, model)
        if query is None:
            return []
        best: list[tuple[float, str]] = []
        for part in _parts(self.vectors(model), NEIGHBOURS_AT_ONCE):
            part = [(name, vector) for name, vector in part if vector.shape == query.shape]
            if not part:
                continue
            matrix = np.stack([vector for _, vector in part])
            cosines = matrix @ query / np.maximum(np.linalg.norm(matrix, axis=1) * np.linalg.norm(query), 1e-12)
            scored = zip(cosines.tolist(), (name for name, _ in part), strict=True)
            best = heapq.nlargest(count, [*best, *(pair for pair in scored if pair[1] != hash_id)])
        return [{"hash_id": name, "cosine": cosine} for cosine, name in best]

    def _as_dict(self, row: sqlite3.Row) -> dict:
        return {"hash_id": row["hash_id"], "clip_vector": self._as_vector(row).reshape(1, -1), "model": row["model"]}

    def _as_vector(self, row: sqlite3.Row) -> np.ndarray:
        """The file may come from anybody."""
        blob = row["clip_vector"]
        vector = np.frombuffer(blob, "<f4") if isinstance(blob, bytes) and blob and len(blob) % 4 == 0 else None
        if vector is None or not np.isfinite(vector).all():
            raise Refused(f"{self.path} holds no vector for {str(row['hash_id'])[:16]}, but something else; delete it, it is made anew")
        return vector


def _parts(items: Iterator, size: int) -> Iterator[list]:
    while part := list(islice(items, size)):
        yield part


class ClipStore:
    """A clip table and the encoder whose vectors go into it: a store of batches.record(). `files` spares the decoding of what it knows."""

    def __init__(self, table: ClipTable, encoder: ClipEncoder, files: FileTable | None = None):
        self.table, self.encoder, self.files = table, encoder, files

    def add(self, batch: Batch) -> None:
        self.table.add(batch, self.encoder.key, self.encoder.precision if batch.vectors else "")

    def has(self, hash_id: str, old_hash_id: str | None = None) -> bool:
        """Under its own hash: stage 1 writes the metadata by it, so that a vector under the old one is made anew."""
        return self.table.has(hash_id, self.encoder.key)

    def vector(self, hash_id: str) -> np.ndarray | None:
        return self.table.vector(hash_id, self.encoder.key)

    def known(self, file: SourceFile) -> Picture | None:
        """The picture at this path, if the file cache has it unchanged and its vector is there."""
        picture = self.files and self.files.known(file)
        return picture if picture and self.has(picture.hash_id) else None


class ClipCache:
    """Vectors of one encoder. Weights are loaded when the first picture needs them; look-ups need none."""

    def __init__(self, clip_model: str = "ViT-B-32", pretrained: str = "openai", device: str | None = None):
        self.encoder = ClipEncoder(clip_model, pretrained, device)

    def create_clip_cache(self, out_dir: str = "./output", db_name: str = "clip_cache.sqlite") -> dict:
        return created(ClipTable, database_path(out_dir, db_name))

    def add_folder_to_clip_cache(
        self, data_dir: str, out_dir: str = "./output", db_name: str = "clip_cache.sqlite", *, observer: Store | None = None,
        allowed: Callable[[str], bool] = anywhere,
    ) -> dict:
        """Embed a folder, a picture or a ZIP; pictures whose vector is there are not embedded again."""
        path = database_path(out_dir, db_name)
        with ClipTable(path, create=True) as table, files_beside(path) or nullcontext() as files:
            store, counts = ClipStore(table, self.encoder, files), Counts()
            embedding = Embedding(self.encoder, store.has)
            stream = images(data_dir, known=store.known, crop_for=embedding.crop_for, allowed=allowed)
            record(stream, [store, counts, *observers(observer)], embedding)
        return {"db_path": path, **counts.as_dict()}

    def get_random_hash(self, db_path: str) -> dict | None:
        clip = self.get_random_clip(db_path)
        return clip and {"hash_id": clip["hash_id"]}

    def get_clip_by_hash(self, db_path: str, hash_id: str) -> dict | None:
        """hash_id, clip_vector (float32, shape (1, d), not normalised) and model, this instance's where the hash has several."""
        with ClipTable(db_path) as table:
            return table.any_model(hash_id, self.encoder.key)

    def get_random_clip(self, db_path: str) -> dict | None:
        with ClipTable(db_path) as table:
            return table.random_clip()

    def clear_cache(self, db_path: str, delete_cache: bool = False) -> dict:
        return cleared(ClipTable, db_path, delete_cache)
