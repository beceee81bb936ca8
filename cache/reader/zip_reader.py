"""ZIPs, nested to any depth: their members become SourceFiles like files on disk. Nothing is extracted under its own name."""
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO
from zipfile import ZipInfo

from cache.decoder.limits import MIB, Limits, Skip
from cache.reader.open_archives import OpenArchives, ZipSource
from cache.reader.source_file import Archive, Item, Known, Skipped, SourceFile
from cache.text import printable

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # a member, an empty archive, the first of several volumes
ENTER, LEAVE, ONLY = "enter", "leave", "only"  # what to do with ZIPs: read them too, skip them, read nothing else
UTF8_FLAG = 0x800
LOCAL_HEADER_BYTES = 30  # before a member's name and extra field
UNSAFE_NAME = re.compile(r"^/|^[A-Za-z]:|(^|/)\.\.(/|$)|\x00")


class ZipReader:
    """Expands the files of one walk. `archives` says whether ZIPs are entered, left alone, or all that is read; with `tagged`, only files
    that some folder tags are wanted."""

    def __init__(self, limits: Limits, archives: str, tagged: bool, known: Known):
        self._limits, self._archives, self._tagged, self._known = limits, archives, tagged, known
        self._open = OpenArchives()

    def expand(self, file: SourceFile, depth: int = 0, around: ZipSource | None = None) -> Iterator[SourceFile | Item]:
        """The file itself; or, if it is a ZIP, its members and then an Archive."""
        try:
            known = self._known(file)
            if known is None and is_zip(file):
                yield from self._archive(file, depth + 1, around)
            else:
                self._check_wanted(file, depth)
                yield known or file
        except Skip as skip:
            yield Skipped(file.file_path, skip.reason, skip.detail)

    def _check_wanted(self, file: SourceFile, depth: int) -> None:
        if self._archives == ONLY and not depth:
            raise Skip("not_in_archive")
        if self._tagged and file.folder is None:
            raise Skip("outside_tag_folder")

    def _archive(self, file: SourceFile, depth: int, around: ZipSource | None) -> Iterator[SourceFile | Item]:
        if self._archives == LEAVE:
            raise Skip("archive")
        if depth > self._limits.max_zip_depth:
            raise Skip("nested_too_deep", f"{depth} levels")
        top = depth == 1
        source = ZipSource(
            file.open if top else partial(self._spooled, file),
            self._limits.max_zip_entries if top else self._limits.max_inner_zip_entries, around,
        )
        infos, total = self._table(source)
        last = {info.filename: info for info in infos}
        overlapping = _overlapping(infos)
        for info in infos:
            if info.filename.endswith("/"):
                continue  # a folder; is_dir() of older Pythons stumbles over an empty name
            if info in overlapping:
                yield Skipped(f"{file.file_path}/{member_name(info)}", "damaged", "shares its bytes with another member")
            else:
                yield from self._member(file, source, info, info is last[info.filename], depth)
        yield Archive(file)
        if total > len(infos):
            raise Skip("too_many_entries", f"{total} entries")

    def _table(self, source: ZipSource) -> tuple[list[ZipInfo], int]:
        try:
            return self._open.table(source)
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
        self, container: SourceFile, source: ZipSource, info: ZipInfo, is_last: bool, depth: int,
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
        yield from self.expand(member, depth, source)

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


def _overlapping(infos: list[ZipInfo]) -> set[ZipInfo]:
    """Members that reach into the next one: a bomb of a few kilobytes names the same bytes a thousand times
    (https://www.bamsoftware.com/hacks/zipbomb/). Newer versions of zipfile refuse these, too."""
    found: set[ZipInfo] = set()
    behind_first = infos[::-1]  # of two at one place the last listed counts, as of two of one name
    behind_first.sort(key=lambda info: info.header_offset, reverse=True)
    next_start = None
    for info in behind_first:
        if next_start is not None and info.header_offset + LOCAL_HEADER_BYTES + info.compress_size > next_start:
            found.add(info)
        next_start = info.header_offset
    return found


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
