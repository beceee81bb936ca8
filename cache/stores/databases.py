"""Which databases of ours lie in a folder, told by their headers: for pages that show what there is."""
import os
from collections.abc import Iterable, Iterator

from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.dataset_table import DatasetTable
from cache.stores.file_table import FileTable
from cache.stores.score_table import Stage3Table, Stage4Table, ZipScoreTable
from cache.stores.sqlite_file import APPLICATION_ID
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable
from cache.stores.thumbnail_table import ThumbnailTable
from cache.text import printable

KINDS: tuple[type[Table], ...] = (
    FileTable, ClipTable, TagTable, Stage3Table, Stage4Table, ZipScoreTable, DatasetTable, ThumbnailTable,
)
ENDINGS = (".sqlite", ".db")
MOST_FOLDERS = 5000  # looked into below one root
ID_ENDS = 72  # the application id is in the four bytes before: https://www.sqlite.org/fileformat.html


def databases(root: str) -> Iterator[tuple[str, str]]:
    """(path, table) of every database of ours below a folder; hidden folders and links are passed over."""
    for number, (folder, folders, names) in enumerate(os.walk(root)):
        if number == MOST_FOLDERS:
            return
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from ((path, kind.name) for path, kind in _of_ours(folder, names))


def databases_beside(db_path: str) -> Iterator[tuple[str, type[Table]]]:
    """(path, kind) of every database of ours in the folder of one, itself included, by name."""
    folder = os.path.dirname(os.path.realpath(db_path))
    return _of_ours(folder, os.listdir(folder))


def table_of(path: str) -> type[Table] | None:
    """The kind of a database of ours, None for anything else."""
    if not is_ours(path):
        return None
    for kind in KINDS:
        try:
            kind(path).close()
            return kind
        except Refused:
            continue
    return None


def _of_ours(folder: str, names: Iterable[str]) -> Iterator[tuple[str, type[Table]]]:
    """Real files with the name of a database, not links, whose name is text."""
    for name in sorted(names):
        path = os.path.join(folder, name)
        named = name.endswith(ENDINGS) and printable(path) == path and not os.path.islink(path)
        kind = table_of(path) if named else None
        if kind:
            yield path, kind


def is_ours(path: str) -> bool:
    """By its header alone."""
    if not os.path.isfile(path):  # to open a pipe would wait for its other end
        return False
    try:
        with open(path, "rb") as file:
            header = file.read(ID_ENDS)
    except OSError:
        return False
    return len(header) == ID_ENDS and int.from_bytes(header[-4:], "big") == APPLICATION_ID
