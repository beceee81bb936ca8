"""What flows through every stage: a file as found, then a Picture, an Archive or a Skipped."""
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from cache.image_limits import MIB, Limits, Skip


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as found: on disk, or inside a ZIP (then its path reads some/photos.zip/inner.zip/cat.jpg)."""

    file_path: str  # the input as given plus the path inside it
    absolute_path: str
    folder: str | None  # name of the nearest folder below the input that holds it, archives aside: its tag
    archive_path: str | None  # file_path of the ZIP it lies directly in
    size: int
    mtime_ns: int  # of the file on disk, for a ZIP member that of the outermost ZIP
    open: Callable[[], BinaryIO]

    @property
    def file_name(self) -> str:
        return self.file_path.replace("\\", "/").rsplit("/", 1)[-1]

    def read(self, limits: Limits) -> bytes:
        return self._guarded(limits.max_member_mib * MIB + 1, limits)

    def head(self) -> bytes:
        return self._guarded(4, None)

    def _guarded(self, count: int, limits: Limits | None) -> bytes:
        if limits and self.size >= count:
            raise Skip("too_large", f"{self.size} bytes")
        try:
            with self.open() as stream:
                data = stream.read(count)
        except NotImplementedError as error:  # a compression method that zipfile does not know
            raise Skip("unsupported_type", str(error)) from None
        except OSError as error:
            raise Skip("unreadable", error.strerror or str(error)) from None
        except Exception as error:  # zipfile lets the errors of zlib, bz2 and lzma through, and its own of bad checksums
            raise Skip("damaged", f"{type(error).__name__}: {error}"[:200]) from None
        if limits and len(data) == count:
            raise Skip("too_large", f"more than {count - 1} bytes")
        return data


@dataclass(frozen=True, slots=True)
class Picture:
    file: SourceFile
    hash_id: str
    old_hash_id: str | None  # palette images: the digest that older tools wrote
    type: str  # the format of the content: "jpeg", "png", ...
    width: int
    height: int
    crop: np.ndarray | None = None  # uint8 (size, size, 3)
    unchanged: bool = False  # known by path, size and time of change; not decoded in this run


@dataclass(frozen=True, slots=True)
class Archive:
    file: SourceFile
    n_content: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    file_path: str
    reason: str
    detail: str = ""


Item = Picture | Archive | Skipped
Known = Callable[[SourceFile], Picture | None]


def printable(path: str) -> str:
    """A path as text that JSON and SQLite can hold: bytes that are no UTF-8 become \\xNN."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")
