"""What a method sees of pixels: computed once for every picture, kept in the feature cache."""
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from cache.pixels.crop_spec import CropSpec
from cache.reader.batches import Batch, Store
from cache.reader.source_file import Item, Picture, SourceFile
from cache.stores.file_table import FileTable
from cache.stores.table_of_files import Listing
from companions.cluster.feature_table import FeatureTable, Row
from companions.cluster.methods.method import Method
from companions.cluster.numbered_features import NumberedFeatures

FEATURES = "feature_cache.sqlite"
WEIGHTS = np.array([77, 150, 29])  # of red, green, blue in 256ths: the luma of ITU-R BT.601


class PixelFeatures:
    """See reading.Looking. Features are on their way from a picture into the table between watched() and
    add()."""

    embedding = None

    def __init__(self, method: Method, folder: str, stack: ExitStack):
        self._method = method
        self._table = stack.enter_context(FeatureTable(os.path.join(folder, FEATURES), create=True))
        self._files = stack.enter_context(FileTable(os.path.join(folder, "file_cache.sqlite"), create=True))
        self._made: dict[str, Row] = {}

    @property
    def stores(self) -> Sequence[Store]:
        return self, self._files  # what the file cache knows has its features, whenever a run is cut off

    def _has(self, hash_id: str) -> bool:
        return self._table.has(hash_id, self._method.name, self._method.version)

    def known(self, file: SourceFile) -> Picture | None:
        picture = self._files.known(file)
        return picture if picture and self._has(picture.hash_id) else None

    def crop_for(self, picture: Picture) -> CropSpec | None:
        return None if self._has(picture.hash_id) else CropSpec(self._method.side, "longest")

    def watched(self, items: Iterable[Item]) -> Generator[Item, None, None]:
        """The same items, in the same order, pictures without their pixels; two a core are looked at
        meanwhile."""
        cores = os.cpu_count() or 1
        waiting: deque[tuple[Item, Future[Row] | None]] = deque()
        with ThreadPoolExecutor(cores) as threads:
            for item in items:
                if isinstance(item, Picture) and item.crop is not None:
                    looking = threads.submit(self._row, item.hash_id, np.ascontiguousarray(item.fitted))
                    waiting.append((replace(item, crop=None, box=None), looking))
                else:
                    waiting.append((item, None))
                while len(waiting) > 2 * cores:
                    yield self._taken(*waiting.popleft())
            while waiting:
                yield self._taken(*waiting.popleft())

    def _row(self, hash_id: str, pixels: np.ndarray) -> Row:
        return Row(hash_id, self._method.features(pixels), sharpness(pixels))

    def _taken(self, item: Item, looking: "Future[Row] | None") -> Item:
        if looking:
            row = looking.result()
            self._made[row.hash_id] = row
        return item

    def add(self, batch: Batch) -> None:
        self._table.add(self._method.name, self._method.version, self._made.values())
        self._made.clear()

    def keep_only(self, source: str, seen: Listing) -> None:
        self._files.keep_only(source, seen)

    def features(self, hash_ids: Sequence[str], at_once: int) -> NumberedFeatures:
        return stored_features(self._table, self._method, hash_ids, at_once)

    def sharpness(self, hash_ids: Sequence[str]) -> Iterator[float]:
        return stored_sharpness(self._table, self._method, hash_ids)


def stored_features(
    table: FeatureTable, method: Method, hash_ids: Sequence[str], at_once: int,
) -> NumberedFeatures:
    def read(some: Sequence[str]) -> list[bytes]:
        return [row.features for row in table.rows(some, method.name, method.version)]

    return NumberedFeatures(hash_ids, at_once, read)


def stored_sharpness(table: FeatureTable, method: Method, hash_ids: Sequence[str]) -> Iterator[float]:
    return (row.sharpness for row in table.rows(hash_ids, method.name, method.version))


def sharpness(pixels: np.ndarray) -> float:
    """The mean square of the second differences of brightness, as of Pech-Pacheco's variance of the Laplacian
    (2000), in whole numbers: the same on every machine."""
    grey = pixels @ WEIGHTS >> 8
    second = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(int((second ** 2).sum()) / second.size) if second.size else 0.0
