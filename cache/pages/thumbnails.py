"""Pictures small enough to lie in a page: JPEGs as data URIs, made of the thumbnails that are kept.

A picture is opened only where none is kept, and then one is: the page is the same either way. Everything is
decoded in processes that can be killed.
"""
import base64
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from PIL import Image

from cache.decoder.decoder_process import Decoded
from cache.decoder.pool import DecoderPool, EncodedFile
from cache.limits import Limits, Skip
from cache.pixels.crop_spec import CropSpec, Wanted
from cache.pixels.thumbnail import jpeg_bytes
from cache.progress import PATIENCE, progress_bar
from cache.reader.source_file import SourceFile, Thumbnail
from cache.reader.stored_file import stored_file
from cache.refusal import Missing

SIDE = 112  # pixels of the longer side: about 4 kB each as JPEG
WHOLE_PICTURE = Wanted(CropSpec(SIDE, "longest"))
MOST_DECODERS = 4


class Kept(Protocol):
    """Where thumbnails are kept, by hash."""

    def jpeg(self, hash_id: str) -> bytes | None: ...

    def keep(self, thumbnails: Sequence[Thumbnail]) -> None: ...


class PagePicture(NamedTuple):
    uri: str
    path: str | None  # where it was found by its hash; None if it was not looked for, because it is kept


@dataclass(frozen=True)
class KeptFile:
    """A thumbnail as a file to decode."""

    jpeg: bytes

    @property
    def size(self) -> int:
        return len(self.jpeg)

    def read(self, most: int | None = None) -> bytes:
        return self.jpeg


def thumbnails(paths: Iterable[str], limits: Limits = Limits()) -> dict[str, str]:
    """{absolute path: data URI} of whatever lies there now, without what cannot be read: for who knows no
    hashes, as examples.ipynb. A path may lead into ZIPs."""
    wanted = list(dict.fromkeys(paths))
    with DecoderPool(min(MOST_DECODERS, os.cpu_count() or 1), limits=limits) as pool:
        uris = pool.map(map(_stored, wanted), _uri, lambda file, identity: WHOLE_PICTURE)
        return {path: uri for path, uri in zip(wanted, uris, strict=True) if uri}


def page_pictures(
    places: Mapping[str, Sequence[str]], kept: Kept, limits: Limits = Limits(), to_find: Collection[str] = (),
) -> dict[str, PagePicture]:
    """{hash_id: picture}, without those that are neither kept nor at any of their places. places: absolute
    paths by hash, which may lead into ZIPs; what lies there may be another picture by now, and is then passed
    over. to_find: hashes that are looked for even if they are kept."""
    with DecoderPool(min(MOST_DECODERS, os.cpu_count() or 1), limits=limits) as pool:
        jpeg_of = {hash_id: kept.jpeg(hash_id) for hash_id in places}
        path_of: dict[str, str] = {}
        wanted = {
            hash_id: places[hash_id]
            for hash_id, jpeg in jpeg_of.items() if jpeg is None or hash_id in to_find}
        for hash_id, path, jpeg in _opened(wanted, kept, pool):
            jpeg_of[hash_id], path_of[hash_id] = jpeg, path
        files = {hash_id: KeptFile(jpeg) for hash_id, jpeg in jpeg_of.items() if jpeg}
        uris = pool.map(files.values(), _uri, lambda file, identity: WHOLE_PICTURE)
        return {
            hash_id: PagePicture(uri, path_of.get(hash_id))
            for hash_id, uri in zip(files, uris, strict=True) if uri}


def _opened(
    wanted: Mapping[str, Sequence[str]], kept: Kept, pool: DecoderPool,
) -> Iterator[tuple[str, str, bytes]]:
    """(hash_id, path, thumbnail) of those that are found, each kept from now on. Of large photographs a page
    holds minutes of work, which then shows a bar."""
    waiting = {hash_id: paths for hash_id, paths in wanted.items() if paths}
    with progress_bar(len(waiting), "pictures", "page", delay=PATIENCE) as bar:
        for number in range(max(map(len, waiting.values()), default=0)):
            asked = [(hash_id, paths) for hash_id, paths in waiting.items() if number < len(paths)]
            files = (_stored(paths[number]) for _, paths in asked)
            thumbnails = pool.map(files, _thumbnail, lambda file, identity: Wanted(thumbnail=True))
            for (hash_id, paths), thumbnail in zip(asked, thumbnails, strict=True):
                if thumbnail and hash_id in (thumbnail.hash_id, thumbnail.old_hash_id):
                    del waiting[hash_id]
                    kept.keep([thumbnail])
                    yield hash_id, paths[number], thumbnail.jpeg
                bar.update(hash_id not in waiting or number + 1 == len(paths))


def _stored(path: str) -> SourceFile | None:
    try:
        return stored_file(path)
    except (OSError, ValueError, Missing):  # moved, or a path that no system would take
        return None


def _thumbnail(file: SourceFile, outcome: Decoded | Skip) -> Thumbnail | None:
    if isinstance(outcome, Skip):
        return None
    identity = outcome.identity
    return Thumbnail(identity["hash_id"], identity["old_hash_id"], outcome.thumbnail)


def _uri(file: EncodedFile, outcome: Decoded | Skip) -> str | None:
    if isinstance(outcome, Skip):
        return None
    picture = Image.frombytes("RGB", (SIDE, SIDE), outcome.crop).crop(outcome.box)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg_bytes(picture)).decode()}"
