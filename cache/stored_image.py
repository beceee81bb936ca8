"""One image read again from where a cache says it lies, on disk or inside ZIPs, and its thumbnail."""
import io
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from zipfile import ZipInfo

from PIL import Image

from cache.decoder_pool import DecoderPool
from cache.image_decoder import CropSpec
from cache.image_limits import MIB, Limits, Skip
from cache.open_zip import OpenZip
from cache.refusal import Missing
from cache.source_file import SourceFile
from cache.zip_reader import member_name

JPEG_QUALITY = 80
LARGEST_CACHE = 64 * MIB


def stored_file(absolute_path: str) -> SourceFile:
    """The file at a path that may lead into ZIPs. Raises Missing if it is no longer there."""
    for path in (Path(absolute_path), *Path(absolute_path).parents):
        if path.is_file():
            inside = absolute_path[len(str(path)) + 1:]
            opener = partial(_member, path, inside) if inside else partial(open, path, "rb")
            status = path.stat()
            return SourceFile(absolute_path, absolute_path, None, None, -1 if inside else status.st_size, status.st_mtime_ns, opener)
    raise Missing(f"no longer there: {absolute_path}")


def _member(path: Path, inside: str, limits: Limits = Limits()) -> io.BytesIO:
    """The member of a ZIP with this path; a leading part of it may name a ZIP in the ZIP."""
    status = path.stat()
    archive, infos = _table_of_contents(path, status.st_mtime_ns, status.st_size, limits.max_zip_entries)
    while True:
        name = inside if inside in infos else next((name for name in _leading(inside) if name in infos), None)
        if name is None:
            raise FileNotFoundError(2, "no longer in the archive", inside)
        if infos[name].file_size > limits.max_member_mib * MIB:
            raise Skip("too_large", f"{infos[name].file_size} bytes")
        with archive.member(infos[name]) as member:
            data = io.BytesIO(member.read(infos[name].file_size))
        if name == inside:
            return data
        archive, inside = OpenZip(data, limits.max_inner_zip_entries), inside[len(name) + 1:]
        infos = _infos(archive)


@lru_cache(maxsize=4)
def _table_of_contents(path: Path, mtime_ns: int, size: int, most: int) -> tuple[OpenZip, dict[str, ZipInfo]]:
    """Kept for the few ZIPs whose pictures a page shows: half a second for one of 100,000 members. A changed file is another key."""
    archive = OpenZip(path.open("rb"), most)
    return archive, _infos(archive)


def _infos(archive: OpenZip) -> dict[str, ZipInfo]:
    """By the name in paths; of two with one name the last counts, as for the reader."""
    return {member_name(info): info for info in archive.infos}


def _leading(path: str) -> Iterator[str]:
    """ "a/b/c" -> "a/b", "a": the ZIPs that a member may lie in."""
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        yield path


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
        def finish(_, outcome, crop: bytes = b"") -> bytes | Skip:
            return outcome if isinstance(outcome, Skip) else crop

        [crop] = self._pool.map([file], finish, lambda *hash_ids: vars(spec))
        if isinstance(crop, Skip):
            raise crop
        return jpeg_bytes(crop, spec.size)


def jpeg_bytes(crop: bytes, side: int, box: tuple[int, int, int, int] | None = None) -> bytes:
    """A square crop of RGB bytes, or a box of it, encoded."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side, side), crop).crop(box).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
