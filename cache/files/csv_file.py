"""Rows as a CSV file that a spreadsheet only shows: UTF-8, a header, one line each."""
import csv
import io
import os
import re
from collections.abc import Iterable, Sequence

from cache.files.whole_file import whole_file

# Text that a spreadsheet would run, see https://owasp.org/www-community/attacks/CSV_Injection; signs of full
# width, too. Apostrophes before it count with it: whoever takes one away has the text again.
FORMULA = re.compile(r"'*[=+\-@\x00\t\r\n＝＋－＠]")


def write_csv(path: str | os.PathLike, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Streamed; None is an empty field, and a text that begins like a formula gets an apostrophe in front."""
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        try:
            # Python before 3.13 leaves what ends a line without quotes, except in its own ends of lines.
            writer = csv.writer(_ShortLineEnds(text), lineterminator="\r\n")
            writer.writerow(columns)
            writer.writerows(map(_shown, rows))
        finally:
            text.detach()  # flushed, and left open for who opened it


class _ShortLineEnds:
    def __init__(self, file: io.TextIOWrapper):
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line[:-2] + "\n")


def _shown(row: Sequence) -> list:
    return [f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell for cell in row]
