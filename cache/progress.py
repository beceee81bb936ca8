"""How far a run is, on stderr: a bar where that is a terminal, and a line for each skipped file."""
import os
import sys

from cache.reader.batches import Batch
from cache.reader.source_file import Skipped
from cache.text import on_one_line

SKIPS_SHOWN = 20


class Progress:
    """A store of batches.record() that shows how far it is, and names each skipped file, on stderr. The bar needs a terminal."""

    def __init__(self, source: str | os.PathLike, database: str):
        """database: where the table `skipped` names them all."""
        self._database = database
        self._bar = new_bar(source)
        self._skips = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error) -> None:
        self._bar.close()
        if self._skips > SKIPS_SHOWN:
            print(f"... and {self._skips - SKIPS_SHOWN} more skipped files: see the table `skipped` of {self._database}", file=sys.stderr)

    def add(self, batch: Batch) -> None:
        self._bar.update(len(batch.items))
        for skip in batch.of(Skipped):
            self._skips += 1
            if self._skips <= SKIPS_SHOWN:
                detail = skip.detail and f" ({skip.detail})"
                self._bar.write(on_one_line(f"skipped {skip.file_path}: {skip.reason}{detail}"), file=sys.stderr)


def new_bar(source: str | os.PathLike):
    """A tqdm bar over the files of a folder, on stderr if that is a terminal."""
    from tqdm import tqdm

    total = _count_files(source) if sys.stderr.isatty() else None
    return tqdm(total=total, unit=" files", disable=None, smoothing=0.1)


def _count_files(source: str | os.PathLike) -> int | None:
    if os.path.isdir(source):
        return sum(len(files) for _, _, files in os.walk(source))
    return None
