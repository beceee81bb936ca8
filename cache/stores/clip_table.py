"""The vector of every picture under every model: SQLite table `clip_cache`, one row per hash and model."""
import os
import sqlite3
from collections.abc import Iterable, Iterator

import numpy as np

from cache.encoders.clip_encoder import ClipEncoder
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, Skipped, SourceFile
from cache.refusal import Refused
from cache.stores.checksums import vector_checksum
from cache.stores.file_table import FileTable, files_beside
from cache.stores.sqlite_table import Table
from cache.vectors.nearest import nearest

REMEDY = "delete it, it is made anew"


def _schema(checksum: str = ", checksum INTEGER") -> tuple[str, ...]:
    return (
        "CREATE TABLE clip_cache(hash_id TEXT NOT NULL, model TEXT NOT NULL, precision TEXT NOT NULL, "
        f"clip_vector BLOB NOT NULL{checksum},\n            UNIQUE(hash_id, model))",
    )


class ClipTable(Table):
    """Vectors are blobs of little-endian float32. The key is (hash_id, model); the precision is but noted."""

    name = "clip_cache"
    page_size = 16384  # 2 kB blobs: 3 times the insert rate of 4096, 57 % of its size
    schema = _schema()
    older_schemas = (_schema(checksum=""),)
    from_version_1 = ("ALTER TABLE clip_cache ADD COLUMN checksum INTEGER",)

    def add(self, batch: Batch, model: str, precision: str) -> None:
        blobs = ((hash_id, vector.astype("<f4").tobytes()) for hash_id, vector in batch.vectors.items())
        rows = (
            (hash_id, model, precision, blob, vector_checksum(hash_id, model, blob))
            for hash_id, blob in blobs)
        with self.connection as connection:
            connection.executemany("INSERT OR IGNORE INTO clip_cache VALUES (?, ?, ?, ?, ?)", rows)
            self.forget_skips(picture.file.file_path for picture in batch.of(Picture))
            self.record_skips(batch.of(Skipped))

    def has(self, hash_id: str, model: str) -> bool:
        query = "SELECT 1 FROM clip_cache WHERE hash_id = ? AND model = ?"
        return self.connection.execute(query, (hash_id, model)).fetchone() is not None

    def vector(self, hash_id: str, model: str) -> np.ndarray | None:
        """float32 (d,). One that was damaged on the disk is as good as none: it goes, to be made anew."""
        row = self._one("hash_id = ? AND model = ?", hash_id, model)
        return self._as_vector(row) if row and self._is_usable(row) else None

    def any_model(self, hash_id: str, preferred: str) -> dict | None:
        """The vector of the preferred model if it has one, else that of another."""
        query = "SELECT * FROM clip_cache WHERE hash_id = ? ORDER BY model <> ?"
        rows = self.connection.execute(query, (hash_id, preferred)).fetchall()
        return next((self._as_dict(row) for row in rows if self._is_usable(row)), None)

    def random_clip(self) -> dict | None:
        row = self.random_row(accepted=is_whole)
        return self._as_dict(row) if row else None

    def _is_usable(self, row: sqlite3.Row) -> bool:
        if is_whole(row):
            return True
        if self.may_be_written:
            with self.connection as connection:
                connection.execute(
                    "DELETE FROM clip_cache WHERE hash_id = ? AND model = ?", (row["hash_id"], row["model"]))
        return False

    def models(self) -> list[str]:
        rows = self.connection.execute("SELECT DISTINCT model FROM clip_cache ORDER BY model")
        models = [row["model"] for row in rows]
        if not all(isinstance(model, str) for model in models):
            raise Refused(f"{self.path} holds bytes where the name of a model belongs; {REMEDY}")
        return models

    @classmethod
    def doubtful(cls, path: str | os.PathLike) -> Iterator[str]:
        files = files_beside(path)
        if files:
            with files:
                yield from files.doubtful_hashes()

    def forget_doubtful(self, hash_ids: Iterable[str]) -> None:
        """Of these hashes the vectors of version 1: they alone have no checksum."""
        rows = ((hash_id,) for hash_id in hash_ids)
        with self.connection as connection:
            connection.executemany("DELETE FROM clip_cache WHERE hash_id = ? AND checksum IS NULL", rows)

    def only_model(self) -> str:
        """The one encoder whose vectors these are. Raises Refused if there is none, or several."""
        models = self.models()
        if len(models) != 1:
            contents = f"vectors of several encoders ({', '.join(models)})" if models else "no vectors"
            raise Refused(f"{self.path} holds {contents}; give the metadata JSON of stage 1 instead")
        return models[0]

    def vectors(self, model: str) -> Iterator[tuple[str, np.ndarray]]:
        """(hash_id, vector) of all, in the order they came in. Raises Refused for a damaged one."""
        for row in self._rows_of(model):
            if not is_whole(row):
                name = row["hash_id"][:16]
                advice = f"run stage 1 again, or {REMEDY}"
                raise Refused(f"{self.path}: the vector of {name} was damaged on the disk; {advice}")
            yield row["hash_id"], self._as_vector(row)

    def _rows_of(self, model: str) -> sqlite3.Cursor:
        return self.connection.execute("SELECT * FROM clip_cache WHERE model = ? ORDER BY rowid", (model,))

    def size(self, model: str) -> tuple[int, int]:
        """Number of vectors and their width."""
        query = "SELECT count(*), max(length(clip_vector)) FROM clip_cache WHERE model = ?"
        count, longest = self.connection.execute(query, (model,)).fetchone()
        return count, (longest or 0) // 4

    def neighbours(self, hash_id: str, model: str, count: int = 12) -> list[dict]:
        """The most similar other images: [{hash_id, cosine}], best first. Reads every vector of the model."""
        query = self.vector(hash_id, model)
        if query is None:
            return []
        others = (
            (row["hash_id"], self._as_vector(row)) for row in self._rows_of(model)
            if row["hash_id"] != hash_id and is_whole(row))
        return [{"hash_id": name, "cosine": cosine} for cosine, name in nearest(query, others, count)]

    def _as_dict(self, row: sqlite3.Row) -> dict:
        """As callers get it; clip_vector is (1, d)."""
        vector = self._as_vector(row).reshape(1, -1)
        return {"hash_id": row["hash_id"], "clip_vector": vector, "model": row["model"]}

    def _as_vector(self, row: sqlite3.Row) -> np.ndarray:
        """The file may come from anybody."""
        blob = row["clip_vector"]
        whole = isinstance(blob, bytes) and blob and len(blob) % 4 == 0
        vector = np.frombuffer(blob, "<f4") if whole else None
        if vector is None or not np.isfinite(vector).all():
            name = str(row["hash_id"])[:16]
            raise Refused(f"{self.path} holds no vector for {name}, but something else; {REMEDY}")
        return vector


