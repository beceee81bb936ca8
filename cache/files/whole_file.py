"""Files that appear whole or not at all: written beside their final name, flushed to disk, renamed over it.

Beside them, what refuses files and folders that cannot be read or written.
"""
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cache.refusal import Refused

PARTIAL = ".partial-"
PARTIAL_NAME = re.compile(r"\.partial-[a-z0-9_]{8}")  # as tempfile ends names


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """with whole_file("report.txt") as file: file.write(b"...")"""
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    make_folder(folder)
    descriptor, temporary = tempfile.mkstemp(prefix=PARTIAL, dir=folder)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~umask())  # mkstemp makes private files
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)  # a signal may come just when the file has got its name
        raise


def open_to_read(path: str | os.PathLike, advice: str = "") -> BinaryIO:
    """Raises Refused if there is no such file, or where to open a pipe would wait for its other end."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise Refused(f"cannot read {path}: it is not a file")
        return open(path, "rb")
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}{advice}") from None


def sweep_partial_files(folder: str | os.PathLike) -> None:
    """Remove those that killed runs left; what cannot be removed stays. Only where nobody else is writing."""
    for path in Path(folder).iterdir():
        if PARTIAL_NAME.fullmatch(path.name) and path.is_file():
            with suppress(OSError):
                path.unlink()


def make_folder(path: str | os.PathLike) -> None:
    """With its parents, if it is not there. Raises Refused if it cannot be made, or not be written to."""
    try:
        os.makedirs(path, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Refused(f"{path} cannot be a folder: there is a file of that name") from None
    except OSError as error:
        raise Refused(f"{path} cannot be made: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise Refused(f"{path} cannot be written to")


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
