"""Thumbnails of stored pictures for pages that are served: a JPEG each, made when it is asked for."""
import weakref
from collections import OrderedDict
from typing import NamedTuple

from cache.decoder.decoder_process import Decoded
from cache.decoder.pool import DecoderPool
from cache.limits import MIB, Limits, Skip
from cache.pages.thumbnails import jpeg_bytes
from cache.pixels.crop_spec import CropSpec, Wanted
from cache.reader.source_file import SourceFile

LARGEST_CACHE = 64 * MIB


class Thumbnail(NamedTuple):
    hash_ids: frozenset[str]  # the digests under which the decoded picture may be known
    jpeg: bytes


class Thumbnails:
    """Square JPEGs, decoded in processes that can be killed, those asked for last kept in memory."""

    def __init__(self, workers: int = 2, limits: Limits = Limits()):
        self._pool = DecoderPool(workers, limits=limits)
        self._pool.__enter__()
        weakref.finalize(self, self._pool.__exit__)
        self._kept: OrderedDict[tuple, Thumbnail] = OrderedDict()

    def made(self, file: SourceFile, size: int, resize_mode: str = "shortest") -> Thumbnail:
        """Of the centre of the picture, or of all of it on white with "longest". Raises Skip if the file is
        none (any more)."""
        key = (file.absolute_path, file.stamp, size, resize_mode)
        thumbnail = self._kept.pop(key, None)
        if thumbnail is None:
            thumbnail = self._decoded(file, CropSpec(size, resize_mode, fill=255))
        self._kept[key] = thumbnail
        while sum(len(kept.jpeg) for kept in list(self._kept.values())) > LARGEST_CACHE:
            self._kept.popitem(last=False)
        return thumbnail

    def _decoded(self, file: SourceFile, spec: CropSpec) -> Thumbnail:
        [outcome] = self._pool.map([file], _as_it_is, lambda file, identity: Wanted(spec))
        if isinstance(outcome, Skip):
            raise outcome
        digests = outcome.identity["hash_id"], outcome.identity["old_hash_id"]
        return Thumbnail(frozenset(filter(None, digests)), jpeg_bytes(outcome.crop, spec.size))


def _as_it_is(file: SourceFile, outcome: Decoded | Skip) -> Decoded | Skip:
    return outcome
