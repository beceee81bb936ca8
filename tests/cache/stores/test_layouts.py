"""What every database of ours consists of: a contract with who reads it, and with databases there are."""
import sqlite3
from contextlib import closing
from hashlib import sha256

import pytest

from cache.stores.clip_table import ClipTable
from cache.stores.databases import KINDS
from cache.stores.dataset_table import DatasetTable
from cache.stores.file_table import FileTable
from cache.stores.score_table import ScoreTable, Stage3Table, Stage4Table, ZipScoreTable
from cache.stores.sqlite_file import APPLICATION_ID
from cache.stores.tag_table import TagTable
from cache.stores.thumbnail_table import ThumbnailTable

OF_FILES = (
    "file_name path hash_id type is_archive n_content container_archive "
    "absolute_path size_bytes mtime_ns width height old_hash_id stamp")
OF_STAGE_3 = "file_name file_path type hash_id model_type tag_name tag_prob decision absolute_path checksum"
OF_STAGE_4 = (
    "file_name file_path archive_path type n_img_content hash_id "
    "model_type tag_name tag_prob decision absolute_path checksum")


@pytest.mark.parametrize("table", KINDS)
def test_every_database_is_marked_versioned_in_wal_mode_and_has_a_table_of_skipped_files(here, table):
    table.create("a.sqlite")
    with closing(sqlite3.connect("a.sqlite")) as connection:
        def one(query: str) -> object:
            return connection.execute(query).fetchone()[0]

        assert one("PRAGMA application_id") == APPLICATION_ID
        assert one("PRAGMA user_version") == 2
        assert one("PRAGMA journal_mode") == "wal"
        large = {ThumbnailTable: 8192, ClipTable: 16384}
        assert one("PRAGMA page_size") == (16384 if issubclass(table, ScoreTable) else large.get(table, 4096))
        assert one(f"SELECT count(*) FROM sqlite_master WHERE name = '{table.name}'") == 1
        skipped = connection.execute("PRAGMA table_info(skipped)")
        assert [row[1] for row in skipped] == ["file_path", "reason", "detail"]


@pytest.mark.parametrize(("table", "columns"), [
    (FileTable, OF_FILES),
    (ClipTable, "hash_id model precision clip_vector checksum"),
    (TagTable, "hash_id tag path absolute_path"),
    (DatasetTable, "file_name file_path type hash_id absolute_path"),
    (Stage3Table, OF_STAGE_3),
    (Stage4Table, OF_STAGE_4),
    (ZipScoreTable, OF_STAGE_4),
    (ThumbnailTable, "hash_id jpeg checksum old_hash_id"),
])
def test_columns_are_a_contract(here, table, columns):
    with table("a.sqlite", create=True) as opened:
        rows = opened.connection.execute(f"PRAGMA table_info({table.name})")
        assert [row["name"] for row in rows] == columns.split()


VERSION_1 = [
    (FileTable, "fc2cf8e3ad0ff903"), (ClipTable, "c5370a8474094d24"), (TagTable, "e264e40fc11c7229"),
    (DatasetTable, "0a2ee9a6911dcc1a"), (Stage3Table, "cd49541094076672"), (Stage4Table, "0170f24f5626eaa4"),
    (ZipScoreTable, "738bf530fb7ce0f2"),
]
VERSION_2 = [
    (FileTable, "5b7ebd55ce317f6d"), (ClipTable, "3cc99fe2a114e588"),
    (TagTable, "e264e40fc11c7229"), (DatasetTable, "0a2ee9a6911dcc1a"),
    (Stage3Table, "7600877ef6eb3a24"), (Stage4Table, "ac7fa5e14ea24aa9"),
    (ZipScoreTable, "c78945d838778dd2"),
]


@pytest.mark.parametrize(("table", "digest"), VERSION_2)
def test_a_statement_stays_as_it_is_to_the_last_blank(table, digest):
    """A database is known by the statements that made it: with another blank it would be refused."""
    assert digest_of(table.schema) == digest


@pytest.mark.parametrize(("table", "digest"), VERSION_1)
def test_the_statements_of_version_1_are_still_known(table, digest):
    assert digest in {digest_of(schema) for schema in (table.schema, *table.older_schemas)}


def digest_of(schema: tuple[str, ...]) -> str:
    return sha256("\n".join(schema).encode()).hexdigest()[:16]
