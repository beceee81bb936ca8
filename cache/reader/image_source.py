"""Folders, single files and ZIPs nested to any depth -> one stream of images, archives and skipped files, in listing order.

    for item in images("photos"):
        match item:
            case Picture(): ...     # a decoded image: where it lies, its hash_id, type, size, and its crop where one was wanted
            case Archive(): ...     # a ZIP, after its content, with the number of pictures directly in it
            case Skipped(): ...     # a file that was left out, with a reason code of image_limits.REASONS

Files are opened by their content, never by their name, and only for reading.
"""
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from cache.decoder.crop_spec import CropSpec
from cache.decoder.decoder_process import CropFor, Decoded
from cache.decoder.limits import Limits, Skip
from cache.decoder.pool import DecoderPool
from cache.decoder.signatures import begins_like_an_image
from cache.reader.disk_files import anywhere, disk_files
from cache.reader.source_file import Archive, Item, Known, Picture, Skipped, SourceFile
from cache.reader.zip_reader import ENTER, ZipReader, is_zip


def images(
    source: str | os.PathLike, *, archives: str = ENTER, tagged: bool = False, limits: Limits = Limits(), num_threads: int = 4,
    window: int = 64, crop_for: Callable[[str, str | None], CropSpec | None] = lambda *hash_ids: None,
    known: Known = lambda file: None, allowed: Callable[[str], bool] = anywhere,
) -> Iterator[Item]:
    """Stream what lies under `source`, with `tagged` only what lies in some folder. known(file) may spare the decoding;
    crop_for(hash_id, old_hash_id), called from several threads, says whether a crop is wanted. Raises Missing if there is no `source`."""
    files = walk(source, archives, tagged, limits, known, allowed)
    with DecoderPool(num_threads, window, limits) as pool:
        yield from _count_content(pool.map(files, _item, crop_for))


def walk(
    source: str | os.PathLike, archives: str = ENTER, tagged: bool = False, limits: Limits = Limits(), known: Known = lambda file: None,
    allowed: Callable[[str], bool] = anywhere,
) -> Iterator[SourceFile | Item]:
    """The files under `source` before any decoding: SourceFile to be decoded, else what known(file) says, Archive, Skipped."""
    zips = ZipReader(limits, archives, tagged, known)
    for file in disk_files(source, allowed):
        if isinstance(file, Skipped):
            yield file
        else:
            yield from zips.expand(file)


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


def _item(file: SourceFile, outcome: Decoded | Skip) -> Picture | Skipped:
    if isinstance(outcome, Skip):
        return Skipped(file.file_path, outcome.reason, outcome.detail)
    pixels = None
    if outcome.crop:
        side = round((len(outcome.crop) / 3) ** 0.5)
        pixels = np.frombuffer(outcome.crop, np.uint8).reshape(side, side, 3)
    return Picture(file, **outcome.identity, crop=pixels)


def _count_content(items: Iterator[Item]) -> Iterator[Item]:
    counts: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Picture) and item.file.archive_path:
            counts[item.file.archive_path] += 1
        if isinstance(item, Archive):
            item = replace(item, n_content=counts.pop(item.file.file_path, 0))
        yield item
