"""How far the reading of a source is: a bar over its files, and a line for each that was skipped."""
import os
from typing import TYPE_CHECKING

from cache.limits import NO_FAULT
from cache.progress import is_watched, progress_bar, say
from cache.reader.batches import Batch
from cache.reader.hidden import is_hidden_name
from cache.reader.source_file import Skipped
from cache.text import on_one_line

if TYPE_CHECKING:
    from tqdm import tqdm

SKIPS_SHOWN = 20


class FileProgress:
    """A store of batches.record() that shows how far it is, and names each skipped file, on stderr, but for
    those that are no fault. Its bar is closed when the stream has ended: what is written afterwards would
    count into its rate."""

    def __init__(self, source: str | os.PathLike[str], database: str, include_hidden: bool = False):
        """database: where the table `skipped` names them all."""
        self._database = database
        self._bar = file_bar(source, include_hidden)
        self._skips = 0
        self._hidden = 0  # counted apart: a NAS has a folder of thumbnails in every folder

    def __enter__(self) -> "FileProgress":
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()
        if self._skips > SKIPS_SHOWN:
            more = self._skips - SKIPS_SHOWN
            say(f"... and {more} more skipped files: see the table `skipped` of {self._database}")
        if self._hidden:
            say(f"left out as hidden: {self._hidden:,}; --include_hidden reads them")

    def add(self, batch: Batch) -> None:
        self._bar.update(len(batch.items))
        for skip in batch.of(Skipped):
            self._hidden += skip.reason == "hidden"
            if skip.reason in NO_FAULT:
                continue
            self._skips += 1
            if self._skips <= SKIPS_SHOWN:
                detail = skip.detail and f" ({skip.detail})"
                say(on_one_line(f"skipped {skip.file_path}: {skip.reason}{detail}"))


def file_bar(source: str | os.PathLike[str], include_hidden: bool = False) -> "tqdm":
    """A bar over the files of a folder, which are only counted if anybody sees it."""
    return progress_bar(_count_files(source, include_hidden) if is_watched() else None, "files")


def _count_files(source: str | os.PathLike[str], include_hidden: bool) -> int | None:
    """None for a ZIP or a picture. A hidden folder counts as one file, as it does in the stream."""
    if not os.path.isdir(source):
        return None
    count = 0
    for _, folders, file_names in os.walk(os.fspath(source)):
        hidden = [] if include_hidden else [folder for folder in folders if is_hidden_name(folder)]
        count += len(file_names) + len(hidden)
        folders[:] = [folder for folder in folders if folder not in hidden]
    return count
