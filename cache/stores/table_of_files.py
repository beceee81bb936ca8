"""What the tables with a row per file have in common: which rows a whole run leaves, where their files lie
today."""
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from cache.files.paths import absolute_path
from cache.reader.source_file import Skipped
from cache.stores.sqlite_file import home_of
from cache.stores.sqlite_table import Table
from cache.stores.whereabouts import Whereabouts, read_whereabouts, status_on_disk
from cache.text import printable

NOT_LOOKED_AT = {"unreadable", "outside_tag_folder"}  # a run says nothing of what it skips for these reasons


class Listing(Protocol):
    """What a whole run has read under its source."""

    def places(self) -> Iterable[tuple[str, str | None]]:
        """(absolute path, hash_id) of every picture and every ZIP; a ZIP has no hash."""
        ...

    def skips(self) -> Iterable[Skipped]: ...


class TableOfFiles(Table):
    """A table with the columns absolute_path and hash_id. A run that writes (`create`) takes its rows along
    to where the database was moved together with the files."""

    def __init__(self, path: str | os.PathLike, create: bool = False):
        super().__init__(path, create)
        with self.closed_on_error():
            self.whereabouts = read_whereabouts(self.connection, path)
            if create and self.whereabouts.moved:
                self._follow_the_move()

    def keep_only(self, source: str | os.PathLike, listing: Listing) -> None:
        """After a whole run over `source`: delete what this table says about files there that the run has not
        read, or has read as another picture, and about skipped files that are not skipped any more."""
        with self.connection:
            self.forget_missing(source, listing)
            self.forget_other_skips(source, listing.skips())

    def forget_missing(self, source: str | os.PathLike, listing: Listing) -> None:
        """Within the caller's transaction: the rows of such files. A source without any file may be a disk
        that is not there just now: nothing of it is forgotten."""
        connection = self.connection
        connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS present(absolute_path TEXT PRIMARY KEY, hash_id TEXT)")
        connection.execute("DELETE FROM present")
        connection.executemany("INSERT OR IGNORE INTO present VALUES (?, ?)", listing.places())
        if self._is_empty(listing):
            return
        unseen = {
            printable(absolute_path(skip.file_path))
            for skip in listing.skips() if skip.reason in NOT_LOOKED_AT}
        not_present = self._not_present(printable(absolute_path(source)))
        seen = (path for path in not_present if not _lies_in_one_of(unseen, path))
        self.forget([path for path in seen if not self.is_still_true(path)])

    def _is_empty(self, listing: Listing) -> bool:
        """Whether a run has found no file, but for hidden ones."""
        has_places = self.connection.execute("SELECT 1 FROM present LIMIT 1").fetchone() is not None
        return not has_places and all(skip.reason == "hidden" for skip in listing.skips())

    def forget(self, absolute_paths: Sequence[str]) -> None:
        """Within the caller's transaction."""
        paths = ((path,) for path in absolute_paths)
        self.connection.executemany(f"DELETE FROM {self.name} WHERE absolute_path = ?", paths)

    def is_still_true(self, path: str) -> bool:
        """Of a file that the run has not read: whether its row stays."""
        return False

    def _not_present(self, place: str) -> Iterator[str]:
        query = f"""
            SELECT file.absolute_path
            FROM ({self.files_under}) AS file LEFT JOIN present USING (absolute_path)
            WHERE present.absolute_path IS NULL OR present.hash_id IS NOT file.hash_id"""
        for separator in {"/", os.sep}:
            start = place.rstrip(separator) + separator
            end = start[:-1] + chr(ord(separator) + 1)
            rows = self.connection.execute(query, {"place": place, "start": start, "end": end})
            yield from (path for path, in rows.fetchall())

    @property
    def files_under(self) -> str:
        """A query for the absolute_path and hash_id of every file that is at, or lies under, :place. The
        index on absolute_path finds the range from :start, "place/", to :end, the character behind "/"."""
        return f"""SELECT absolute_path, hash_id FROM {self.name}
            WHERE absolute_path = :place OR absolute_path >= :start AND absolute_path < :end"""

    def places(self, hash_id: str) -> Iterator[str]:
        """Absolute paths at which a picture with this hash may lie. Nothing is looked up on the disk."""
        return self.places_by("hash_id", hash_id)

    def places_by(self, column: str, digest: str) -> Iterator[str]:
        query = f"SELECT DISTINCT absolute_path FROM {self.name} WHERE {column} = ?"
        for path, in self.connection.execute(query, (digest,)).fetchall():
            if isinstance(path, str):  # the file may come from anybody
                yield from self.whereabouts.candidates(path)

    def _follow_the_move(self) -> None:
        """Files that lie as they did from the database's own folder are the same ones, in their new place."""
        folder = printable(home_of(self.path))
        with self.connection as connection:
            texts = f"SELECT DISTINCT absolute_path FROM {self.name} WHERE typeof(absolute_path) = 'text'"
            rows = connection.execute(texts).fetchall()
            moves = ((self._place_now(path), path) for path, in rows)
            connection.executemany(
                f"UPDATE OR REPLACE {self.name} SET absolute_path = ? WHERE absolute_path = ?",
                ((new, old) for new, old in moves if new != old))
            connection.execute("UPDATE home SET folder = ?", (folder,))
        self.whereabouts = Whereabouts(folder, folder)

    def _place_now(self, path: str) -> str:
        """Of a file that lies at neither place, the new one: a run there finds out that it is gone."""
        new, old = self.whereabouts.candidates(path)
        return new if status_on_disk(new) or not status_on_disk(old) else old


def _lies_in_one_of(places: set[str], path: str) -> bool:
    """Whether an absolute path is that of one of these files and folders, or of something in one."""
    while path not in places and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path in places
