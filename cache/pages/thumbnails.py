"""Small JPEGs of stored pictures: kept for pages that are served, as data URIs for pages that are one file."""
import base64
import io
import os
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from PIL import Image

from cache.decoder.crop_spec import CropSpec
from cache.decoder.crops import box_in_square
from cache.decoder.decoder_process import Decoded
from cache.decoder.limits import MIB, Limits, Skip
from cache.decoder.pool import DecoderPool
from cache.reader.source_file import SourceFile
from cache.reader.stored_file import stored_file
from cache.refusal import Missing

JPEG_QUALITY = 80
LARGEST_CACHE = 64 * MIB


class Thumbnails:
    """Square JPEGs of stored images, decoded in processes that can be killed, the newest of them kept in memory."""

    def __init__(self, workers: int = 2, limits: Limits = Limits()):
        self._pool = DecoderPool(workers, limits=limits)
        self._pool.__enter__()
        weakref.finalize(self, self._pool.__exit__)
        self._kept: OrderedDict[tuple, bytes] = OrderedDict()

    def jpeg(self, file: SourceFile, size: int, resize_mode: str = "shortest") -> bytes:
        """The centre of the picture, or all of it on white with "longest". Raises Skip if the file is no picture (any more)."""
        key = (file.absolute_path, file.mtime_ns, size, resize_mode)
        found = self._kept.pop(key, None)
        if found is None:
            found = self._made(file, CropSpec(size, resize_mode, fill=255))
        self._kept[key] = found
        while sum(map(len, list(self._kept.values()))) > LARGEST_CACHE:
            self._kept.popitem(last=False)
        return found

    def _made(self, file: SourceFile, spec: CropSpec) -> bytes:
        def finish(file: SourceFile, outcome: Decoded | Skip) -> Decoded | Skip:
            return outcome

        [outcome] = self._pool.map([file], finish, lambda *hash_ids: spec)
        if isinstance(outcome, Skip):
            raise outcome
        return jpeg_bytes(outcome.crop, spec.size)


def jpeg_bytes(crop: bytes, side: int, box: tuple[int, int, int, int] | None = None) -> bytes:
    """A square crop of RGB bytes, or a box of it, encoded."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side, side), crop).crop(box).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


MOST_DECODERS = 4
THUMBNAIL_SIDE = 112  # pixels of the longer side: about 4 kB each as JPEG


def thumbnails(paths: Iterable[str], limits: Limits = Limits()) -> dict[str, str]:
    """{absolute path: the whole picture, small, as a data URI}, without those that cannot be read any more. A path may lead into ZIPs."""
    return {path: uri for path, _, uri in read_thumbnails(paths, limits)}


def read_thumbnails(paths: Iterable[str], limits: Limits = Limits()) -> Iterator[tuple[str, set[str], str]]:
    """The same, one by one, with the digests under which each may be known: path, hash_id and old_hash_id, data URI."""
    wanted = CropSpec(THUMBNAIL_SIDE, "longest")

    def finish(file: SourceFile, outcome: Decoded | Skip) -> tuple[str, Decoded | Skip]:
        return file.absolute_path, outcome

    with DecoderPool(min(MOST_DECODERS, os.cpu_count() or 1), limits=limits) as pool:
        for path, outcome in pool.map(_stored_files(paths), finish, lambda *hash_ids: wanted):
            if isinstance(outcome, Decoded):
                identity = outcome.identity
                jpeg = jpeg_bytes(outcome.crop, THUMBNAIL_SIDE, _without_padding(identity))
                uri = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
                yield path, {identity["hash_id"], identity["old_hash_id"]} - {None}, uri


def _without_padding(identity: dict) -> tuple[int, int, int, int]:
    size = identity["width"], identity["height"]
    sideways = identity["orientation"] >= 5 and identity["type"] != "tiff"  # a TIFF was turned before it was measured
    return box_in_square(*(reversed(size) if sideways else size), THUMBNAIL_SIDE)


def _stored_files(paths: Iterable[str]) -> Iterator[SourceFile]:
    for path in dict.fromkeys(paths):
        try:
            yield stored_file(path)
        except (OSError, ValueError, Missing):  # moved, or a path that no system would take
            continue
