"""A ZIP opened with a bound on its table of contents. zipfile reads that whole and makes an object of every entry, 350 bytes each, while a
ZIP of one megabyte can hold another with five million entries.

Layout of the records: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
"""
import io
import struct
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from cache.image_limits import MIB, Skip

ENTRY = b"PK\x01\x02"
ENTRY_BYTES = 46  # before name, extra field and comment, whose lengths stand at byte 28
MOST_TABLE_BYTES = 256 * MIB  # a million entries with names of 200 characters


class _TooManyEntries(Exception):
    """The table that was read, and where it begins in the file."""

    def __init__(self, table: bytes, start: int):
        self.table, self.start = table, start


class _Watched:
    """A stream whose reader must not get a table of more than `most` entries."""

    def __init__(self, stream: BinaryIO, most: int):
        self._stream, self.most = stream, most

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def read(self, size: int = -1) -> bytes:
        if size > MOST_TABLE_BYTES:
            raise Skip("too_many_entries", f"a table of contents of {size} bytes")
        start = self._stream.tell()
        data = self._stream.read(size)
        if data.startswith(ENTRY) and data.count(ENTRY) > self.most:
            raise _TooManyEntries(data, start)
        return data


class _WithTable(io.RawIOBase):
    """The first `start` bytes of a stream, and behind them a table of our own."""

    def __init__(self, stream: BinaryIO, start: int, table: bytes):
        self._stream, self._start, self._table, self._position = stream, start, table, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._start + len(self._table)}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer) -> int:
        if self._position < self._start:
            self._stream.seek(self._position)
            data = self._stream.read(min(len(buffer), self._start - self._position))
        else:
            behind = self._position - self._start
            data = self._table[behind:behind + len(buffer)]
        buffer[:len(data)] = data
        self._position += len(data)
        return len(data)


def open_zip(stream: BinaryIO, most: int) -> tuple[ZipFile, list[ZipInfo], int]:
    """The archive, its first `most` entries, and how many it has. Raises BadZipFile, and Skip for a table beyond all measure."""
    watched = _Watched(stream, most)
    try:
        archive = ZipFile(watched)
    except _TooManyEntries as found:
        table = _first_entries(found.table, most)
        archive = ZipFile(io.BufferedReader(_WithTable(stream, found.start, table + _end_records(most, len(table), found.start))))
        return archive, archive.infolist(), found.table.count(ENTRY)
    watched.read = stream.read  # from here on it reads members, which may look like anything
    return archive, archive.infolist(), len(archive.infolist())


def _first_entries(table: bytes, most: int) -> bytes:
    end = 0
    for _ in range(most):
        if table[end:end + 4] != ENTRY:
            raise BadZipFile("a broken table of contents")
        end += ENTRY_BYTES + sum(struct.unpack_from("<3H", table, end + 28))
    return table[:end]


def _end_records(entries: int, table_bytes: int, start: int) -> bytes:
    """End of table in 64 bits, where that stands, and the plain one that points there."""
    return (struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, table_bytes, start)
            + struct.pack("<4sLQL", b"PK\x06\x07", 0, start + table_bytes, 1)
            + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))
