"""What flows through every stage: a file as found, then a Picture, an Archive, a Skipped or a SetAside."""
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, NamedTuple
from zipfile import ZipInfo

import numpy as np

from cache.formats.signatures import HEAD_BYTES
from cache.limits import Skip
from cache.pixels.strips import Box


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as found: on disk, or inside a ZIP (then its path reads some/photos.zip/inner.zip/cat.jpg)."""

    file_path: str  # the input as given plus the path inside it
    absolute_path: str
    folder: str | None  # its tag: the nearest folder below the input that holds it, archives aside; in NFC
    archive_path: str | None  # file_path of the ZIP it lies directly in
    size: int
    mtime_ns: int  # of the file on disk, for a ZIP member that of the outermost ZIP
    stamp: str  # differs where it is another file or was written to: see disk_stamp(), member_stamp()
    open: Callable[[], IO[bytes]]

    @property
    def file_name(self) -> str:
        return os.path.basename(self.file_path)

    def read(self, most: int | None = None) -> bytes:
        """The whole file. Raises Skip if it cannot be read, or has more than `most` bytes."""
        if most is not None and self.size > most:
            raise Skip("too_large", f"{self.size} bytes")
        return self._guarded(lambda stream: stream.read(self.size))

    def head(self) -> bytes:
        return self._guarded(lambda stream: stream.read(HEAD_BYTES))

    def _guarded(self, read: Callable[[IO[bytes]], bytes]) -> bytes:
        try:
            with self.open() as stream:
                return read(stream)
        except Skip:
            raise
        except NotImplementedError as error:  # a compression method that zipfile does not know
            raise Skip("unsupported_type", str(error)) from None
        except OSError as error:
            if error.errno is None:  # not of the system: bz2 raises it for bytes that are none of its own
                raise Skip("damaged", str(error)[:200]) from None
            raise Skip("unreadable", error.strerror or str(error)) from None
        except Exception as error:  # of zlib, bz2 and lzma, which zipfile lets through, and of its own
            raise Skip("damaged", f"{type(error).__name__}: {error}"[:200]) from None


def disk_stamp(status: os.stat_result) -> str:
    """Two files that change places keep their size and time, but not their number on the disk; one that is
    written to and given its old time keeps this number, but not the time of its last change of any kind."""
    return f"{status.st_mtime_ns} {status.st_ino} {status.st_ctime_ns}"


def member_stamp(mtime_ns: int, info: ZipInfo) -> str:
    """mtime_ns: of the outermost ZIP. The checksum is that of the ZIP's own table of contents."""
    return f"{mtime_ns} crc32 {info.CRC:08x}"


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image, or one that is known and was not decoded again."""

    file: SourceFile
    hash_id: str
    old_hash_id: str | None  # palette images: the digest that older tools wrote
    type: str  # the format of the content: "jpeg", "png", ...
    width: int
    height: int
    crop: np.ndarray | None = None  # uint8 (size, size, 3)
    unchanged: bool = False  # known by path, size and time of change; not decoded in this run
    orientation: int = 1  # of EXIF, 1 to 8; 1 is upright, and what an unchanged picture is taken for
    thumbnail: bytes | None = None  # a JPEG: see cache.pixels.thumbnail
    box: Box | None = None  # where the upright picture lies in its crop

    @property
    def fitted(self) -> np.ndarray:
        """The upright picture out of its crop: uint8 (height, width, 3)."""
        assert self.crop is not None
        assert self.box is not None
        left, top, right, bottom = self.box
        return self.crop[top:bottom, left:right]


class Thumbnail(NamedTuple):
    """The small picture that is kept of one, from its own pixels."""

    hash_id: str
    old_hash_id: str | None
    jpeg: bytes  # longest side 256, upright, sRGB


@dataclass(frozen=True, slots=True)
class Archive:
    """A ZIP, after all that was in it."""

    file: SourceFile
    n_content: int = 0  # pictures directly in it
    names_read_as: str = ""  # the encodings that were guessed for names of members


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out."""

    file_path: str
    reason: str  # a code of limits.REASONS
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that is not for decoding: whoever was asked whether it is known has a use of their own for
    it."""

    file: SourceFile
    kind: str  # what it is to them


Item = Picture | Archive | Skipped | SetAside
Known = Callable[[SourceFile], Picture | SetAside | None]
