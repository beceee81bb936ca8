"""Databases as version 1 of the tables had them: without homes, stamps and checksums."""
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing

from cache.stores.clip_table import ClipTable
from cache.stores.file_table import FileTable
from cache.stores.sqlite_file import APPLICATION_ID, SKIPPED_SCHEMA
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable

CACHES = {"file_cache": FileTable, "clip_cache": ClipTable, "tag_cache": TagTable}


def schemas_of(kind: type[Table]) -> tuple[tuple[str, ...], ...]:
    """Those of version 1; a table to which version 2 added nothing has the one of today."""
    return tuple(schema for schema in (*kind.older_schemas, kind.schema) if is_of_version_1(schema))


def is_of_version_1(schema: tuple[str, ...]) -> bool:
    return not any(name in schema[0] for name in ("checksum INTEGER", "stamp TEXT"))


def draw(path: str, kind: type[Table], rows: Iterable[Mapping] = (), schema: tuple[str, ...] = ()) -> None:
    """Columns that version 1 did not have are left out."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        with connection:
            for statement in (*(schema or schemas_of(kind)[0]), SKIPPED_SCHEMA):
                connection.execute(statement)
            for row in rows:
                facts = {name: value for name, value in row.items() if name not in ("stamp", "checksum")}
                places = ", ".join("?" * len(facts))
                connection.execute(
                    f"INSERT INTO {kind.name}({', '.join(facts)}) VALUES ({places})", tuple(facts.values()))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("PRAGMA user_version = 1")


def rows_of(path: str, kind: type[Table]) -> list[dict]:
    with kind(path) as table:
        return [dict(row) for row in table.connection.execute(f"SELECT * FROM {kind.name} ORDER BY rowid")]


def drawn_anew(path: str, kind: type[Table], rows: Iterable[Mapping] | None = None) -> None:
    """A database of today as version 1 would have had it, or with these rows."""
    kept = rows_of(path, kind) if rows is None else rows
    kind.delete_file(path)
    draw(path, kind, kept)


def caches_drawn_anew(folder: str = "output") -> None:
    for name, kind in CACHES.items():
        drawn_anew(f"{folder}/{name}.sqlite", kind)


def version(path: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]
