"""Is a database whole, ours, and what its tables promise? Told without writing a byte, neither to it nor beside it."""
import os
import shutil
import sqlite3
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cache.doctor.findings import PATHS_NAMED, Finding, named
from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.databases import KINDS
from cache.stores.file_table import FileTable
from cache.stores.sqlite_file import APPLICATION_ID, connect, verify
from cache.stores.sqlite_table import Table

SIDE_FILES = ("-wal", "-shm", "-journal")
TRIES = 3
MESSAGES = 3  # of integrity_check, which may have thousands


@dataclass
class Checked:
    findings: list[Finding]
    widths: dict[str, int] = field(default_factory=dict)  # a clip cache's models, and how many features their vectors have


def check_database(path: str) -> Checked:
    """Looks again if the file changes meanwhile: what is only half written would pass for damage."""
    for _ in range(TRIES):
        try:
            before = _state(path)
            checked = _looked_at(path)
            if not checked.findings or _state(path) == before:
                return checked
        except OSError:
            continue  # a file that was there a moment ago is gone, or there is no room for a copy
    return Checked([Finding("busy", path, "look again when the run is over")])


def refusal_of(path: str, refusal: Refused) -> Finding:
    """As a finding, whose path is not repeated in the text."""
    return Finding("damaged", path, str(refusal).removeprefix(f"{path} "))


@contextmanager
def opened_untouched(path: str) -> Iterator[sqlite3.Connection]:
    """A connection for reading. SQLite's own read-only mode makes a -wal and a -shm beside every database of ours, and leaves them."""
    with ExitStack() as stack:
        if _has_log_and_index(path):
            where, mode = path, "ro&readonly_shm=1"  # as one reader more, beside those who write
        elif _sizes(path, "-wal", "-journal") == [0, 0]:
            where, mode = path, "ro&immutable=1"
        else:  # what was interrupted must be read back first, and that changes files
            where, mode = _copied(path, stack.enter_context(tempfile.TemporaryDirectory())), "rw"
        connection = stack.enter_context(closing(connect(where, mode)))
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")  # ours has none, and somebody else's could take hours
        yield connection


def _has_log_and_index(path: str) -> bool:
    return all(os.path.exists(os.path.realpath(path) + suffix) for suffix in ("-wal", "-shm"))


def _sizes(path: str, *suffixes: str) -> list[int]:
    files = [Path(os.path.realpath(path) + suffix) for suffix in suffixes]
    return [file.stat().st_size if file.is_file() else 0 for file in files]


def _copied(path: str, folder: str) -> str:
    for suffix in ("", *SIDE_FILES):
        source = os.path.realpath(path) + suffix
        if os.path.isfile(source):
            shutil.copyfile(source, os.path.join(folder, "copy" + suffix))
    return os.path.join(folder, "copy")


def _state(path: str) -> list[int] | None:
    """What tells a later change; None where SQLite's locks see to it that one moment is read."""
    if _has_log_and_index(path):
        return None
    return [os.stat(path).st_mtime_ns, *_sizes(path, "", "-wal", "-journal")]


def _looked_at(path: str) -> Checked:
    try:
        with opened_untouched(path) as connection:
            return _checked(connection, path)
    except Refused as refusal:
        return Checked([refusal_of(path, refusal)])
    except sqlite3.OperationalError as error:
        return Checked([Finding("damaged" if "decode" in str(error) else "busy", path, str(error))])  # text that is no UTF-8
    except sqlite3.DatabaseError as error:
        return Checked([Finding("damaged", path, str(error))])


