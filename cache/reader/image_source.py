"""Folders, single files and ZIPs nested to any depth -> one stream of what was found, in listing order.

    for item in images("photos"):
        match item:
            case Picture(): ...     # where it lies, its hash_id, type, size, and its crop if one was wanted
            case Archive(): ...     # a ZIP, after its content, with the number of pictures directly in it
            case Skipped(): ...     # a file that was left out, with a reason code of limits.REASONS
            case SetAside(): ...    # a file that `known` wants for something else

Files are opened by their content, never by their name, and only for reading.
"""
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace

import numpy as np

from cache.decoder.decoder_process import Decoded, Identity
from cache.decoder.pool import DecoderPool
from cache.formats.signatures import begins_like_an_image
from cache.limits import Limits, Skip
from cache.pixels.crop_spec import CropSpec, Wanted
from cache.reader.disk_files import anywhere, disk_files
from cache.reader.source_file import Archive, Item, Known, Picture, Skipped, SourceFile
from cache.reader.zip_reader import ENTER, ZipReader, is_zip


def images(
    source: str | os.PathLike[str],
    *,
    archives: str = ENTER,
    tagged: bool = False,
    limits: Limits = Limits(),
    num_threads: int = 4,
    window: int = 64,
    crop_for: Callable[[Picture], CropSpec | None] = lambda picture: None,
    thumbnail_for: Callable[[Picture], bool] = lambda picture: False,
    known: Known = lambda file: None,
    allowed: Callable[[str], bool] = anywhere,
) -> Generator[Item, None, None]:
    """Stream what lies under `source`, with `tagged` only what lies in some folder. known(file) may spare the
    decoding; crop_for(picture) says which crop is wanted, thumbnail_for(picture) whether a thumbnail is:
    both are called from several threads. At most `window` files are under way at once. Raises Missing if
    there is no `source`."""
    def wanted_of(file: SourceFile, identity: Identity) -> Wanted:
        picture = Picture(file, **identity)
        return Wanted(crop_for(picture), thumbnail_for(picture))

    files = walk(source, archives, tagged=tagged, limits=limits, known=known, allowed=allowed)
    with DecoderPool(num_threads, window, limits) as pool:
        yield from _with_contents_counted(pool.map(files, _item, wanted_of))


def walk(
    source: str | os.PathLike[str],
    archives: str = ENTER,
    *,
    tagged: bool = False,
    limits: Limits = Limits(),
    known: Known = lambda file: None,
    allowed: Callable[[str], bool] = anywhere,
) -> Iterator[SourceFile | Item]:
    """What lies under `source` before any decoding: a SourceFile begins like a picture, a Picture or SetAside
    is what known(file) said, and Archive and Skipped as in images()."""
    zips = ZipReader(limits, archives, tagged, known)
    for file in disk_files(source, allowed, limits.include_hidden):
        if isinstance(file, Skipped):
            yield file
        else:
            yield from zips.expand(file)


def is_zip_file(path: str | os.PathLike[str]) -> bool:
    """By content, whatever the file is called; False for folders and what cannot be read."""
    if not os.path.isfile(path):
        return False
    try:
        file = next(disk_files(path))
        return isinstance(file, SourceFile) and is_zip(file)
    except Skip:
        return False


def looks_like_an_image(file: SourceFile) -> bool:
    """By its first bytes, before anything is decoded."""
    try:
        return begins_like_an_image(file.head())
    except Skip:
        return False


def _item(file: SourceFile, outcome: Decoded | Skip) -> Picture | Skipped:
    if isinstance(outcome, Skip):
        return Skipped(file.file_path, outcome.reason, outcome.detail)
    pixels = None
    if outcome.crop:
        side = round((len(outcome.crop) / 3) ** 0.5)
        pixels = np.frombuffer(outcome.crop, np.uint8).reshape(side, side, 3)
    thumbnail = outcome.thumbnail or None
    return Picture(file, **outcome.identity, crop=pixels, thumbnail=thumbnail, box=outcome.box)


def _with_contents_counted(items: Iterable[Item]) -> Iterator[Item]:
    """Each archive comes behind its pictures, and learns here how many there were."""
    counts: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Picture) and item.file.archive_path:
            counts[item.file.archive_path] += 1
        if isinstance(item, Archive):
            yield replace(item, n_content=counts.pop(item.file.file_path, 0))
        else:
            yield item
