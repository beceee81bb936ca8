"""The stream of images cut into batches, each embedded as a whole and handed to every store in turn.

    record(images(...), [clips, tags, files], embedding=Embedding(encoder, clips.has))
"""
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np

from cache.limits import NO_FAULT
from cache.pixels.crop_spec import CropSpec
from cache.reader.source_file import Item, Picture, Skipped, Thumbnail

BATCH_SIZE = 32  # pictures embedded at once, where nobody says how many
MOST_BATCHES = 32  # a batch ends at the latest where this many batches of new pictures would

Kind = TypeVar("Kind")


@dataclass
class Batch:
    items: list[Item] = field(default_factory=list)
    # hash_id -> float32 (d,), of the pictures embedded now
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    thumbnails: list[Thumbnail] = field(default_factory=list)  # of the pictures of which one was wanted

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [item for item in self.items if isinstance(item, kind)]


class Store(Protocol):
    """What becomes of a batch: rows of a cache, scores, counts, a bar."""

    def add(self, batch: Batch) -> None: ...


class Encoder(Protocol):
    """ClipEncoder, or anything else that turns crops of one kind into vectors."""

    @property
    def crop_spec(self) -> CropSpec: ...

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """uint8 (n, size, size, 3) -> float32 (n, d)"""
        ...


@dataclass(frozen=True)
class Embedding:
    """What a pass needs to embed: the encoder (loaded when the first picture asks for a crop), and which
    vectors are there already."""

    encoder: Encoder
    has_vector: Callable[[Picture], bool]
    batch_size: int = BATCH_SIZE

    def crop_for(self, picture: Picture) -> CropSpec | None:
        return None if self.has_vector(picture) else self.encoder.crop_spec


@dataclass
class Counts:
    """How many files were processed, unchanged and skipped, and why: a store that keeps nothing else."""

    processed: int = 0
    unchanged: int = 0
    reasons: Counter = field(default_factory=Counter)

    @property
    def skipped(self) -> int:
        return sum(self.reasons.values())

    @property
    def faults(self) -> int:
        """Of the skipped files those that somebody might have to look at."""
        return sum(count for reason, count in self.reasons.items() if reason not in NO_FAULT)

    def add(self, batch: Batch) -> None:
        for item in batch.items:
            if isinstance(item, Skipped):
                self.reasons[item.reason] += 1
            elif isinstance(item, Picture):
                self.unchanged += item.unchanged
                self.processed += not item.unchanged

    def why_skipped(self) -> str:
        return ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())

    def why_nothing(self) -> str:
        """The reasons for which no file could be used, in brackets, and what can be done about one."""
        advice = "; --include_hidden reads what is hidden" if self.reasons["hidden"] else ""
        return f"({self.why_skipped() or 'it is empty'}){advice}"

    def as_dict(self) -> dict[str, int]:
        return {"processed": self.processed, "unchanged": self.unchanged, "skipped": self.skipped}

    def summary(self) -> list[str]:
        """The last lines of a run."""
        reasons = [f"skipped: {self.why_skipped()}"] if self.skipped else []
        return [*reasons, str(self)]

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self.as_dict().items())


def record(items: Generator[Item], stores: Sequence[Store], embedding: Embedding | None = None) -> None:
    """Run the stream to its end, and close it even where a store fails. A batch reaches the stores in their
    order, each in one transaction of its own; a store may replace items of the batch for those behind it."""
    with closing(items):
        for batch in batches(items, embedding):
            for store in stores:
                store.add(batch)


def observers(observer: Store | None) -> list[Store]:
    """What a caller wants to look on with, as part of the list of stores."""
    return [observer] if observer else []


def batches(items: Iterable[Item], embedding: Embedding | None = None) -> Iterator[Batch]:
    """Cut in listing order when enough pictures are new, and at every so-many-th item of the listing, so that
    one new picture among many known ones ends up in a bounded batch. A resumed run starts behind the last
    whole batch and therefore cuts the rest as an unbroken run would: the same pictures share a matrix
    product, and the same floats come out."""
    batch_size = embedding.batch_size if embedding else BATCH_SIZE
    batch = Batch()
    crops: dict[str, np.ndarray] = {}
    for number, item in enumerate(items, start=1):
        if isinstance(item, Picture):
            # Asked again: a duplicate was cropped while the vector of its twin was still on the way.
            if item.crop is not None and embedding and not embedding.has_vector(item):
                crops.setdefault(item.hash_id, item.crop)
            if item.thumbnail:
                batch.thumbnails.append(Thumbnail(item.hash_id, item.old_hash_id, item.thumbnail))
            batch.items.append(_without_pixels(item))
        else:
            batch.items.append(item)
        if len(crops) == batch_size or number % (MOST_BATCHES * batch_size) == 0:
            yield _embedded(batch, crops, embedding)
            batch, crops = Batch(), {}
    if batch.items:
        yield _embedded(batch, crops, embedding)


def _without_pixels(picture: Picture) -> Picture:
    """As it goes on: stores may hold on to pictures."""
    if picture.crop is None and picture.thumbnail is None:
        return picture
    return replace(picture, crop=None, thumbnail=None)


def _embedded(batch: Batch, crops: dict[str, np.ndarray], embedding: Embedding | None) -> Batch:
    if embedding and crops:
        vectors = embedding.encoder.encode(np.stack(list(crops.values())))
        batch.vectors = dict(zip(crops, vectors, strict=True))
    return batch
