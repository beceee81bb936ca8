"""Pictures small enough to lie in a page: JPEGs as data URIs, decoded in processes that can be killed."""
import base64
import io
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from PIL import Image

from cache.decoder.decoder_process import Decoded
from cache.decoder.pool import DecoderPool
from cache.limits import Limits, Skip
from cache.pixels.crop_spec import CropSpec, Wanted
from cache.progress import PATIENCE, progress_bar
from cache.reader.source_file import SourceFile
from cache.reader.stored_file import stored_file
from cache.refusal import Missing

SIDE = 112  # pixels of the longer side: about 4 kB each as JPEG
WHOLE_PICTURE = Wanted(CropSpec(SIDE, "longest"))
JPEG_QUALITY = 80
MOST_DECODERS = 4


class Thumbnail(NamedTuple):
    path: str
    hash_ids: set[str]  # hash_id and old_hash_id: the digests under which the picture may be known
    uri: str


def thumbnails(paths: Iterable[str], limits: Limits = Limits()) -> dict[str, str]:
    """{absolute path: data URI}, without those that cannot be read any more. A path may lead into ZIPs."""
    return {thumbnail.path: thumbnail.uri for thumbnail in read_thumbnails(paths, limits)}


def read_thumbnails(paths: Iterable[str], limits: Limits = Limits()) -> Iterator[Thumbnail]:
    """The same, one by one. Of large photographs a page holds minutes of work, which then shows a bar."""
    wanted = list(dict.fromkeys(paths))
    workers = min(MOST_DECODERS, os.cpu_count() or 1)
    bar = progress_bar(len(wanted), "pictures", "page", delay=PATIENCE)
    with bar, DecoderPool(workers, limits=limits) as pool:
        for thumbnail in pool.map(map(_stored, wanted), _thumbnail, lambda file, identity: WHOLE_PICTURE):
            bar.update()
            if thumbnail is not None:
                yield thumbnail


def _stored(path: str) -> SourceFile | None:
    try:
        return stored_file(path)
    except (OSError, ValueError, Missing):  # moved, or a path that no system would take
        return None


def _thumbnail(file: SourceFile, outcome: Decoded | Skip) -> Thumbnail | None:
    if isinstance(outcome, Skip):
        return None
    digests = outcome.identity["hash_id"], outcome.identity["old_hash_id"]
    jpeg = jpeg_bytes(outcome.crop, SIDE, outcome.box)
    uri = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return Thumbnail(file.absolute_path, {digest for digest in digests if digest}, uri)


def jpeg_bytes(crop: bytes, side: int, box: tuple[int, int, int, int] | None = None) -> bytes:
    """A square crop of RGB bytes, or a box of it, encoded."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side, side), crop).crop(box).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
