"""One run at a time writes into a folder.

The lock is the operating system's: it goes with the process that holds it, however that ends, so that nothing
stale has to be deleted by hand. (Where a file system has no such locks, filelock makes do with the file.)
"""
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cache.files.whole_file import make_folder, sweep_partial_files
from cache.refusal import Refused

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = ".run.lock"


@contextmanager
def only_run_in(folder: str | os.PathLike) -> Iterator[None]:
    """Make the folder, hold it to the end of the block, and remove the halves of files that killed runs left.
    Raises Refused if another run, be it of this very program, holds it."""
    make_folder(folder)
    lock = locked(os.path.join(folder, LOCK))
    if lock is None:
        raise Refused(
            f"another run is writing into {folder}; wait until it has ended, or name another output folder")
    try:
        sweep_partial_files(folder)
        yield
    finally:
        lock.release()


def locked(path: str | os.PathLike) -> "BaseFileLock | None":
    """The lock, held; None if somebody else holds it."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock
