"""One image read again from where a cache says it lies, on disk or inside ZIPs, and its thumbnail."""
import io
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from zipfile import ZipInfo

from cache.decoder.limits import MIB, Limits, Skip
from cache.reader.open_zip import OpenZip
from cache.reader.source_file import SourceFile
from cache.reader.zip_reader import member_name
from cache.refusal import Missing


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
