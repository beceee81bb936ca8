"""Vectors of the clip cache, of whichever encoder made them: it makes those of new pictures, too."""
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import repeat

from cache.command_line import call, refuse_missing
from cache.pixels.crop_spec import CropSpec
from cache.reader.batches import Embedding, Store
from cache.reader.source_file import Item, Picture, SourceFile
from cache.refusal import Refused
from cache.stores.known_vectors import KnownVectors
from cache.stores.table_of_files import Listing
from companions.cluster.numbered_features import NumberedFeatures


class VectorFeatures:
    """See reading.Looking."""

    def __init__(self, clip_cache: str, folder: str, stack: ExitStack):
        """Raises Refused where there is no clip cache, or vectors of several encoders are in it."""
        refuse_missing(clip_cache, f"{call('embed')} photos")
        self._path = clip_cache
        self._known = stack.enter_context(KnownVectors(clip_cache, folder, None, None, None))
        self.embedding = Embedding(self._known.encoder, self._known.has)

    @property
    def stores(self) -> Sequence[Store]:
        return (self._known,)

    def known(self, file: SourceFile) -> Picture | None:
        return self._known.known(file)

    def crop_for(self, picture: Picture) -> CropSpec | None:
        return self.embedding.crop_for(picture)

    def watched(self, items: Generator[Item, None, None]) -> Generator[Item, None, None]:
        return items

    def keep_only(self, source: str, seen: Listing) -> None:
        self._known.keep_only(source, seen)

    def features(self, hash_ids: Sequence[str], at_once: int) -> NumberedFeatures:
        return NumberedFeatures(hash_ids, at_once, self._read)

    def sharpness(self, hash_ids: Sequence[str]) -> Iterator[float]:
        """Nobody has looked at the pixels."""
        return repeat(0.0, len(hash_ids))

    def _read(self, hash_ids: Sequence[str]) -> list[bytes]:
        vectors = [self._known.of_hash(hash_id) for hash_id in hash_ids]
        if any(vector is None for vector in vectors):
            raise Refused(f"vectors have gone from {self._path}; the same command makes them anew")
        return [vector.astype("<f4").tobytes() for vector in vectors if vector is not None]