def is_whole(row: sqlite3.Row) -> bool:
    """As far as its checksum says, which rows of version 1 lack. What is no vector, or of no hash, has
    messages of its own."""
    hash_id, model, vector, checksum = row["hash_id"], row["model"], row["clip_vector"], row["checksum"]
    is_vector = isinstance(hash_id, str) and isinstance(model, str) and isinstance(vector, bytes)
    if checksum is None or not is_vector:
        return True
    return vector_checksum(hash_id, model, vector) == checksum


class ClipStore:
    """A clip table and the encoder whose vectors go into it: a store of batches.record().

    `files` spares the decoding of what it knows.
    """

    def __init__(self, table: ClipTable, encoder: ClipEncoder, files: FileTable | None = None):
        self.table, self.encoder, self.files = table, encoder, files
        self._forget_doubtful()

    def add(self, batch: Batch) -> None:
        self.table.add(batch, self.encoder.key, self.encoder.precision if batch.vectors else "")

    def keep_only_skips(self, source: str | os.PathLike, skips: Iterable[Skipped]) -> None:
        """After a whole run over `source`: a vector has no place on disk, so it stays. But of files that
        version 1 had seen otherwise it goes."""
        self._forget_doubtful()
        with self.table.connection:
            self.table.forget_other_skips(source, skips)

    def _forget_doubtful(self) -> None:
        doubtful = self.files.doubtful_hashes() if self.files else []
        if doubtful:
            self.table.forget_doubtful(doubtful)

    def has(self, picture: Picture) -> bool:
        """Under its own hash, as stage 1 writes the metadata: a vector under the old one is made anew."""
        return self.table.has(picture.hash_id, self.encoder.key)

    def vector(self, hash_id: str) -> np.ndarray | None:
        return self.table.vector(hash_id, self.encoder.key)

    def known(self, file: SourceFile) -> Picture | None:
        """The picture at this path, if the file cache has it unchanged and its vector is there."""
        picture = self.files.known(file) if self.files else None
        return picture if picture and self.has(picture) else None
