"""A ZIP opened with a bound on its table of contents.

zipfile reads the table whole and makes an object of every entry, 350 bytes each, while a ZIP of one megabyte
can hold another with five million entries.

Layout of the records: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
"""
import io
import struct
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZipFile

from cache.decoder.limits import MIB

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ENTRY = b"PK\x01\x02"
ENTRY_BYTES = 46  # before name, extra field and comment
LENGTHS_AT = 28  # of an entry: the lengths of these three, two bytes each
TABLE_BYTES = 128  # of an entry with a name of 80 characters; more in all, and the table ends there
FEWEST_TABLE_BYTES = 8 * MIB


def bounded_zip(stream: IO[bytes], most: int) -> tuple[ZipFile, int]:
    """The archive with its first entries, at most `most`; and the number of all its entries, or as many as
    were counted. Raises BadZipFile."""
    watched = _Watched(stream, most)
    try:
        archive = ZipFile(watched)
    except _TooManyEntries as too_many:
        table, count = _first_entries(too_many.table, most)
        records = _end_records(count, len(table), too_many.start)
        shortened = _WithTable(stream, too_many.start, table + records)
        return ZipFile(io.BufferedReader(shortened)), max(too_many.total, count + 1)
    watched.has_table = True
    return archive, len(archive.infolist())


class _TooManyEntries(Exception):
    """The beginning of a table, and where that lies in the file."""

    def __init__(self, table: bytes, start: int, total: int):
        super().__init__(start, total)
        self.table, self.start, self.total = table, start, total


class _Watched:
    """A stream whose reader must not get a table of more than `most` entries, or of bytes beyond all
    measure."""

    def __init__(self, stream: IO[bytes], most: int):
        self._stream = stream
        self._most = most
        self._most_bytes = max(FEWEST_TABLE_BYTES, TABLE_BYTES * most)
        self.has_table = False  # then it reads members, which may look like anything

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def read(self, size: int = -1) -> bytes:
        if self.has_table:
            return self._stream.read(size)
        start = self._stream.tell()
        # -1, to the end, is asked for behind the table only.
        data = self._stream.read(min(size, self._most_bytes))
        count = data.count(ENTRY) if data.startswith(ENTRY) else 0
        if count > self._most or size > self._most_bytes:
            raise _TooManyEntries(data, start, count)
        return data


class _WithTable(io.RawIOBase):
    """The first `start` bytes of a stream, and behind them a table of our own."""

    def __init__(self, stream: IO[bytes], start: int, table: bytes):
        self._stream = stream
        self._start = start
        self._table = table
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = self._start + len(self._table)
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: end}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer)
        if self._position < self._start:
            self._stream.seek(self._position)
            data = self._stream.read(min(len(room), self._start - self._position))
        else:
            behind = self._position - self._start
            data = self._table[behind:behind + len(room)]
        room[:len(data)] = data
        self._position += len(data)
        return len(data)


def _first_entries(table: bytes, most: int) -> tuple[bytes, int]:
    """As many whole entries as there are, and their number."""
    end = count = 0
    while count < most and table[end:end + 4] == ENTRY and end + ENTRY_BYTES <= len(table):
        following = end + ENTRY_BYTES + sum(struct.unpack_from("<3H", table, end + LENGTHS_AT))
        if following > len(table):
            break
        end, count = following, count + 1
    return table[:end], count


def _end_records(entries: int, table_bytes: int, start: int) -> bytes:
    """End of table in 64 bits, where that stands, and the plain one that points there."""
    end_64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, table_bytes, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + table_bytes, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return end_64 + locator + end
