"""Which databases of ours lie in a folder, told by their headers: for pages that show what there is."""
import os
from collections.abc import Iterator
from contextlib import ExitStack

from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.dataset_table import DatasetTable
from cache.stores.file_table import FileTable
from cache.stores.score_table import Stage3Table, Stage4Table, ZipScoreTable
from cache.stores.sqlite_file import APPLICATION_ID
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable
from cache.text import printable

KINDS: tuple[type[Table], ...] = (FileTable, ClipTable, TagTable, Stage3Table, Stage4Table, ZipScoreTable, DatasetTable)
SCORES = (Stage3Table, Stage4Table)
MOST_FOLDERS = 5000  # looked into below one root
HEADER_BYTES = 72  # the application id is the last four of these: https://www.sqlite.org/fileformat.html


def databases(root: str) -> Iterator[tuple[str, str]]:
    """(path, table) of every database of ours below a folder; hidden folders and links are passed over."""
    for number, (folder, folders, names) in enumerate(os.walk(root)):
        if number == MOST_FOLDERS:
            return
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(folder, name)
            kind = _own_kind(path)
            if kind:
                yield path, kind.name


def _own_kind(path: str) -> type[Table] | None:
    """Of a real file with the name of a database, not of a link, whose name is text."""
    named = path.endswith((".sqlite", ".db")) and printable(path) == path
    return table_of(path) if named and not os.path.islink(path) else None


def table_of(path: str) -> type[Table] | None:
    """The kind of a database of ours, None for anything else."""
    if not os.path.isfile(path):  # to open a pipe would wait for its other end
        return None
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return None
    if len(header) < HEADER_BYTES or int.from_bytes(header[68:], "big") != APPLICATION_ID:
        return None
    for kind in KINDS:
        try:
            kind(path).close()
            return kind
        except Refused:
            continue
    return None


class Surroundings:
    """What the databases beside a cache know about an image: its tags, its scores, its vector."""

    def __init__(self, db_path: str):
        self._stack = ExitStack()
        self._tables: dict[type[Table], Table] = {}
        folder = os.path.dirname(os.path.realpath(db_path))
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            kind = _own_kind(path)
            if kind and kind not in self._tables:
                self._tables[kind] = self._stack.enter_context(kind(path))

    def __enter__(self) -> "Surroundings":
        return self

    def __exit__(self, *error) -> None:
        self._stack.close()

    def path_of(self, kind: type[Table]) -> str | None:
        return self._tables[kind].path if kind in self._tables else None

    def tags(self, hash_id: str) -> list[str]:
        found = TagTable in self._tables and self._tables[TagTable].tags(hash_id)
        return found["tags"] if found else []

    def scores(self, hash_id: str) -> list[dict]:
        """Under every model once, each with the database it stands in."""
        rows = [{**row, "db_path": self._tables[kind].path} for kind in SCORES if kind in self._tables
                for row in self._tables[kind].of_image(hash_id)]
        return list({(row["model_type"], row["tag_name"]): row for row in reversed(rows)}.values())

    def neighbours(self, hash_id: str, count: int = 12) -> list[dict]:
        clips = self._tables.get(ClipTable)
        return next((found for model in clips.models() if (found := clips.neighbours(hash_id, model, count))), []) if clips else []
