"""What a folder shows after a run: files under their final names, databases row by row; and what is hidden
in it."""

import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bundles import without_stamps
from tests.promises.killed_run import contents

INPUTS = ("photos", "new", "archives", "tiny.pt")
RESULT_MARKER = ".result.json"
LEFTOVERS = re.compile(r"\.partial-.*|\..+\.(partial|old)-.*")


@dataclass
class State:
    """What a run shows: every file under its final name and every folder, and what each database says."""

    files: dict[str, bytes | None]
    databases: dict[str, dict]

    @classmethod
    def of(cls, folder: Path) -> "State":
        paths = [path for path in sorted(folder.rglob("*")) if _is_shown(path.relative_to(folder))]
        databases = [path for path in paths if path.suffix in (".sqlite", ".db")]
        files = {str(path.relative_to(folder)): _content(path) for path in paths if path not in databases}
        return cls(files, {path.name: _database(path) for path in databases})

    def result(self) -> dict[str, bytes | None]:
        """What stands in the result folder of stages 3 and 4."""
        return {path: data for path, data in self.files.items() if path.startswith("results/")}

    def rows(self, table: str, *columns: str) -> set[tuple]:
        """Of a cache, none if it is not there."""
        database = self.databases.get(f"{table}.sqlite", {"rows": {}})
        return {tuple(row[column] for column in columns) for row in database["rows"].get(table, ())}

    def unlike(self, other: "State") -> list[str]:
        """The names of files, folders and databases in which the two differ."""
        ours, theirs = ({**state.files, **state.databases} for state in (self, other))
        return sorted(name for name in {*ours, *theirs} if ours.get(name, 0) != theirs.get(name, 0))


def _is_shown(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts if part != RESULT_MARKER)
    return not hidden and path.parts[0] not in INPUTS and not path.name.endswith(("-wal", "-shm", "-journal"))


def _content(path: Path) -> bytes | None:
    if path.is_dir():
        return None
    if path.suffix == ".safetensors":
        return without_stamps(path)
    if path.suffix != ".json":
        return path.read_bytes()
    parsed = json.loads(path.read_bytes())
    if path.parent.name != "models":
        return path.read_bytes()
    del parsed["created"]  # the only time in any output
    return json.dumps(parsed).encode()


def _database(path: Path) -> dict:
    """Read from a copy: the next run is to find it as it was left, what it has to recover still in its
    -wal."""
    with TemporaryDirectory() as scratch:
        for suffix in ("", "-wal"):
            if os.path.exists(f"{path}{suffix}"):
                shutil.copy(f"{path}{suffix}", scratch)
        with closing(sqlite3.connect(Path(scratch, path.name))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path.name
            return contents(connection)


def inputs(folder: Path) -> dict:
    """Every byte, and the time of every change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
        for name in INPUTS
        for path in (folder / name, *(folder / name).rglob("*"))
        if path.exists()
    }


def leftovers(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if LEFTOVERS.fullmatch(path.name)]
