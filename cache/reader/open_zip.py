"""One ZIP, opened with a bound on its table of contents, its members with a bound on what comes out of
them."""
import copy
import io
import weakref
from typing import IO
from zipfile import ZIP_STORED, ZipInfo

from cache.reader.bounded_table import ENTRY_BYTES, bounded_zip
from cache.reader.unpacked_member import METHODS, UnpackedMember


class OpenZip:
    """`infos`: its first entries, at most `most`; `total`: how many there are; `table_bytes`: what they took
    in the file."""

    def __init__(self, stream: IO[bytes], most: int):
        """Raises BadZipFile. The stream is closed when the last member that is being read has let go of
        it."""
        try:
            self._archive, self.total = bounded_zip(stream, most)
        except BaseException:
            stream.close()
            raise
        weakref.finalize(self._archive, stream.close)
        self.infos = self._archive.infolist()
        self.table_bytes = sum(ENTRY_BYTES + len(info.filename) for info in self.infos)
        for info in self.infos:
            info.comment = info.extra = b""  # up to 128 KiB each, and nobody asks

    def member(self, info: ZipInfo) -> IO[bytes]:
        """A stream of its own, which outlives close()."""
        if info.compress_type not in METHODS:
            return self._archive.open(info)
        packed = copy.copy(info)
        packed.compress_type = ZIP_STORED
        packed.file_size = info.compress_size
        del packed.CRC  # of what comes out, not of these bytes
        return io.BufferedReader(UnpackedMember(self._archive.open(packed), info))

    def close(self) -> None:
        self._archive.close()
