"""What one run remembers of all its files: on disk, so that memory does not grow with their number."""
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class PrivateDatabase:
    """Tables that nobody else sees, in a temporary file of SQLite's that goes with the run, killed or not.

    Use as a context manager, itself or a subclass with questions of its own. Rows are sqlite3.Row; what was
    written is read at once, also before `with database.connection:` has ended its transaction.
    """

    def __init__(self, schema: str):
        """`schema` is a script: CREATE statements, each with its semicolon."""
        self.connection = sqlite3.connect("")  # no name: https://www.sqlite.org/inmemorydb.html#temp_db
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(schema)

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()
