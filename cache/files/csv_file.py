"""Rows as a CSV file: UTF-8, a header, one line each."""
import csv
import io
import os
from collections.abc import Iterable, Sequence

from cache.files.whole_file import whole_file


def write_csv(path: str | os.PathLike, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Streamed; None is an empty field."""
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        try:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        finally:
            text.detach()  # flushed, and left open for who opened it
