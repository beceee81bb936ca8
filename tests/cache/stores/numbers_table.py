"""The smallest table there can be, for tests of what all have in common."""
from collections.abc import Iterable
from dataclasses import dataclass

from cache.reader.source_file import Skipped
from cache.stores.table_of_files import TableOfFiles


@dataclass
class Listed:
    """What a run has read and skipped."""

    read: Iterable[tuple[str, str | None]] = ()
    skipped: Iterable[Skipped] = ()

    def places(self) -> Iterable[tuple[str, str | None]]:
        return self.read

    def skips(self) -> Iterable[Skipped]:
        return self.skipped


class Numbers(TableOfFiles):
    name = "numbers"
    schema = ("CREATE TABLE numbers(value INTEGER, absolute_path TEXT, hash_id TEXT)",)

    def fill(self, values: Iterable[int], path: str = "/x/{}") -> None:
        rows = ((value, path.format(value)) for value in values)
        with self.connection as connection:
            connection.executemany("INSERT INTO numbers VALUES (?, ?, 'h')", rows)

    def values(self) -> list[int]:
        rows = self.connection.execute("SELECT value FROM numbers ORDER BY value")
        return [row["value"] for row in rows]
