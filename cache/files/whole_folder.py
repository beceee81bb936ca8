"""Folders that appear whole or not at all: built under a hidden name beside their final one, renamed over it.

What killed runs left beside it is swept by the next run: a lock file tells whose run is still alive.
"""
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cache.files.run_lock import locked
from cache.files.whole_file import make_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

UNFINISHED_FOLDER = re.compile(r"\..+\.(partial|old)-[0-9a-f]{8}(\.lock)?")
LOCK_FILE = re.compile(r"\.(?P<name>.+)\.partial-(?P<token>[0-9a-f]{8})\.lock")


class WholeFolder:
    """with WholeFolder(final) as folder: fill folder.building; folder.put_in_place()"""

    def __init__(self, final: Path):
        self.final = final

    def __enter__(self) -> "WholeFolder":
        make_folder(self.final.parent)
        sweep(self.final.parent)
        self._token, self._lock = _taken_name(self.final)
        self.building = _neighbour(self.final, "partial", self._token)
        self.building.mkdir()
        return self

    def __exit__(self, *error: object) -> None:
        _clear(self.final, self._token)
        self._lock.release()
        _lock_file(self.building).unlink(missing_ok=True)

    def put_in_place(self) -> None:
        """Replaces a folder that is there."""
        if self.final.exists():
            os.rename(self.final, _neighbour(self.final, "old", self._token))
        os.rename(self.building, self.final)


def sweep(parent: Path) -> None:
    """Remove what killed runs were building in this folder; an earlier result that they had just moved away
    comes back. What cannot be removed, because it is somebody else's, stays: no run fails for it."""
    for path in parent.glob(".*.lock"):
        named = LOCK_FILE.fullmatch(path.name)
        if named:
            with suppress(OSError):
                _sweep_one(path, parent / named["name"], named["token"])


def _taken_name(final: Path) -> tuple[str, "BaseFileLock"]:
    """The token of a name that nobody has, and its lock, held."""
    while True:
        token = secrets.token_hex(4)
        lock_file = _lock_file(_neighbour(final, "partial", token))
        lock = locked(lock_file)
        if lock is None:
            continue
        if lock_file.exists():
            return token, lock
        lock.release()  # another run was sweeping just when the lock file had been made


def _sweep_one(lock_file: Path, final: Path, token: str) -> None:
    lock = locked(lock_file)
    if lock is None:
        return
    _clear(final, token)
    if final.is_dir() and not os.listdir(final):  # only its name had been taken
        final.rmdir()
    lock.release()
    lock_file.unlink(missing_ok=True)


def _clear(final: Path, token: str) -> None:
    old = _neighbour(final, "old", token)
    if old.exists() and not final.exists():
        os.rename(old, final)
    for leftover in (_neighbour(final, "partial", token), old):
        shutil.rmtree(leftover, ignore_errors=True)


def _neighbour(final: Path, purpose: str, token: str) -> Path:
    return final.with_name(f".{final.name}.{purpose}-{token}")


def _lock_file(building: Path) -> Path:
    return building.with_name(f"{building.name}.lock")