def _checked(connection: sqlite3.Connection, path: str) -> Checked:
    tables = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return Checked([Finding("leftover", path, "a database without any table")])
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return Checked([Finding("foreign", path, "not made by these tools")])
    kind = next((kind for kind in KINDS if kind.name in tables), None)
    if kind is None:
        return Checked([Finding("damaged", path, "holds none of the tables of these tools")])
    verify(connection, path, kind)
    connection.execute("BEGIN")  # every question is about the same moment, however much is written meanwhile
    messages = [line for row in connection.execute(f"PRAGMA integrity_check({MESSAGES})") for line in row[0].splitlines()]
    if messages != ["ok"]:
        return Checked([Finding("damaged", path, "; ".join(line for line in messages if not line.startswith("***")))])
    findings = [Finding("damaged", path, fault) for fault in _wrong_types(connection, kind)]
    if kind is FileTable:
        findings += _stale(connection, path)
    if kind is not ClipTable:
        return Checked(findings)
    sizes = _usual_sizes(connection)
    findings += (Finding("damaged", path, fault) for fault in _wrong_vectors(connection, sizes))
    return Checked(findings, {model: size // 4 for model, size in sizes.items()})


def _wrong_types(connection: sqlite3.Connection, kind: type[Table]) -> Iterator[str]:
    """SQLite stores anything in any column; what reads it would fail far from here."""
    types = {row["name"]: (row["type"].lower(), *(() if row["notnull"] else ("null",)))
             for row in connection.execute(f"PRAGMA table_info({kind.name})")}
    wrong = ", ".join(f"sum(typeof({name}) NOT IN ({', '.join(map(repr, allowed))}))" for name, allowed in types.items())
    counts = connection.execute(f"SELECT {wrong} FROM {kind.name}").fetchone()
    return (f"{_rows(count)}: {name} is not {allowed[0]}" for (name, allowed), count in zip(types.items(), counts, strict=True) if count)


def _usual_sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """Model -> bytes of most of its vectors."""
    query = """SELECT model, length(clip_vector) AS size, count(*) AS number FROM clip_cache WHERE typeof(clip_vector) = 'blob'
               GROUP BY model, size ORDER BY number, size"""
    return {row["model"]: row["size"] for row in connection.execute(query)}


def _wrong_vectors(connection: sqlite3.Connection, sizes: dict[str, int]) -> Iterator[str]:
    faults: Counter[tuple[str, str]] = Counter()
    for model, vector in connection.execute("SELECT model, clip_vector FROM clip_cache WHERE typeof(clip_vector) = 'blob'"):
        faults[model, _fault(vector, sizes.get(model, 0))] += 1
    return (f"{_rows(count)} of {model}: {fault}" for (model, fault), count in sorted(faults.items()) if fault)


def _fault(vector: bytes, usual_size: int) -> str:
    if not vector or len(vector) % 4:
        return "the vector is no list of float32"
    if len(vector) != usual_size:
        return f"the vector has not {usual_size // 4} features, as most have"
    return "" if np.isfinite(np.frombuffer(vector, "<f4")).all() else "the vector has numbers that are not finite"


def _stale(connection: sqlite3.Connection, path: str) -> Iterator[Finding]:
    fates: Counter[str] = Counter()
    paths: list[str] = []
    for row in connection.execute("SELECT path, absolute_path, size_bytes, mtime_ns, container_archive FROM file_cache"):
        fate = _fate(row)
        fates[fate] += 1
        if fate != "as it was" and len(paths) < PATHS_NAMED:
            paths.append(row["path"])
    gone, changed = fates["gone"], fates["changed"]
    if gone + changed:
        detail = f"of {fates.total():,} files {gone:,} gone, {changed:,} changed: {named(paths, total=gone + changed)}"
        yield Finding("stale", path, detail, {"files": fates.total(), "gone": gone, "changed": changed})


def _fate(row: sqlite3.Row) -> str:
    status = _file_on_disk(row["absolute_path"])
    if status is None:
        return "as it was" if "\\x" in row["absolute_path"] else "gone"  # a name that is no UTF-8: where it lies cannot be told
    same_size = row["container_archive"] is not None or status.st_size == row["size_bytes"]
    return "as it was" if same_size and status.st_mtime_ns == row["mtime_ns"] else "changed"


def _file_on_disk(path: str) -> os.stat_result | None:
    """The file, or the outermost ZIP that the path leads into."""
    while path != os.path.dirname(path):
        try:
            status = os.stat(path)
            return status if stat.S_ISREG(status.st_mode) else None
        except (OSError, ValueError):  # ValueError: a null byte, in a row that somebody else wrote
            path = os.path.dirname(path)
    return None


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
