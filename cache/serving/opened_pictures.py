"""Small pictures for pages that are served: a JPEG each, made when it is asked for."""
import threading
import weakref
from collections import OrderedDict
from typing import NamedTuple

from PIL import Image

from cache.decoder.decoder_process import Decoded, Identity
from cache.decoder.pool import DecoderPool, EncodedFile
from cache.limits import MIB, Limits, Skip
from cache.pages.thumbnails import KeptFile
from cache.pixels.crop_spec import CropSpec, Wanted
from cache.pixels.thumbnail import SIDE, jpeg_bytes
from cache.reader.source_file import SourceFile, Thumbnail

LARGEST_CACHE = 64 * MIB
MOST_ENLARGED = 1.5  # times, of a thumbnail that stands for its picture


class OpenedPicture(NamedTuple):
    thumbnail: Thumbnail
    crop: bytes  # a JPEG, or none if no crop was wanted

    def has_hash(self, hash_id: str) -> bool:
        return hash_id in (self.thumbnail.hash_id, self.thumbnail.old_hash_id)


class OpenedPictures:
    """Decoded in processes that can be killed; those asked for last are kept in memory. For many threads."""

    def __init__(self, workers: int = 2, limits: Limits = Limits()):
        self._pool = DecoderPool(workers, limits=limits)
        self._pool.__enter__()
        weakref.finalize(self, self._pool.__exit__)
        self._opened: OrderedDict[tuple, OpenedPicture] = OrderedDict()
        self._bytes = 0  # of those in memory
        self._lock = threading.Lock()  # the hash of a CropSpec is code of Python's: other threads run within

    def opened(self, file: SourceFile, spec: CropSpec | None = None) -> OpenedPicture:
        """A picture that lies on the disk. Raises Skip if it is none (any more)."""
        key = (file.absolute_path, file.stamp, spec)
        with self._lock:
            picture = self._opened.get(key)
            if picture:
                self._opened.move_to_end(key)
                return picture
        picture = self._decoded(file, spec)
        with self._lock:
            self._remember(key, picture)
        return picture

    def crop(self, jpeg: bytes, spec: CropSpec, enlarged: bool = False) -> bytes | None:
        """Of a thumbnail that is kept, as a JPEG; None if the picture has more to show at this size and
        is not to be enlarged."""
        def wanted(file: EncodedFile, identity: Identity) -> Wanted:
            sides = identity["width"], identity["height"]
            is_whole = max(sides) < SIDE  # the picture is no larger itself
            return Wanted(spec if enlarged or is_whole or min(sides) * MOST_ENLARGED >= spec.size else None)

        [outcome] = self._pool.map([KeptFile(jpeg)], _as_it_is, wanted)
        return None if isinstance(outcome, Skip) or not outcome.crop else _jpeg(outcome.crop, spec)

    def _remember(self, key: tuple, picture: OpenedPicture) -> None:
        if key in self._opened:  # another thread has opened it meanwhile
            return
        self._opened[key] = picture
        self._bytes += _bytes_of(picture)
        while self._bytes > LARGEST_CACHE:
            _, oldest = self._opened.popitem(last=False)
            self._bytes -= _bytes_of(oldest)

    def _decoded(self, file: SourceFile, spec: CropSpec | None) -> OpenedPicture:
        [outcome] = self._pool.map([file], _as_it_is, lambda file, identity: Wanted(spec, thumbnail=True))
        if isinstance(outcome, Skip):
            raise outcome
        identity = outcome.identity
        thumbnail = Thumbnail(identity["hash_id"], identity["old_hash_id"], outcome.thumbnail)
        return OpenedPicture(thumbnail, _jpeg(outcome.crop, spec) if spec else b"")


def _as_it_is(file: EncodedFile, outcome: Decoded | Skip) -> Decoded | Skip:
    return outcome


def _jpeg(crop: bytes, spec: CropSpec) -> bytes:
    return jpeg_bytes(Image.frombytes("RGB", (spec.size, spec.size), crop))


def _bytes_of(picture: OpenedPicture) -> int:
    return len(picture.thumbnail.jpeg) + len(picture.crop)
