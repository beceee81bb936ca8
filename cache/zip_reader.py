"""ZIPs, nested to any depth: their members become SourceFiles like files on disk. Nothing is extracted under its own name."""
import io
import re
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from cache.image_limits import MIB, Limits, Skip
from cache.source_file import Archive, Item, Known, Skipped, SourceFile, printable

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # a member, an empty archive, the first of several volumes
ENTER, LEAVE, ONLY = "enter", "leave", "only"  # what to do with ZIPs: read them too, skip them, read nothing else
UTF8_FLAG = 0x800
UNSAFE_NAME = re.compile(r"^/|^[A-Za-z]:|(^|/)\.\.(/|$)|\x00")


class OpenArchives:
    """The few ZIPs that are open at once: a folder of a thousand ZIPs must not take a thousand file descriptors, nor the memory of a
    thousand inner ZIPs. One lock for all, since opening an inner ZIP reads from the one around it."""

    def __init__(self, most: int = 8):
        self._most = most
        self._lock = threading.RLock()
        self._open: OrderedDict[Callable[[], BinaryIO], ZipFile] = OrderedDict()

    def infos(self, source: Callable[[], BinaryIO]) -> list[ZipInfo]:
        with self._lock:
            return self._zip(source).infolist()

    def member(self, source: Callable[[], BinaryIO], info: ZipInfo) -> BinaryIO:
        """A stream of its own, which outlives the closing of the archive."""
        with self._lock:
            return self._zip(source).open(info)

    def _zip(self, source: Callable[[], BinaryIO]) -> ZipFile:
        archive = self._open.pop(source, None) or _opened(source())
        self._open[source] = archive
        while len(self._open) > self._most:
            self._open.popitem(last=False)[1].close()
        return archive


def _opened(stream: BinaryIO) -> ZipFile:
    try:
        archive = ZipFile(stream)
    except BaseException:
        stream.close()
        raise
    weakref.finalize(archive, stream.close)  # when the last member that is being read has let go of it
    return archive


class ZipReader:
    """Expands the files of one walk. `archives` says whether ZIPs are entered, left alone, or all that is read; with `tagged`, only files
    that some folder tags are wanted."""

    def __init__(self, limits: Limits, archives: str, tagged: bool, known: Known):
        self._limits, self._archives, self._tagged, self._known = limits, archives, tagged, known
        self._open = OpenArchives()

    def expand(self, file: SourceFile, depth: int = 0) -> Iterator[SourceFile | Item]:
        """The file itself; or, if it is a ZIP, its members and then an Archive."""
        try:
            picture = self._known(file)
            if picture is None and is_zip(file):
                yield from self._archive(file, depth + 1)
            else:
                self._check_wanted(file, depth)
                yield picture or file
        except Skip as skip:
            yield Skipped(file.file_path, skip.reason, skip.detail)

    def _check_wanted(self, file: SourceFile, depth: int) -> None:
        if self._archives == ONLY and not depth:
            raise Skip("not_in_archive")
        if self._tagged and file.folder is None:
            raise Skip("outside_tag_folder")

    def _archive(self, file: SourceFile, depth: int) -> Iterator[SourceFile | Item]:
        if self._archives == LEAVE:
            raise Skip("archive")
        if depth > self._limits.max_zip_depth:
            raise Skip("nested_too_deep", f"{depth} levels")
        source = file.open if depth == 1 else partial(self._spooled, file)
        infos = self._infos(source)
        allowed = self._limits.max_zip_entries if depth == 1 else self._limits.max_inner_zip_entries
        last = {info.filename: info for info in infos}
        for info in islice(infos, allowed):
            if not info.is_dir():
                yield from self._member(file, source, info, info is last[info.filename], depth)
        yield Archive(file)
        if len(infos) > allowed:
            raise Skip("too_many_entries", f"{len(infos)} entries")

    def _infos(self, source: Callable[[], BinaryIO]) -> list[ZipInfo]:
        try:
            return self._open.infos(source)
        except Skip:
            raise
        except OSError as error:
            raise Skip("unreadable", error.strerror or str(error)) from None
        except Exception as error:  # BadZipFile, and what a broken table of contents makes zipfile run into
            raise Skip("bad_archive", str(error)[:200]) from None

    def _spooled(self, file: SourceFile) -> BinaryIO:
        """An inner ZIP must be seekable: in memory while small, else in an anonymous temporary file."""
        if file.size > self._limits.max_member_mib * MIB:
            raise Skip("too_large", f"{file.size} bytes")
        # Not a SpooledTemporaryFile: before Python 3.11 it lacks what zipfile asks of a file.
        spool = io.BytesIO() if file.size <= self._limits.inner_zip_memory_bytes else tempfile.TemporaryFile()
        with file.open() as stream:
            shutil.copyfileobj(stream, spool, MIB)
        spool.seek(0)
        return spool

    def _member(
        self, container: SourceFile, source: Callable[[], BinaryIO], info: ZipInfo, is_last: bool, depth: int,
    ) -> Iterator[SourceFile | Item]:
        name = member_name(info)
        path = f"{container.file_path}/{name}"
        reason = self._refusal(info, name, is_last)
        if reason:
            yield Skipped(path, *reason)
            return
        folders = [part for part in name.split("/")[:-1] if part not in ("", ".")]
        member = SourceFile(
            path, f"{container.absolute_path}/{name}", folders[-1] if folders else container.folder, container.file_path,
            info.file_size, container.mtime_ns, partial(self._open.member, source, info),
        )
        yield from self.expand(member, depth)

    def _refusal(self, info: ZipInfo, name: str, is_last: bool) -> tuple[str, ...]:
        if UNSAFE_NAME.search(name):
            return ("unsafe_name",)
        if not is_last:
            return ("duplicate_name",)
        if info.flag_bits & 0x1:
            return ("encrypted",)
        ratio = info.file_size / max(1, info.compress_size)
        if info.file_size > self._limits.expansion_free_bytes and ratio > self._limits.max_expansion:
            return ("expansion_ratio", f"{ratio:.0f}:1")
        return ()


def member_name(info: ZipInfo) -> str:
    """As it stands in paths. Some tools on Windows write backslashes; Info-ZIP and others write UTF-8 without the flag that says so,
    which zipfile takes for the code page of 1981."""
    name = info.filename
    if not info.flag_bits & UTF8_FLAG:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass  # it really is in that code page, or an unknown one
    return printable(name.replace("\\", "/"))


def is_zip(file: SourceFile) -> bool:
    return file.head().startswith(ZIP_MAGIC)
