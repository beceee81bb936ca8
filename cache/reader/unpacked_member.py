"""A member of a ZIP, packed by bzip2 or LZMA, with a bound on what comes out of it.

zipfile lets these unpack all they are given at once: a megabyte of zeros becomes gigabytes.

Layout of LZMA members: PKWARE's APPNOTE.TXT 6.3.10, section 5.8.8.
"""
import bz2
import io
import lzma
import struct
import zlib
from typing import IO, TYPE_CHECKING
from zipfile import ZIP_BZIP2, ZIP_LZMA, BadZipFile, ZipInfo

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

METHODS = (ZIP_BZIP2, ZIP_LZMA)
READ_BYTES = 64 * 1024
SMALLEST_DICTIONARY = 4096


class UnpackedMember(io.RawIOBase):
    """Unpacked no further than it is read, and than the table of contents says."""

    def __init__(self, packed: IO[bytes], info: ZipInfo):
        """packed: the member's bytes as they lie in the archive."""
        self._packed = packed
        self._left = info.file_size
        self._checksum = 0
        self._wanted_checksum = info.CRC
        self._unpacker = (
            bz2.BZ2Decompressor() if info.compress_type == ZIP_BZIP2 else _lzma(packed, info.file_size))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer)
        data = b""
        while self._left and not data and not self._unpacker.eof:
            packed = self._packed.read(READ_BYTES) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not packed:
                raise EOFError("the member ends in the middle")
            data = self._unpacker.decompress(packed, min(len(room), self._left))
        self._left -= len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        if self._left == 0 and self._checksum != self._wanted_checksum:
            raise BadZipFile("Bad CRC-32")
        room[:len(data)] = data
        return len(data)

    def close(self) -> None:
        self._packed.close()
        super().close()


def _lzma(packed: IO[bytes], file_size: int) -> lzma.LZMADecompressor:
    """Behind two bytes of version: the length of the properties, lc, lp and pb in one byte, and the size of a
    dictionary that need not be larger than what comes out."""
    _, length = struct.unpack("<2sH", packed.read(4))
    settings, dictionary = struct.unpack_from("<BL", packed.read(length))
    pb, rest = divmod(settings, 45)
    lp, lc = divmod(rest, 9)
    size = min(dictionary, max(file_size, SMALLEST_DICTIONARY))
    chain = [{"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)
