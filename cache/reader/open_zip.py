"""One ZIP, opened with a bound on its table of contents, its members with a bound on what comes out of
them."""
import copy
import io
import weakref
from typing import IO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from cache.reader.unpacked_member import METHODS, UnpackedMember
from cache.reader.zip_table import ENTRY, zip_table

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


class OpenZip:
    """`table`: its first entries, at most `most`, and what is known of the rest; `table_bytes`: what these
    took in the file."""

    def __init__(self, stream: IO[bytes], most: int):
        """Raises BadZipFile. The stream is closed when the last member that is being read has let go of
        it."""
        try:
            self.table = zip_table(stream, most)
        except BaseException:
            stream.close()
            raise
        # zipfile is for reading members only: it is shown an empty table, and then the archive.
        self._archive = ZipFile(io.BytesIO(EMPTY_ZIP))
        self._archive.fp = stream
        weakref.finalize(self._archive, stream.close)
        self.table_bytes = sum(ENTRY.size + len(info.filename) for info in self.table.infos)

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
