"""How far the reading of a source is: a bar over its files, and a line for each that was skipped."""
import os
from typing import TYPE_CHECKING

from cache.progress import is_watched, progress_bar, say
from cache.reader.batches import Batch
from cache.reader.source_file import Skipped
from cache.text import on_one_line

if TYPE_CHECKING:
    from tqdm import tqdm

SKIPS_SHOWN = 20


class FileProgress:
    """A store of batches.record() that shows how far it is, and names each skipped file, on stderr. Its bar
    is closed when the stream has ended: what is written afterwards would count into its rate."""

    def __init__(self, source: str | os.PathLike[str], database: str):
        """database: where the table `skipped` names them all."""
        self._database = database
        self._bar = file_bar(source)
        self._skips = 0

    def __enter__(self) -> "FileProgress":
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()
        if self._skips > SKIPS_SHOWN:
            more = self._skips - SKIPS_SHOWN
            say(f"... and {more} more skipped files: see the table `skipped` of {self._database}")

    def add(self, batch: Batch) -> None:
        self._bar.update(len(batch.items))
        for skip in batch.of(Skipped):
            self._skips += 1
            if self._skips <= SKIPS_SHOWN:
                detail = skip.detail and f" ({skip.detail})"
                say(on_one_line(f"skipped {skip.file_path}: {skip.reason}{detail}"))


def file_bar(source: str | os.PathLike[str]) -> "tqdm":
    """A bar over the files of a folder, which are only counted if anybody sees it."""
    return progress_bar(_count_files(source) if is_watched() else None, "files")


def _count_files(source: str | os.PathLike[str]) -> int | None:
    """None for a ZIP or a picture."""
    if not os.path.isdir(source):
        return None
    return sum(len(file_names) for _, _, file_names in os.walk(os.fspath(source)))
