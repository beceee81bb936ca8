"""A file read again from where a cache says it lies, on disk or inside ZIPs."""
import io
import os
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import IO
from zipfile import ZipInfo

from cache.files.paths import printed_as
from cache.limits import MIB, Limits, Skip
from cache.reader.open_zip import OpenZip
from cache.reader.source_file import SourceFile, disk_stamp
from cache.refusal import Missing

Members = dict[str, ZipInfo]  # by the name in paths


def stored_file(absolute_path: str) -> SourceFile:
    """The file at a path that may lead into ZIPs. Raises Missing if it is no longer there."""
    for path in map(str, (Path(absolute_path), *Path(absolute_path).parents)):
        for on_disk in filter(os.path.isfile, printed_as(path)):
            return _file_at(Path(on_disk), absolute_path, absolute_path[len(path) + 1:])
    raise Missing(f"no longer there: {absolute_path}")


def _file_at(path: Path, absolute_path: str, inside: str) -> SourceFile:
    """`path` is the file on disk: the one that is meant, or the outermost ZIP around it."""
    status = path.stat()
    opener: Callable[[], IO[bytes]] = partial(_member, path, inside) if inside else lambda: path.open("rb")
    return SourceFile(
        file_path=absolute_path,
        absolute_path=absolute_path,
        folder=None,
        archive_path=None,
        size=-1 if inside else status.st_size,
        mtime_ns=status.st_mtime_ns,
        stamp=disk_stamp(status),  # of the ZIP, for what is inside
        open=opener,
    )


def _member(path: Path, inside: str, limits: Limits = Limits()) -> io.BytesIO:
    """The member of a ZIP with this path; a leading part of it may name a ZIP in the ZIP."""
    status = path.stat()
    archive, members = _opened(path, disk_stamp(status), limits.max_zip_entries)
    while True:
        name = next((name for name in _leading(inside) if name in members), None)
        if name is None:
            raise FileNotFoundError(2, "no longer in the archive", inside)
        size = members[name].file_size
        if size > limits.max_member_mib * MIB:
            raise Skip("too_large", f"{size} bytes")
        with archive.member(members[name]) as member:
            data = io.BytesIO(member.read(size))
        if name == inside:
            return data
        archive, inside = OpenZip(data, limits.max_inner_zip_entries), inside[len(name) + 1:]
        members = _members(archive)


@lru_cache(maxsize=4)
def _opened(path: Path, stamp: str, most: int) -> tuple[OpenZip, Members]:
    """Kept for the few ZIPs whose pictures a page shows: half a second for one of 100,000 members. A changed
    file is another key."""
    archive = OpenZip(path.open("rb"), most)
    return archive, _members(archive)


def _members(archive: OpenZip) -> Members:
    """Of two with one name the last counts, as for the reader."""
    return {info.filename: info for info in archive.table.infos}


def _leading(path: str) -> Iterator[str]:
    """ "a/b/c" -> "a/b/c", "a/b", "a": the member itself, or the ZIPs that it may lie in."""
    yield path
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        yield path
