"""A database read without a byte written, neither to it nor beside it: it may be a stranger's, or in use."""
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from cache.stores.sqlite_file import connect

SIDE_FILES = ("-wal", "-shm", "-journal")  # https://www.sqlite.org/tempfiles.html


@contextmanager
def opened_untouched(path: str) -> Iterator[sqlite3.Connection]:
    """A connection for reading. Raises Refused if the file cannot be opened.

    SQLite's own read-only mode makes a -wal and a -shm beside every database of ours, and leaves them.
    """
    with ExitStack() as stack:
        if _has_log_and_index(path):
            where, mode = path, "ro&readonly_shm=1"  # as one reader more, beside those who write
        elif is_quiet(path):
            where, mode = path, "ro&immutable=1"
        else:  # what was interrupted must be read back first, and that changes files
            where, mode = _copied(path, stack.enter_context(tempfile.TemporaryDirectory())), "rw"
        connection = stack.enter_context(closing(connect(where, mode)))
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")  # ours has none, others' could take hours
        yield connection


def is_quiet(path: str | os.PathLike) -> bool:
    """Nobody has it open, and nothing is left to be read back: then its file alone is all there is."""
    return not _has_log_and_index(path) and _sizes(path, "-wal", "-journal") == [0, 0]


def change_mark(path: str) -> list[int] | None:
    """Differs after a change of the database; None where SQLite's locks see to it that one moment is read."""
    if _has_log_and_index(path):
        return None
    return [os.stat(path).st_mtime_ns, *_sizes(path, "", "-wal", "-journal")]


def _has_log_and_index(path: str | os.PathLike) -> bool:
    return all(os.path.exists(os.path.realpath(os.fspath(path)) + suffix) for suffix in ("-wal", "-shm"))


def _sizes(path: str | os.PathLike, *suffixes: str) -> list[int]:
    files = [Path(os.path.realpath(os.fspath(path)) + suffix) for suffix in suffixes]
    return [file.stat().st_size if file.is_file() else 0 for file in files]


def _copied(path: str, folder: str) -> str:
    for suffix in ("", *SIDE_FILES):
        source = os.path.realpath(path) + suffix
        if os.path.isfile(source):
            shutil.copyfile(source, os.path.join(folder, "copy" + suffix))
    return os.path.join(folder, "copy")
