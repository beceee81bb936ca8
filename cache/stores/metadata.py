"""The metadata JSON of stage 1: {hash_id: record}, written record by record, read back as one matrix.

Each record stands on a line of its own, so that neither side ever holds the whole text; a file laid out otherwise is read whole.
"""
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cache.files.json_file import _opened, _parsed, records
from cache.refusal import Refused

SQLITE_MAGIC = b"SQLite format 3\x00"
FIRST_VALUES = 512 * 1024  # 2 MiB: room for the first records of a matrix


@dataclass(frozen=True)
class Metadata:
    """Vectors of one encoder: row rows[hash_id] of `matrix`, float32 (n, d)."""

    key: str  # model:weights
    rows: dict[str, int]
    matrix: np.ndarray

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


def metadata_records(
    images: Iterable[dict], encoder, vector: Callable[[str], np.ndarray | None], tagged: bool,
) -> Iterator[tuple[str, dict]]:
    """(hash_id, record) for each image of DatasetTable.images(). Raises Refused if one has no vector: somebody has cleared the cache."""
    for image in images:
        embedded = vector(image["hash_id"])
        if embedded is None:
            raise Refused(f"the vector of {image['file_path']} has gone from the clip cache; the same command makes it anew")
        width, height = image["width"], image["height"]
        yield image["hash_id"], {
            "hash_id": image["hash_id"], "file_path": image["file_path"], "file_name": image["file_name"], "file_type": image["type"],
            "image_size_bytes": image["size_bytes"], "image_resolution": [width, height], "image_xsize": width, "image_ysize": height,
            **({"image_tags": image["tags"]} if tagged else {}),
            "embeddings_type": encoder.embeddings_type, "model": encoder.clip_model, "pretrained": encoder.pretrained,
            "embeddings_vector": embedded,
        }


def read_metadata(path: str | os.PathLike) -> Metadata:
    """A metadata JSON, or a clip cache with the vectors of one encoder. Raises Refused for anything else."""
    if is_sqlite(path):
        return _read_clip_cache(path)
    rows, keys, widths, matrix = {}, set(), set(), _GrowingMatrix()
    for hash_id, record in records(path):
        vector = _vector(path, hash_id, record)
        keys.add(f"{record.get('model')}:{record.get('pretrained')}")
        widths.add(len(vector))
        if len(keys) > 1 or len(widths) > 1:
            raise Refused(f"{path} mixes vectors of several encoders ({', '.join(sorted(keys))}; {sorted(widths)} features); make it anew")
        rows[hash_id] = matrix.append(vector)
    if not rows:
        raise Refused(f"{path} holds no image")
    return Metadata(keys.pop(), rows, matrix.whole())


class _GrowingMatrix:
    """Rows of a number not known before, in memory once and at most a quarter more: to grow, pages are moved, not copied."""

    def __init__(self) -> None:
        self._rows, self._count = np.empty((0, 0), np.float32), 0

    @property
    def width(self) -> int:
        return self._rows.shape[1]

    def append(self, row: np.ndarray) -> int:
        """Returns the number of the row."""
        if self._count == len(self._rows):
            first = max(1, FIRST_VALUES // len(row))  # a file from anybody may have a million features, and one record
            self._rows.resize((max(first, self._count * 5 // 4 + 1), len(row)), refcheck=False)
        self._rows[self._count] = row
        self._count += 1
        return self._count - 1

    def whole(self) -> np.ndarray:
        self._rows.resize((self._count, self._rows.shape[1]), refcheck=False)
        return self._rows


def is_sqlite(path: str | os.PathLike) -> bool:
    with _opened(path) as file:
        return file.read(16) == SQLITE_MAGIC


def read_tag_to_hashes(path: str | os.PathLike) -> dict[str, list[str]]:
    """{tag: [hash_id]} of stage 1."""
    with _opened(path) as file:
        tags = _parsed(path, file.read())
    lists = tags.values() if isinstance(tags, dict) else [None]
    if not all(isinstance(hashes, list) and all(isinstance(hash_id, str) for hash_id in hashes) for hashes in lists):
        raise Refused(f"{path} is not a tag list of stage 1: it should read {{tag: [hash_id, ...]}}")
    return tags


def _read_clip_cache(path: str | os.PathLike) -> Metadata:
    from cache.stores.clip_table import ClipTable

    with ClipTable(path) as table:
        key = only_model(table)
        rows, matrix = {}, _GrowingMatrix()
        for hash_id, vector in table.vectors(key):
            if rows and len(vector) != matrix.width:
                raise Refused(f"{path} holds vectors of {matrix.width} and of {len(vector)} features; delete it, it is made anew")
            rows[hash_id] = matrix.append(vector)
    return Metadata(key, rows, matrix.whole())


def only_model(table) -> str:
    """The one encoder whose vectors a clip table holds."""
    models = table.models()
    if len(models) != 1:
        found = f"vectors of several encoders ({', '.join(models)})" if models else "no vectors"
        raise Refused(f"{table.path} holds {found}; give the metadata JSON of stage 1 instead")
    return models[0]


def _vector(path: str | os.PathLike, hash_id: str, record: object) -> np.ndarray:
    values = record.get("embeddings_vector") if isinstance(record, dict) else None
    try:
        with np.errstate(over="ignore"):  # it becomes infinite, and is refused
            vector = np.asarray(values, np.float32).reshape(-1)
    except (TypeError, ValueError):
        vector = np.empty(0, np.float32)
    if values is None or not len(vector) or not np.isfinite(vector).all():
        raise Refused(f"{path} is not a metadata JSON of stage 1: record {hash_id[:16]} has no embeddings_vector of finite numbers")
    return vector
