"""Folders and single files on disk -> a stream of SourceFiles, sorted by name at each level. Only for
reading."""
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from cache.files.paths import absolute_path
from cache.reader.hidden import is_hidden_entry
from cache.reader.other_files import is_camera_thumbnail
from cache.reader.source_file import Skipped, SourceFile, disk_stamp
from cache.refusal import Missing
from cache.text import printable, tag_name

FolderId = tuple[int, int]  # device and inode
LeftOut = Callable[[os.DirEntry[str]], Skipped | None]


def anywhere(path: str) -> bool:
    """Links may lead anywhere: it is the person's own folder."""
    return True


def disk_files(
    source: str | os.PathLike[str],
    allowed: Callable[[str], bool] = anywhere,
    include_hidden: bool = False,
) -> Iterator[SourceFile | Skipped]:
    """Regular files under a folder, sorted by name at each level; or the one file given. Links are followed
    if allowed(path); what is hidden, and a camera's thumbnail, is left out unless it is the source itself."""
    source = os.fspath(source)
    if not os.path.exists(source):
        raise Missing(f"no such file or folder: {source}")
    if os.path.isdir(source):
        source = source.rstrip("/" + os.sep) or os.sep

    def left_out(entry: os.DirEntry[str]) -> Skipped | None:
        if not include_hidden and is_hidden_entry(entry):
            return Skipped(printable(entry.path), "hidden")
        if entry.is_symlink() and not allowed(entry.path):
            return _unreadable(entry.path, "a link that leads out of the allowed folders")
        if is_camera_thumbnail(entry.name) and _is_file(entry):
            return Skipped(printable(entry.path), "other_file")
        return None

    read: set[FolderId] = set()
    # A stack, not recursion: Python's ends at a depth of a thousand folders.
    waiting: list[_Place | Skipped] = [_Place(source, absolute_path(source))]
    while waiting:
        place = waiting.pop()
        opened = place if isinstance(place, Skipped) else _opened(place, read, left_out)
        if isinstance(opened, list):
            waiting.extend(reversed(opened))
        else:
            yield opened


class _Place(NamedTuple):
    """A file or folder to be read, of which `folder` tags a file, and `name` the files in it if it is a
    folder."""

    path: str
    absolute_path: str
    folder: str | None = None
    name: str | None = None
    ancestors: tuple[FolderId, ...] = ()  # the folders around it
    links: int = 0  # passed on the way here


def _opened(
    place: _Place, read: set[FolderId], left_out: LeftOut,
) -> SourceFile | Skipped | list[_Place | Skipped]:
    """The file, or what lies in the folder. One stat, and no other call to the system but the listing: a run
    over known pictures does little else."""
    entries = None
    try:
        status = os.stat(place.path)
        if stat.S_ISDIR(status.st_mode):
            entries = sorted(os.scandir(place.path), key=lambda entry: entry.name)
    except OSError as error:
        return _unreadable(place.path, error.strerror or "")
    if entries is None:
        return _disk_file(place, status)
    here = (status.st_dev, status.st_ino)
    if here in place.ancestors:
        return _unreadable(place.path, "a link to a folder that holds it")
    # Or 40 folders with two links each to the next would be 2 ** 40 paths.
    if place.links > 1 and here in read:
        return _unreadable(place.path, "a link behind a link to a folder that was read already")
    read.add(here)
    ancestors = (*place.ancestors, here)
    return [left_out(entry) or _inside(place, entry, ancestors) for entry in entries]


def _is_file(entry: os.DirEntry[str]) -> bool:
    """False, too, of a link that leads nowhere one may look, as one to itself: _opened() says why."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _inside(folder: _Place, entry: os.DirEntry[str], ancestors: tuple[FolderId, ...]) -> _Place:
    inside = os.path.join(folder.absolute_path, entry.name)
    links = folder.links + entry.is_symlink()
    return _Place(entry.path, inside, folder.name, entry.name, ancestors, links)


def _disk_file(place: _Place, status: os.stat_result) -> SourceFile | Skipped:
    if not stat.S_ISREG(status.st_mode):
        return _unreadable(place.path, "not a regular file")
    return SourceFile(
        file_path=printable(place.path),
        absolute_path=printable(place.absolute_path),
        folder=place.folder and tag_name(printable(place.folder)),
        archive_path=None,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        stamp=disk_stamp(status),
        open=lambda: open(place.path, "rb"),
    )


def _unreadable(path: str, why: str) -> Skipped:
    return Skipped(printable(path), "unreadable", why)


def dataset_name(source: str | os.PathLike[str]) -> str:
    path = Path(source).resolve()
    return path.name if path.is_dir() else path.stem
