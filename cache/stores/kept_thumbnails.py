"""The thumbnails of a run or of a page: of one or more tables, of which the first is written to.

Nothing fails because of a thumbnail: a table that is not there, or in trouble, is done without. But one that
cannot be cleared is refused.
"""
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TypeVar

from cache.progress import say
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, Thumbnail
from cache.refusal import Missing, Refused
from cache.stores.cache_answers import cleared
from cache.stores.file_table import FileTable
from cache.stores.sqlite_errors import DatabaseError, is_trouble
from cache.stores.sqlite_table import Table
from cache.stores.thumbnail_table import ThumbnailTable
from cache.text import on_one_line

THUMBNAILS = "thumbnail_cache.sqlite"
TROUBLE = (Refused, DatabaseError, OSError)

Answer = TypeVar("Answer")


class KeptThumbnails:
    """Also a store of batches.record(). Use as a context manager."""

    def __init__(self, own: ThumbnailTable | None = None, others: Iterable[ThumbnailTable] = ()):
        """own: where new ones go; None: nowhere."""
        self._own = own
        self._tables = [*([own] if own else []), *others]
        self._stack = ExitStack()
        for table in self._tables:
            self._stack.callback(table.close)

    def __enter__(self) -> "KeptThumbnails":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def are_wanted_of(self, picture: Picture) -> bool:
        """For images(): of a picture that is decoded whether it is to be kept. Asked from several threads."""
        return self._own is not None and not any(
            self._asked(table, lambda table: table.has(picture.hash_id), False) for table in self._tables)

    def jpeg(self, hash_id: str) -> bytes | None:
        for table in self._tables:
            jpeg = self._asked(table, lambda table: table.jpeg(hash_id), None)
            if jpeg:
                return jpeg
        return None

    def keep(self, thumbnails: Sequence[Thumbnail]) -> None:
        """In one transaction."""
        own = self._own  # asked once: the threads of a run may find it in trouble at any moment
        if own and thumbnails:
            self._asked(own, lambda table: table.add(thumbnails), None)

    def add(self, batch: Batch) -> None:
        self.keep(batch.thumbnails)

    def _asked(
        self, table: ThumbnailTable, ask: Callable[[ThumbnailTable], Answer], otherwise: Answer,
    ) -> Answer:
        """A table in trouble is not asked again."""
        try:
            return ask(table)
        except TROUBLE as error:
            if isinstance(error, DatabaseError) and not is_trouble(error):
                raise
            self._tables = [known for known in self._tables if known is not table]
            if table is self._own:
                self._own = None
                say(on_one_line(f"no more thumbnails are kept in {table.path}: {error}"))
            return otherwise


def thumbnails_of_run(
    folder: str | os.PathLike, wanted: bool = True, other_folder: str | os.PathLike | None = None,
) -> KeptThumbnails:
    """Of a run that writes into `folder`, where the table is made if need be; it also reads that in
    `other_folder`. Without any if none are wanted."""
    if not wanted:
        return KeptThumbnails()
    own = _opened(folder, create=True)
    other = None
    if other_folder is not None and not _is_same(folder, other_folder):
        other = _opened(other_folder)
    return KeptThumbnails(own, [other] if other else [])


def thumbnails_in(*folders: str | os.PathLike) -> KeptThumbnails:
    """Of a page, as far as they are there: it makes none. What it has to open goes into the first that may be
    written."""
    different = dict.fromkeys(map(os.path.realpath, folders))
    tables = [table for table in map(_opened, different) if table]
    own = next((table for table in tables if table.may_be_written), None)
    return KeptThumbnails(own, [table for table in tables if table is not own])


def cleared_with_thumbnails(kind: type[Table], db_path: str | os.PathLike, delete: bool) -> dict:
    """cleared(), also of the thumbnails beside a file cache, or beside another cache where there is none:
    nobody expects pictures to stay. Raises Refused where they cannot go."""
    kind(db_path).close()  # refuses what is another database, before anything has gone
    folder = os.path.dirname(db_path)
    if kind is FileTable or not os.path.exists(os.path.join(folder, "file_cache.sqlite")):
        path = os.path.join(folder, THUMBNAILS)
        if os.path.exists(path) and not os.path.islink(path):
            _clear(path, delete)
    return cleared(kind, os.fspath(db_path), delete)


def _clear(path: str, delete: bool) -> None:
    if delete:  # as a whole or not at all: somebody may have it open
        ThumbnailTable.delete_file(path)
        return
    with ThumbnailTable(path) as table:
        table.clear()


def _opened(folder: str | os.PathLike, create: bool = False) -> ThumbnailTable | None:
    path = os.path.join(folder, THUMBNAILS)
    try:
        if os.path.islink(path):  # it may belong to somebody else
            raise Refused(f"{path} is a link")
        return ThumbnailTable(path, create)
    except Missing:
        return None
    except TROUBLE as error:
        if create:
            say(on_one_line(f"no thumbnails are kept: {error}"))
        return None


def _is_same(one: str | os.PathLike, other: str | os.PathLike) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
