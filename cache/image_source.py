"""Folders, single files and ZIPs nested to any depth -> one stream of images, archives and skipped files, in listing order.

    for item in images("photos"):
        match item:
            case Picture(): ...     # a decoded image: where it lies, its hash_id, type, size, and its crop where one was wanted
            case Archive(): ...     # a ZIP, after its content, with the number of pictures directly in it
            case Skipped(): ...     # a file that was left out, with a reason code of image_limits.REASONS

Files are opened by their content, never by their name, and only for reading.
"""
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cache.decoder_pool import DecoderPool
from cache.image_decoder import CropSpec, begins_like_an_image
from cache.image_limits import Limits, Skip
from cache.refusal import Missing
from cache.source_file import Archive, Item, Known, Picture, Skipped, SourceFile, printable
from cache.zip_reader import ENTER, ZipReader, is_zip


def anywhere(path: str) -> bool:
    """Links may lead anywhere: it is the person's own folder."""
    return True


def images(
    source: str | os.PathLike, *, archives: str = ENTER, tagged: bool = False, limits: Limits = Limits(), num_threads: int = 4,
    window: int = 64, crop_for: Callable[[str, str | None], CropSpec | None] = lambda *hash_ids: None,
    known: Known = lambda file: None, allowed: Callable[[str], bool] = anywhere,
) -> Iterator[Item]:
    """Stream what lies under `source`, with `tagged` only what lies in some folder. known(file) may spare the decoding;
    crop_for(hash_id, old_hash_id), called from several threads, says whether a crop is wanted. Raises Missing if there is no `source`."""
    def wish(*hash_ids: str | None) -> dict | None:
        spec = crop_for(*hash_ids)
        return spec and vars(spec)

    with DecoderPool(num_threads, window, limits) as pool:
        yield from _count_content(pool.map(walk(source, archives, tagged, limits, known, allowed), _finish, wish))


def walk(
    source: str | os.PathLike, archives: str = ENTER, tagged: bool = False, limits: Limits = Limits(), known: Known = lambda file: None,
    allowed: Callable[[str], bool] = anywhere,
) -> Iterator[SourceFile | Item]:
    """The files under `source` before any decoding: SourceFile to be decoded, Picture where known(file) has it, Archive, Skipped."""
    zips = ZipReader(limits, archives, tagged, known)
    for file in disk_files(source, allowed):
        if isinstance(file, Skipped):
            yield file
        else:
            yield from zips.expand(file)


def disk_files(source: str | os.PathLike, allowed: Callable[[str], bool] = anywhere) -> Iterator[SourceFile | Skipped]:
    """Regular files under a folder, sorted by name at each level; or the one file given. Links are followed if allowed(path)."""
    source = os.fspath(source)
    if not os.path.exists(source):
        raise Missing(f"no such file or folder: {source}")
    if os.path.isdir(source):
        source = source.rstrip("/" + os.sep) or os.sep
    read: set[tuple[int, int]] = set()
    # A stack, not recursion: Python's ends at a depth of a thousand folders.
    waiting: list[_Place | Skipped] = [_Place(source, os.path.abspath(source))]
    while waiting:
        place = waiting.pop()
        found = place if isinstance(place, Skipped) else _opened(place, read, allowed)
        if isinstance(found, list):
            waiting.extend(reversed(found))
        else:
            yield found


class _Place(NamedTuple):
    """A file or folder to be read, of which `folder` tags a file, and `name` the files in it if it is a folder."""

    path: str
    absolute_path: str
    folder: str | None = None
    name: str | None = None
    ancestors: tuple[tuple[int, int], ...] = ()  # device and number of the folders around it
    links: int = 0  # passed on the way here


def _opened(place: _Place, read: set[tuple[int, int]], allowed: Callable[[str], bool]) -> SourceFile | Skipped | list[_Place | Skipped]:
    """The file, or what lies in the folder. One stat, and no other call to the system but the listing: a run over known pictures does
    little else."""
    try:
        status = os.stat(place.path)
        entries = sorted(os.scandir(place.path), key=lambda entry: entry.name) if stat.S_ISDIR(status.st_mode) else None
    except OSError as error:
        return Skipped(printable(place.path), "unreadable", error.strerror or "")
    if entries is None:
        return _disk_file(place.path, place.absolute_path, place.folder, status)
    here = (status.st_dev, status.st_ino)
    if here in place.ancestors:
        return Skipped(printable(place.path), "unreadable", "a link to a folder that holds it")
    if place.links > 1 and here in read:  # or 40 folders with two links each to the next would be 2 ** 40 paths
        return Skipped(printable(place.path), "unreadable", "a link behind a link to a folder that was read already")
    read.add(here)
    ancestors = (*place.ancestors, here)
    return [_inside(place, entry, ancestors, allowed) for entry in entries]


def _inside(folder: _Place, entry: os.DirEntry, ancestors: tuple, allowed: Callable[[str], bool]) -> _Place | Skipped:
    linked = entry.is_symlink()
    if linked and not allowed(entry.path):
        return Skipped(printable(entry.path), "unreadable", "a link that leads out of the allowed folders")
    inside = os.path.join(folder.absolute_path, entry.name)
    return _Place(entry.path, inside, folder.name, entry.name, ancestors, folder.links + linked)


def _disk_file(path: str, absolute_path: str, folder: str | None, status: os.stat_result) -> SourceFile | Skipped:
    if not stat.S_ISREG(status.st_mode):
        return Skipped(printable(path), "unreadable", "not a regular file")
    return SourceFile(
        printable(path), printable(absolute_path), folder and printable(folder), None, status.st_size, status.st_mtime_ns,
        lambda: open(path, "rb"),
    )


def is_zip_file(path: str | os.PathLike) -> bool:
    """By content, whatever the file is called; False for folders and what cannot be read."""
    try:
        return os.path.isfile(path) and is_zip(next(disk_files(path)))
    except Skip:
        return False


def looks_like_an_image(file: SourceFile) -> bool:
    """By its first bytes, before anything is decoded."""
    try:
        return begins_like_an_image(file.head())
    except Skip:
        return False


def dataset_name(source: str | os.PathLike) -> str:
    path = Path(source).resolve()
    return path.name if path.is_dir() else path.stem


def _finish(file: SourceFile, outcome: dict | Skip, crop: bytes = b"") -> Picture | Skipped:
    if isinstance(outcome, Skip):
        return Skipped(file.file_path, outcome.reason, outcome.detail)
    side = round((len(crop) / 3) ** 0.5)
    pixels = np.frombuffer(crop, np.uint8).reshape(side, side, 3) if crop else None
    return Picture(file, **outcome, crop=pixels)


def _count_content(items: Iterator[Item]) -> Iterator[Item]:
    counts: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Picture) and item.file.archive_path:
            counts[item.file.archive_path] += 1
        if isinstance(item, Archive):
            item = replace(item, n_content=counts.pop(item.file.file_path, 0))
        yield item
