"""One ZIP, opened with a bound on its table of contents, its members with a bound on what comes out of them.

zipfile reads the table whole and makes an object of every entry, 350 bytes each, while a ZIP of one megabyte can hold another with five
million entries. And it lets bzip2 and LZMA unpack all they are given at once: a megabyte of zeros becomes gigabytes.

Layout of the records: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16; of LZMA members 5.8.8.
"""
import bz2
import copy
import io
import lzma
import struct
import weakref
import zlib
from typing import BinaryIO
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from cache.decoder.limits import MIB

ENTRY = b"PK\x01\x02"
ENTRY_BYTES = 46  # before name, extra field and comment, whose lengths stand at byte 28
TABLE_BYTES = 128  # of an entry with a name of 80 characters; more in all, and the table ends there
FEWEST_TABLE_BYTES = 8 * MIB
READ_BYTES = 64 * 1024


class OpenZip:
    """`infos`: its first entries, at most `most`; `total`: how many there are; `table_bytes`: what they took in the file."""

    def __init__(self, stream: BinaryIO, most: int):
        """Raises BadZipFile. The stream is closed when the last member that is being read has let go of it."""
        try:
            self._archive, self.total = _opened(_Watched(stream, most))
        except BaseException:
            stream.close()
            raise
        weakref.finalize(self._archive, stream.close)
        self.infos = self._archive.infolist()
        self.table_bytes = sum(ENTRY_BYTES + len(info.filename) for info in self.infos)
        for info in self.infos:
            info.comment = info.extra = b""  # up to 128 KiB each, and nobody asks

    def member(self, info: ZipInfo) -> BinaryIO:
        """A stream of its own, which outlives close()."""
        if info.compress_type not in (ZIP_BZIP2, ZIP_LZMA):
            return self._archive.open(info)
        packed = copy.copy(info)
        packed.compress_type, packed.file_size, packed.CRC = ZIP_STORED, info.compress_size, None
        return io.BufferedReader(_Unpacked(self._archive.open(packed), info))

    def close(self) -> None:
        self._archive.close()


class _TooManyEntries(Exception):
    """The beginning of a table, and where that lies in the file."""

    def __init__(self, table: bytes, start: int, total: int):
        self.table, self.start, self.total = table, start, total


class _Watched:
    """A stream whose reader must not get a table of more than `most` entries, or of bytes beyond all measure."""

    def __init__(self, stream: BinaryIO, most: int):
        self.stream, self.most = stream, most
        self._most_bytes = max(FEWEST_TABLE_BYTES, TABLE_BYTES * most)

    def __getattr__(self, name: str):
        return getattr(self.stream, name)

    def read(self, size: int = -1) -> bytes:
        start = self.stream.tell()
        data = self.stream.read(min(size, self._most_bytes))  # -1, to the end, is asked for behind the table only
        count = data.count(ENTRY) if data.startswith(ENTRY) else 0
        if count > self.most or size > self._most_bytes:
            raise _TooManyEntries(data, start, count)
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


def _opened(watched: _Watched) -> tuple[ZipFile, int]:
    """The archive and the number of its entries: of all of them, or of as many as were counted."""
    try:
        archive = ZipFile(watched)
    except _TooManyEntries as found:
        table, count = _first_entries(found.table, watched.most)
        records = _end_records(count, len(table), found.start)
        return ZipFile(io.BufferedReader(_WithTable(watched.stream, found.start, table + records))), max(found.total, count + 1)
    watched.read = watched.stream.read  # from here on it reads members, which may look like anything
    return archive, len(archive.infolist())


def _first_entries(table: bytes, most: int) -> tuple[bytes, int]:
    """As many whole entries as there are, and their number."""
    end = count = 0
    while count < most and table[end:end + 4] == ENTRY and end + ENTRY_BYTES <= len(table):
        following = end + ENTRY_BYTES + sum(struct.unpack_from("<3H", table, end + 28))
        if following > len(table):
            break
        end, count = following, count + 1
    return table[:end], count


def _end_records(entries: int, table_bytes: int, start: int) -> bytes:
    """End of table in 64 bits, where that stands, and the plain one that points there."""
    return (struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, table_bytes, start)
            + struct.pack("<4sLQL", b"PK\x06\x07", 0, start + table_bytes, 1)
            + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


class _Unpacked(io.RawIOBase):
    """A member of bzip2 or LZMA, unpacked no further than it is read, and than the table of contents says."""

    def __init__(self, packed: BinaryIO, info: ZipInfo):
        self._packed, self._left, self._checksum, self._wanted_checksum = packed, info.file_size, 0, info.CRC
        self._unpacker = bz2.BZ2Decompressor() if info.compress_type == ZIP_BZIP2 else _lzma(packed, info.file_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = b""
        while self._left and not data and not self._unpacker.eof:
            packed = self._packed.read(READ_BYTES) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not packed:
                raise EOFError("the member ends in the middle")
            data = self._unpacker.decompress(packed, min(len(buffer), self._left))
        self._left -= len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        if self._left == 0 and self._checksum != self._wanted_checksum:
            raise BadZipFile("Bad CRC-32")
        buffer[:len(data)] = data
        return len(data)

    def close(self) -> None:
        self._packed.close()
        super().close()


def _lzma(packed: BinaryIO, file_size: int) -> lzma.LZMADecompressor:
    """Behind two bytes of version: the length of the properties, lc, lp and pb in one byte, and the size of a dictionary that need not be
    larger than what comes out."""
    _, length = struct.unpack("<2sH", packed.read(4))
    settings, dictionary = struct.unpack_from("<BL", packed.read(length))
    pb, (lp, lc) = settings // 45, divmod(settings % 45, 9)
    size = min(dictionary, max(file_size, 4096))
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}])
