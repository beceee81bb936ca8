"""What a run has left in its output folder, told so that two outputs can be compared."""
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

# Columns that tell when a file was written, or depend, in their last digits, on what was embedded beside it.
NOT_COMPARED = {"stamp", "mtime_ns", "clip_vector", "checksum"}


def vectors(output: str = "output") -> dict[str, np.ndarray]:
    """File name -> vector, by stage1.db and the metadata JSON."""
    metadata = json.loads(Path(output, "input-metadata.json").read_text())
    return {
        row["file_name"]: np.array(metadata[row["hash_id"]]["embeddings_vector"])
        for row in rows(f"{output}/stage1.db", "SELECT * FROM stage1")
    }


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def rows(path: str, query: str, *values: object) -> list[dict]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]


def tables(output: str = "output") -> dict[str, set[tuple]]:
    """Every table of every database in a folder as a set of rows, without what no two outputs share."""
    return {
        f"{path.name} {name}": {_compared(row) for row in rows(str(path), f"SELECT * FROM {name}")}
        for path in sorted([*Path(output).glob("*.sqlite"), *Path(output).glob("*.db")])
        for name in _names(path)
    }


def _names(path: Path) -> list[str]:
    tables = rows(str(path), "SELECT name FROM sqlite_master WHERE type = 'table'")
    return [table["name"] for table in tables if table["name"] != "home"]


def _compared(row: dict) -> tuple:
    return tuple((name, value) for name, value in row.items() if name not in NOT_COMPARED)


def expect_as_fresh(output: str, fresh: str) -> None:
    """Every row of every table the same, but for vectors: these have no place on disk, and stay."""
    was, expected = tables(output), tables(fresh)
    hashes, expected_hashes = (dump.pop("clip_cache.sqlite clip_cache", set()) for dump in (was, expected))
    assert was == expected
    assert hashes >= expected_hashes
