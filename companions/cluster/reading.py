"""What lies under the input becomes members, and their features lie in the feature cache."""
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace

import numpy as np

from cache.limits import Limits
from cache.pixels.crop_spec import CropSpec
from cache.reader.batches import Batch, Counts, record
from cache.reader.file_progress import FileProgress
from cache.reader.image_source import images
from cache.reader.source_file import Item, Picture, SourceFile
from cache.refusal import Refused
from cache.stores.file_table import FileTable
from cache.stores.kept_thumbnails import thumbnails_of_run
from cache.stores.source_listing import SourceListing
from companions.cluster.feature_table import FeatureTable, Row
from companions.cluster.groups import Member, Place
from companions.cluster.methods.method import Method

FEATURES = "feature_cache.sqlite"
WEIGHTS = np.array([77, 150, 29])  # of red, green, blue in 256ths: the luma of ITU-R BT.601


@dataclass
class Listing:
    """All pictures of a run with their places: a store of batches.record(). 300 bytes a file."""

    _facts: dict[str, tuple[int, int]] = field(default_factory=dict)
    _places: dict[str, list[Place]] = field(default_factory=dict)

    def add(self, batch: Batch) -> None:
        for picture in batch.of(Picture):
            file = picture.file
            place = Place(
                file.file_path, file.absolute_path, file.archive_path is not None, file.size, file.stamp)
            self._facts.setdefault(picture.hash_id, (picture.width, picture.height))
            self._places.setdefault(picture.hash_id, []).append(place)

    def hashes(self) -> list[str]:
        return sorted(self._facts)

    def member(self, hash_id: str, sharpness: float) -> Member:
        return Member(hash_id, *self._facts[hash_id], sharpness, tuple(sorted(self._places[hash_id])))


class FeatureStore:
    """Features on their way from the pictures into the table: the second half of it is a store of
    batches.record()."""

    def __init__(self, table: FeatureTable, method: Method):
        self._table, self._method = table, method
        self._made: dict[str, Row] = {}

    def has(self, hash_id: str) -> bool:
        return self._table.has(hash_id, self._method.name, self._method.version)

    def crop_for(self, picture: Picture) -> CropSpec | None:
        return None if self.has(picture.hash_id) else CropSpec(self._method.side, "longest")

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


class StoredFeatures:
    """Those of pictures by number, read as they are asked for: see methods.method.Features."""

    def __init__(self, table: FeatureTable, method: Method, hash_ids: list[str], at_once: int):
        self._table, self._method, self._hash_ids, self._at_once = table, method, hash_ids, at_once

    def __len__(self) -> int:
        return len(self._hash_ids)

    def of(self, numbers: Iterable[int]) -> list[bytes]:
        hash_ids = [self._hash_ids[number] for number in numbers]
        wanted = list(dict.fromkeys(hash_ids))
        rows = self._table.rows(wanted, self._method.name, self._method.version)
        features = {row.hash_id: row.features for row in rows}
        return [features[hash_id] for hash_id in hash_ids]

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        for start in range(0, len(self), self._at_once):
            yield start, self.of(range(start, min(start + self._at_once, len(self))))

    def some(self, numbers: Iterable[int]) -> "StoredFeatures":
        """Those of some pictures, numbered anew."""
        hash_ids = [self._hash_ids[number] for number in numbers]
        return StoredFeatures(self._table, self._method, hash_ids, self._at_once)

    def sharpness(self) -> list[float]:
        rows = self._table.rows(self._hash_ids, self._method.name, self._method.version)
        return [row.sharpness for row in rows]


@dataclass(frozen=True)
class Reading:
    source: str
    cache_folder: str = "./output"
    num_threads: int = 4
    at_once: int = 1000  # pictures whose features are in memory together
    thumbnails: bool = True
    limits: Limits = Limits()


def read(
    reading: Reading, method: Method, stack: ExitStack, counts: Counts,
) -> tuple[list[Member], StoredFeatures]:
    """Members by hash, and their features. Whoever is known unchanged is not opened again. Raises Refused if
    there is no readable picture."""
    folder = reading.cache_folder
    table = stack.enter_context(FeatureTable(os.path.join(folder, FEATURES), create=True))
    files = stack.enter_context(FileTable(os.path.join(folder, "file_cache.sqlite"), create=True))
    kept = stack.enter_context(thumbnails_of_run(folder, reading.thumbnails))
    seen = stack.enter_context(SourceListing())
    store, listing = FeatureStore(table, method), Listing()
    stream = images(
        reading.source,
        limits=reading.limits,
        num_threads=reading.num_threads,
        crop_for=store.crop_for,
        thumbnail_for=kept.are_wanted_of,
        known=_known(files, store),
    )
    with FileProgress(reading.source, files.path, reading.limits.include_hidden) as progress, closing(stream):
        record(store.watched(stream), [store, kept, files, listing, seen, counts, progress])
    if counts.processed + counts.unchanged == 0:
        raise Refused(f"no readable picture under {reading.source} {counts.why_nothing()}")
    files.keep_only(reading.source, seen)
    features = StoredFeatures(table, method, listing.hashes(), reading.at_once)
    members = map(listing.member, listing.hashes(), features.sharpness())
    return list(members), features


def _known(files: FileTable, store: FeatureStore) -> Callable[[SourceFile], Picture | None]:
    def known(file: SourceFile) -> Picture | None:
        picture = files.known(file)
        return picture if picture and store.has(picture.hash_id) else None

    return known


def sharpness(pixels: np.ndarray) -> float:
    """The mean square of the second differences of brightness, as of Pech-Pacheco's variance of the Laplacian
    (2000), in whole numbers: the same on every machine."""
    grey = pixels @ WEIGHTS >> 8
    second = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(int((second ** 2).sum()) / second.size) if second.size else 0.0
