"""Is a database whole, ours, and what its tables promise? Asked of every row, without a byte written."""
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from cache.stores.checksums import score_checksum
from cache.stores.clip_table import ClipTable, is_whole
from cache.stores.databases import KINDS
from cache.stores.file_changes import FileChanges, file_changes
from cache.stores.file_table import FileTable
from cache.stores.score_table import CHECKED, ScoreTable
from cache.stores.sqlite_file import APPLICATION_ID, OLDEST_VERSION, verify
from cache.stores.sqlite_table import Table
from cache.stores.thumbnail_table import COLUMNS, MOST_BYTES, ThumbnailTable, is_jpeg
from cache.stores.thumbnail_table import is_whole as is_whole_thumbnail
from cache.stores.untouched_database import opened_untouched
from cache.text import plural

MESSAGES = 3  # of integrity_check, which may have thousands
FLOAT32_BYTES = 4
CHANGED = "not as it was written, by its checksum"  # of rows of version 1 nothing can be said


@dataclass(frozen=True)
class Examination:
    verdict: Literal["whole", "damaged", "foreign", "empty", "busy"]  # empty: without any table
    faults: list[str] = field(default_factory=list)
    file_changes: FileChanges | None = None  # since a file cache was written
    widths: dict[str, int] = field(default_factory=dict)  # {encoder: features of its vectors} of a clip cache


def examine(path: str) -> Examination:
    """Raises Refused for what is no database, or has tables that this program does not know."""
    try:
        with opened_untouched(path) as connection:
            return _examined(connection, path)
    except sqlite3.OperationalError as error:
        text_that_is_no_utf8 = "decode" in str(error)
        return Examination("damaged" if text_that_is_no_utf8 else "busy", [str(error)])
    except sqlite3.DatabaseError as error:
        return Examination("damaged", [str(error)])


def _examined(connection: sqlite3.Connection, path: str) -> Examination:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {row["name"] for row in rows}
    if not tables:
        return Examination("empty")
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return Examination("foreign")
    kind = next((kind for kind in KINDS if kind.name in tables), None)
    if kind is None:
        return Examination("damaged", ["holds none of the tables of these tools"])
    has_checksums = verify(connection, path, kind) > OLDEST_VERSION
    connection.execute("BEGIN")  # every question is about the same moment, however much is written meanwhile
    broken = _broken_pages(connection)
    if broken is not None:
        return Examination("damaged", [broken])
    return _examined_rows(connection, path, kind, has_checksums)


def _broken_pages(connection: sqlite3.Connection) -> str | None:
    """What SQLite says of its own structures, on one line; None if they are whole."""
    rows = connection.execute(f"PRAGMA integrity_check({MESSAGES})")
    messages = [line for row in rows for line in row[0].splitlines()]
    if messages == ["ok"]:
        return None
    return "; ".join(line for line in messages if not line.startswith("***"))


def _examined_rows(
    connection: sqlite3.Connection, path: str, kind: type[Table], has_checksums: bool,
) -> Examination:
    faults = list(_wrong_types(connection, kind))
    changes = file_changes(connection, path) if kind is FileTable else None
    widths: dict[str, int] = {}
    if kind is ClipTable:
        sizes = _usual_sizes(connection)
        faults += _wrong_vectors(connection, sizes, has_checksums)
        widths = {model: size // FLOAT32_BYTES for model, size in sizes.items()}
    if issubclass(kind, ScoreTable) and has_checksums:
        faults += _wrong_scores(connection, kind)
    if kind is ThumbnailTable:
        faults += _wrong_thumbnails(connection)
    return Examination("damaged" if faults else "whole", faults, changes, widths)


def _wrong_types(connection: sqlite3.Connection, kind: type[Table]) -> Iterator[str]:
    """SQLite stores anything in any column; what reads it would fail far from here."""
    types: dict[str, tuple[str, ...]] = {}
    for column in connection.execute(f"PRAGMA table_info({kind.name})"):
        types[column["name"]] = (column["type"].lower(), *(() if column["notnull"] else ("null",)))
    sums = []
    for name, allowed in types.items():
        sums.append(f"sum(typeof({name}) NOT IN ({', '.join(map(repr, allowed))}))")
    counts = connection.execute(f"SELECT {', '.join(sums)} FROM {kind.name}").fetchone()
    for (name, allowed), count in zip(types.items(), counts, strict=True):
        if count:
            yield f"{plural(count, 'row')}: {name} is not {allowed[0]}"


def _usual_sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """Model -> bytes of most of its vectors."""
    rows = connection.execute(
        """SELECT model, length(clip_vector) AS size, count(*) AS number FROM clip_cache
           WHERE typeof(clip_vector) = 'blob' GROUP BY model, size ORDER BY number, size""")
    return {row["model"]: row["size"] for row in rows}


def _wrong_vectors(
    connection: sqlite3.Connection, sizes: dict[str, int], have_checksums: bool,
) -> Iterator[str]:
    faults: Counter[tuple[str, str]] = Counter()
    for row in connection.execute("SELECT * FROM clip_cache WHERE typeof(clip_vector) = 'blob'"):
        fault = _vector_fault(row["clip_vector"], sizes.get(row["model"], 0))
        if not fault and have_checksums and not is_whole(row):
            fault = CHANGED
        if fault:
            faults[row["model"], fault] += 1
    for (model, fault), count in sorted(faults.items()):
        yield f"{plural(count, 'row')} of {model}: {fault}"


def _wrong_scores(connection: sqlite3.Connection, kind: type[Table]) -> Iterator[str]:
    rows = connection.execute(
        f"SELECT checksum, {', '.join(CHECKED)} FROM {kind.name} "
        "WHERE checksum NOT NULL AND typeof(tag_prob) = 'real'")
    count = sum(checksum != score_checksum(*checked) for checksum, *checked in rows)
    if count:
        yield f"{plural(count, 'row')}: {CHANGED}"


def _wrong_thumbnails(connection: sqlite3.Connection) -> Iterator[str]:
    faults: Counter[str] = Counter()
    for row in connection.execute(f"SELECT {COLUMNS} FROM thumbnail_cache WHERE typeof(jpeg) = 'blob'"):
        if row["jpeg"] is None:
            faults[f"the thumbnail is larger than {MOST_BYTES // 1024} KiB"] += 1
        elif not is_jpeg(row["jpeg"]):
            faults["the thumbnail is no JPEG"] += 1
        elif not is_whole_thumbnail(row):
            faults[CHANGED] += 1
    for fault, count in sorted(faults.items()):
        yield f"{plural(count, 'row')}: {fault}"


def _vector_fault(vector: bytes, usual_size: int) -> str:
    if not vector or len(vector) % FLOAT32_BYTES:
        return "the vector is no list of float32"
    if len(vector) != usual_size:
        return f"the vector has not {usual_size // FLOAT32_BYTES} features, as most have"
    finite = np.isfinite(np.frombuffer(vector, "<f4")).all()
    return "" if finite else "the vector has numbers that are not finite"
