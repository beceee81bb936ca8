"""The vector of every picture under every model: SQLite table `clip_cache`, one row per hash and model."""
import heapq
import sqlite3
from collections.abc import Iterator
from itertools import islice

import numpy as np

from cache.encoders.clip_encoder import ClipEncoder
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, Skipped, SourceFile
from cache.refusal import Refused
from cache.stores.file_table import FileTable
from cache.stores.sqlite_table import Table

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
