"""A run's own database: its rows by name, on disk, gone with it."""
import os
import sqlite3
from pathlib import Path

import pytest

from cache.stores.private_database import PrivateDatabase

SCHEMA = """CREATE TABLE file(position INTEGER PRIMARY KEY, path TEXT);
            CREATE INDEX file_path ON file(path);"""
DESCRIPTORS = Path("/proc/self/fd")


def fill(database: PrivateDatabase, paths: list[str]) -> None:
    database.connection.executemany("INSERT INTO file VALUES (NULL, ?)", ((path,) for path in paths))


def temporary_files() -> list[str]:
    """Of SQLite, as the operating system lists what this process has open."""
    targets = [os.readlink(descriptor) for descriptor in DESCRIPTORS.iterdir() if descriptor.is_symlink()]
    return [target for target in targets if "etilqs" in target]


def test_rows_are_read_by_name_and_are_gone_with_the_run():
    with PrivateDatabase(SCHEMA) as database:
        fill(database, ["a.png", "b.png"])
        rows = [dict(row) for row in database.connection.execute("SELECT * FROM file ORDER BY position")]
    assert rows == [{"position": 1, "path": "a.png"}, {"position": 2, "path": "b.png"}]
    with pytest.raises(sqlite3.ProgrammingError, match="Cannot operate on a closed database"):
        database.connection.execute("SELECT * FROM file")


def test_two_of_them_share_nothing_and_leave_nothing_in_the_folder(here):
    with PrivateDatabase(SCHEMA) as first, PrivateDatabase(SCHEMA) as second:
        fill(first, ["a.png"])
        assert second.connection.execute("SELECT count(*) FROM file").fetchone()[0] == 0
        assert list(here.iterdir()) == []


def test_a_subclass_is_itself_inside_its_block():
    class Listing(PrivateDatabase):
        def size(self) -> int:
            return self.connection.execute("SELECT count(*) FROM file").fetchone()[0]

    with Listing(SCHEMA) as listing:
        fill(listing, ["a.png", "b.png"])
        assert listing.size() == 2


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="only Linux lists what a process has open")
def test_what_is_large_lies_on_disk_as_long_as_the_run_lasts():
    with PrivateDatabase(SCHEMA) as database:
        with database.connection:
            fill(database, ["x" * 1000 + str(number) for number in range(8000)])  # 16 MB with its index
        assert temporary_files() != []
    assert temporary_files() == []
