"""The vectors that stage 1 made, read back as one matrix: from its metadata JSON, or from its clip cache."""
import os
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cache.files.json_file import JsonFormat
from cache.reader.source_file import Picture
from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.sqlite_file import SQLITE_MAGIC

METADATA = JsonFormat("a metadata JSON", "stage 1", "{hash_id: record}")
FIRST_VALUES = 512 * 1024  # 2 MiB: room for the first records of a matrix


@dataclass(frozen=True)
class Metadata:
    """Vectors of one encoder: row rows[hash_id] of `matrix`, float32 (n, d)."""

    key: str  # model:weights
    rows: dict[str, int]
    matrix: np.ndarray
    file_marks: array = field(default_factory=lambda: array("q"))  # by row, of a JSON: see _file_mark()

    @property
    def width(self) -> int:
        return self.matrix.shape[1]

    @cached_property
    def hash_ids(self) -> list[str]:
        """By row."""
        names = [""] * len(self.matrix)
        for hash_id, row in self.rows.items():
            names[row] = hash_id
        return names

    def vector(self, hash_id: str, key: str | None = None) -> np.ndarray | None:
        """Of `key`, if one is named: then this is the look-up of a ClipTable."""
        row = self.rows.get(hash_id) if key in (None, self.key) else None
        return None if row is None else self.matrix[row]

    def recorded_by_older_tool(self, picture: Picture) -> np.ndarray | None:
        """Of a palette image, under the digest of its indices alone. Another picture may well have the same,
        a heat map and its grey twin: so name and size of the file must be those of the record, too."""
        row = self.rows.get(picture.old_hash_id or "")
        if row is None or not self.file_marks:
            return None
        is_same_file = self.file_marks[row] == _file_mark(picture.file.file_name, picture.file.size)
        return self.matrix[row] if is_same_file else None


def read_metadata(path: str | os.PathLike, read: Callable[[], object] = lambda: None) -> Metadata:
    """A metadata JSON, or a clip cache with the vectors of one encoder; read() is called after each vector.
    Raises Refused for anything else."""
    return _read_clip_cache(path, read) if is_database(path) else _read_json(path, read)


def is_database(path: str | os.PathLike) -> bool:
    """Whether a clip cache stands in for the metadata JSON. Raises Refused if there is no such file."""
    with METADATA.opened(path) as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


def _read_json(path: str | os.PathLike, read: Callable[[], object]) -> Metadata:
    rows: dict[str, int] = {}
    keys: set[str] = set()
    widths: set[int] = set()
    matrix = _GrowingMatrix()
    file_marks = array("q")
    for hash_id, record in METADATA.members(path):
        facts = record if isinstance(record, dict) else {}
        key, vector = _key_and_vector(path, hash_id, facts)
        keys.add(key)
        widths.add(len(vector))
        if len(keys) > 1 or len(widths) > 1:
            encoders = f"{', '.join(sorted(keys))}; {sorted(widths)} features"
            raise Refused(f"{path} mixes vectors of several encoders ({encoders}); make it anew")
        rows[hash_id] = matrix.append(vector)
        file_marks.append(_file_mark(facts.get("file_name"), facts.get("image_size_bytes")))
        read()
    if not rows:
        raise Refused(f"{path} holds no image")
    return Metadata(keys.pop(), rows, matrix.whole(), file_marks)


def _file_mark(name: object, size: object) -> int:
    """Eight bytes that stand for a file's name and size: a metadata JSON may have a million records."""
    return hash((str(name), str(size)))


def _key_and_vector(path: str | os.PathLike, hash_id: str, facts: dict) -> tuple[str, np.ndarray]:
    values = facts.get("embeddings_vector")
    try:
        with np.errstate(over="ignore"):  # it becomes infinite, and is refused
            vector = np.asarray(values, np.float32).reshape(-1)
    except (TypeError, ValueError):
        vector = np.empty(0, np.float32)
    if values is None or not len(vector) or not np.isfinite(vector).all():
        raise METADATA.refusal(path, f"record {hash_id[:16]} has no embeddings_vector of finite numbers")
    return f"{facts.get('model')}:{facts.get('pretrained')}", vector


def _read_clip_cache(path: str | os.PathLike, read: Callable[[], object]) -> Metadata:
    with ClipTable(path) as table:
        key = table.only_model()
        rows: dict[str, int] = {}
        matrix = _GrowingMatrix()
        for hash_id, vector in table.vectors(key):
            if rows and len(vector) != matrix.width:
                widths = f"{matrix.width} and of {len(vector)} features"
                raise Refused(f"{path} holds vectors of {widths}; delete it, it is made anew")
            rows[hash_id] = matrix.append(vector)
            read()
    return Metadata(key, rows, matrix.whole())


class _GrowingMatrix:
    """Rows of a number not known before, in memory once and at most a quarter more.

    To grow, pages are moved, not copied.
    """

    def __init__(self) -> None:
        self._rows, self._count = np.empty((0, 0), np.float32), 0

    @property
    def width(self) -> int:
        return self._rows.shape[1]

    def append(self, row: np.ndarray) -> int:
        """Returns the number of the row."""
        if self._count == len(self._rows):
            first = max(1, FIRST_VALUES // len(row))  # one record of a file from anybody may fill it
            larger = max(first, self._count * 5 // 4 + 1)
            self._rows.resize((larger, len(row)), refcheck=False)
        self._rows[self._count] = row
        self._count += 1
        return self._count - 1

    def whole(self) -> np.ndarray:
        self._rows.resize((self._count, self._rows.shape[1]), refcheck=False)
        return self._rows
