"""What a run has left in its output folder, told so that two outputs can be compared."""
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

OF_TIME = {"stamp", "mtime_ns"}  # columns that tell when a file was written, not what it is


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
    """Every table of every database in a folder as a set of rows, without times of change."""
    return {
        f"{path.name} {name}": {_without_times(row) for row in rows(str(path), f"SELECT * FROM {name}")}
        for path in sorted([*Path(output).glob("*.sqlite"), *Path(output).glob("*.db")])
        for name in _names(path)
    }


def _names(path: Path) -> list[str]:
    tables = rows(str(path), "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [table["name"] for table in tables]


def _without_times(row: dict) -> tuple:
    return tuple((name, value) for name, value in row.items() if name not in OF_TIME)
