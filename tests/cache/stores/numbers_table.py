"""The smallest table there can be, for tests of what all have in common."""
from collections.abc import Iterable

from cache.stores.sqlite_table import Table


class Numbers(Table):
    name = "numbers"
    schema = ("CREATE TABLE numbers(value INTEGER, absolute_path TEXT)",)

    def fill(self, values: Iterable[int], path: str = "/x/{}") -> None:
        rows = ((value, path.format(value)) for value in values)
        with self.connection as connection:
            connection.executemany("INSERT INTO numbers VALUES (?, ?)", rows)

    def values(self) -> list[int]:
        rows = self.connection.execute("SELECT value FROM numbers ORDER BY value")
        return [row["value"] for row in rows]
