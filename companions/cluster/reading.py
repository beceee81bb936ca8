"""What lies under the input becomes members, and their features lie where they are kept."""
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Protocol

from cache.limits import Limits
from cache.pixels.crop_spec import CropSpec
from cache.reader.batches import Batch, Counts, Embedding, Store, record
from cache.reader.file_progress import FileProgress
from cache.reader.image_source import images
from cache.reader.source_file import Item, Picture, SourceFile
from cache.refusal import Refused
from cache.stores import table_of_files
from cache.stores.kept_thumbnails import thumbnails_of_run
from cache.stores.source_listing import SourceListing
from companions.cluster.groups import Member, Place
from companions.cluster.methods.method import Method
from companions.cluster.numbered_features import NumberedFeatures
from companions.cluster.pixel_features import PixelFeatures
from companions.cluster.vector_features import VectorFeatures

CLIP_CACHE = "./output/clip_cache.sqlite"


class Looking(Protocol):
    """What becomes of pictures on their way: their features, and where these are kept."""

    @property
    def embedding(self) -> Embedding | None: ...

    @property
    def stores(self) -> Sequence[Store]: ...

    def known(self, file: SourceFile) -> Picture | None: ...

    def crop_for(self, picture: Picture) -> CropSpec | None: ...

    def watched(self, items: Generator[Item, None, None]) -> Generator[Item, None, None]: ...

    def keep_only(self, source: str, seen: table_of_files.Listing) -> None: ...

    def features(self, hash_ids: Sequence[str], at_once: int) -> NumberedFeatures: ...

    def sharpness(self, hash_ids: Sequence[str]) -> Iterable[float]: ...


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


@dataclass(frozen=True)
class Reading:
    source: str
    cache_folder: str = "./output"
    num_threads: int = 4
    at_once: int = 1000  # pictures whose features are in memory together
    thumbnails: bool = True
    limits: Limits = Limits()
    clip_cache: str = CLIP_CACHE  # or a metadata JSON: where the vectors are, for methods that compare these


def read(
    reading: Reading, method: Method, stack: ExitStack, counts: Counts,
) -> tuple[list[Member], NumberedFeatures]:
    """Members by hash, and their features. Whoever is known unchanged is not opened again. Raises Refused if
    there is no readable picture."""
    looking: Looking
    if method.side:
        looking = PixelFeatures(method, reading.cache_folder, stack)
    else:
        looking = VectorFeatures(reading.clip_cache, reading.cache_folder, stack)
    kept = stack.enter_context(thumbnails_of_run(reading.cache_folder, reading.thumbnails))
    seen = stack.enter_context(SourceListing())
    listing = Listing()
    stream = images(
        reading.source,
        limits=reading.limits,
        num_threads=reading.num_threads,
        crop_for=looking.crop_for,
        thumbnail_for=kept.are_wanted_of,
        known=looking.known,
    )
    skips = f"{reading.cache_folder}/file_cache.sqlite"
    with FileProgress(reading.source, skips, reading.limits.include_hidden) as progress, closing(stream):
        stores = [kept, *looking.stores, listing, seen, counts, progress]
        record(looking.watched(stream), stores, looking.embedding)
    if counts.processed + counts.unchanged == 0:
        raise Refused(f"no readable picture under {reading.source} {counts.why_nothing()}")
    looking.keep_only(reading.source, seen)
    hash_ids = listing.hashes()
    members = map(listing.member, hash_ids, looking.sharpness(hash_ids))
    return list(members), looking.features(hash_ids, reading.at_once)
