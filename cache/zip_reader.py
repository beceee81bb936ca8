"""ZIPs, nested to any depth: their members become SourceFiles like files on disk. Nothing is extracted under its own name."""
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from cache.image_limits import MIB, Limits, Skip
from cache.source_file import Archive, Item, Known, Skipped, SourceFile, printable

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # a member, an empty archive, the first of several volumes
ENTER, LEAVE, ONLY = "enter", "leave", "only"  # what to do with ZIPs: read them too, skip them, read nothing else
UNSAFE_NAME = re.compile(r"^/|^[A-Za-z]:|(^|/)\.\.(/|$)|\x00")


class ZipReader:
    """Expands the files of one walk. `archives` says whether ZIPs are entered, left alone, or all that is read."""

    def __init__(self, limits: Limits, archives: str, known: Known):
        self._limits, self._archives, self._known = limits, archives, known

    def expand(self, file: SourceFile, depth: int = 0) -> Iterator[SourceFile | Item]:
        """The file itself; or, if it is a ZIP, its members and then an Archive."""
        try:
            picture = self._known(file)
            if picture is not None and self._wanted(depth):
                yield picture
            elif picture is None and is_zip(file):
                yield from self._archive(file, depth + 1)
            elif not self._wanted(depth):
                raise Skip("not_in_archive")
            else:
                yield file
        except Skip as skip:
            yield Skipped(file.file_path, skip.reason, skip.detail)

    def _wanted(self, depth: int) -> bool:
        return depth > 0 or self._archives != ONLY

    def _archive(self, file: SourceFile, depth: int) -> Iterator[SourceFile | Item]:
        if self._archives == LEAVE:
            raise Skip("archive")
        if depth > self._limits.max_zip_depth:
            raise Skip("nested_too_deep", f"{depth} levels")
        archive = self._open(file, depth)
        allowed = self._limits.max_zip_entries if depth == 1 else self._limits.max_inner_zip_entries
        for info in islice(archive.infolist(), allowed):
            if not info.is_dir():
                yield from self._member(file, archive, info, depth)
        yield Archive(file)
        if len(archive.infolist()) > allowed:
            raise Skip("too_many_entries", f"{len(archive.infolist())} entries")

    def _open(self, file: SourceFile, depth: int) -> ZipFile:
        stream = None
        try:
            stream = file.open() if depth == 1 else self._spooled(file)
            archive = ZipFile(stream)
        except Exception as error:
            if stream:
                stream.close()
            raise _unopened(error) from None
        # The stream is closed when the last member is done with: each keeps the archive alive through its `open`.
        weakref.finalize(archive, stream.close)
        return archive

    def _spooled(self, file: SourceFile) -> BinaryIO:
        """An inner ZIP must be seekable: in memory while small, else in an anonymous temporary file."""
        if file.size > self._limits.max_member_mib * MIB:
            raise Skip("too_large", f"{file.size} bytes")
        spool = tempfile.SpooledTemporaryFile(max_size=self._limits.inner_zip_memory_bytes)
        with file.open() as stream:
            shutil.copyfileobj(stream, spool, MIB)
        spool.seek(0)
        return spool

    def _member(self, container: SourceFile, archive: ZipFile, info: ZipInfo, depth: int) -> Iterator[SourceFile | Item]:
        name = member_name(info)
        path = f"{container.file_path}/{name}"
        reason = self._refusal(archive, info, name)
        if reason:
            yield Skipped(path, *reason)
            return
        folders = name.split("/")[:-1]
        member = SourceFile(
            path, f"{container.absolute_path}/{name}", folders[-1] if folders else container.folder, container.file_path,
            info.file_size, container.mtime_ns, lambda: archive.open(info),
        )
        yield from self.expand(member, depth)

    def _refusal(self, archive: ZipFile, info: ZipInfo, name: str) -> tuple[str, ...]:
        if UNSAFE_NAME.search(name):
            return ("unsafe_name",)
        if archive.NameToInfo[info.filename] is not info:
            return ("duplicate_name",)
        if info.flag_bits & 0x1:
            return ("encrypted",)
        ratio = info.file_size / max(1, info.compress_size)
        if info.file_size > self._limits.expansion_free_bytes and ratio > self._limits.max_expansion:
            return ("expansion_ratio", f"{ratio:.0f}:1")
        return ()


def member_name(info: ZipInfo) -> str:
    """As it stands in paths: some tools on Windows write backslashes."""
    return printable(info.filename.replace("\\", "/"))


def is_zip(file: SourceFile) -> bool:
    return file.head() in ZIP_MAGIC


def _unopened(error: Exception) -> Skip:
    if isinstance(error, Skip):
        return error
    if isinstance(error, OSError):
        return Skip("unreadable", error.strerror or str(error))
    return Skip("bad_archive", str(error)[:200])  # BadZipFile, and what a broken table of contents makes zipfile run into
