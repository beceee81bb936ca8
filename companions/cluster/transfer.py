"""One original from here to there, so that at every moment there is a whole copy of it.

It is renamed. To another device it is copied under a hidden name, written through to the disk, compared,
given its name, and only then removed where it was.
"""
import errno
import filecmp
import os
import shutil
from contextlib import suppress

from cache.text import printable
from companions.cluster.journal import sync_folder

CHUNK = 1024 * 1024  # bytes


class InTheWay(Exception):
    """There is something else at the end of the way."""

    def __init__(self, path: str):
        super().__init__(f"{printable(path)} is something else; both are kept")


def transfer(start: str, end: str, temporary: str) -> None:
    """end: where nothing is; temporary: a name of ours beside it. Raises OSError or InTheWay if it cannot be
    done: then the original is still where it was, and nowhere else."""
    os.makedirs(os.path.dirname(end), exist_ok=True)
    try:
        os.rename(start, end)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _to_another_device(start, end, temporary)


def settle(start: str, end: str) -> bool:
    """Of two files that a killed run may have left, remove the one at the start; False if they differ, then
    both stay."""
    if os.path.islink(end) or not os.path.isfile(end):
        return False
    if not os.path.samefile(start, end):
        if not filecmp.cmp(start, end, shallow=False):
            return False
        _written_through(end)
    os.unlink(start)
    return True


def _to_another_device(start: str, end: str, temporary: str) -> None:
    try:
        _copied(start, temporary)
        if os.path.lexists(end):
            raise InTheWay(end)
        os.rename(temporary, end)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(end))
    try:
        os.unlink(start)
    except OSError:
        os.unlink(end)
        raise


def _copied(start: str, end: str) -> None:
    """Raises OSError if the copy is another one than the original, which may be written to meanwhile."""
    with open(start, "rb") as original, open(end, "xb") as copy:
        shutil.copyfileobj(original, copy, CHUNK)
        copy.flush()
        if hasattr(os, "chown"):
            status = os.fstat(original.fileno())
            with suppress(OSError):  # only root gives files away
                os.chown(end, status.st_uid, status.st_gid)
        shutil.copystat(start, end)
        os.fsync(copy.fileno())
        if hasattr(os, "posix_fadvise"):  # compare what is on the disk, not what is in memory
            os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if not filecmp.cmp(start, end, shallow=False):
        raise OSError(errno.EIO, "the copy is not like the original", start)


def _written_through(path: str) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    sync_folder(os.path.dirname(path))
