"""ZIPs, nested to any depth: their members become SourceFiles like files on disk, extracted nowhere."""
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import IO
from zipfile import ZipInfo

from cache.formats.signatures import why_no_picture
from cache.limits import MIB, Limits, Skip
from cache.reader.hidden import is_hidden_member
from cache.reader.open_archives import OpenArchives, ZipSource
from cache.reader.other_files import is_camera_thumbnail, is_named_as_other
from cache.reader.source_file import Archive, Item, Known, Skipped, SourceFile, member_stamp
from cache.reader.zip_table import ZipTable
from cache.text import tag_name

# What to do with ZIPs: read them, too; skip them; read nothing else.
ENTER, LEAVE, ONLY = "enter", "leave", "only"

# What begins with a member, an empty archive, one of several volumes.
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ENCRYPTED_FLAG = 0x1
LOCAL_HEADER_BYTES = 30  # before a member's name and extra field
UNSAFE_NAME = re.compile(r"^/|^[A-Za-z]:|(^|/)\.\.(/|$)|\x00")


class ZipReader:
    """Expands the files of one walk. `archives` says whether ZIPs are entered, left alone, or all that is
    read; with `tagged`, only files that some folder tags are wanted."""

    def __init__(self, limits: Limits, archives: str, tagged: bool, known: Known):
        self._limits = limits
        self._archives = archives
        self._tagged = tagged
        self._known = known
        self._open = OpenArchives()

    def expand(
        self, file: SourceFile, depth: int = 0, around: ZipSource | None = None,
    ) -> Iterator[SourceFile | Item]:
        """The file itself; or, if it is a ZIP, its members and then an Archive."""
        try:
            known = self._known(file)
            head = b"" if known else file.head()
            if head.startswith(ZIP_MAGIC):
                yield from self._archive(file, depth + 1, around)
            else:
                self._check_wanted(file, depth, None if known else _why_not_read(file, head))
                yield known or file
        except Skip as skip:
            yield Skipped(file.file_path, skip.reason, skip.detail)

    def _check_wanted(self, file: SourceFile, depth: int, why_not_read: Skip | None) -> None:
        """Raises Skip. What lies beside photographs does so anywhere; of the rest its place says more."""
        if why_not_read and why_not_read.reason == "other_file":
            raise why_not_read
        if self._archives == ONLY and not depth:
            raise Skip("not_in_archive")
        if self._tagged and file.folder is None:
            raise Skip("outside_tag_folder")
        if why_not_read:
            raise why_not_read

    def _archive(
        self, file: SourceFile, depth: int, around: ZipSource | None,
    ) -> Iterator[SourceFile | Item]:
        if self._archives == LEAVE:
            raise Skip("archive")
        if depth > self._limits.max_zip_depth:
            raise Skip("nested_too_deep", f"{depth} levels")
        source = self._source(file, depth, around)
        table = self._table(source)
        last_of_name = {info.filename: info for info in table.infos}
        overlapping = _overlapping(table.infos)
        for info in table.infos:
            if info.filename.endswith("/"):
                continue  # a folder; is_dir() of older Pythons stumbles over an empty name
            if info in overlapping:
                path = f"{file.file_path}/{info.filename}"
                yield Skipped(path, "damaged", "shares its bytes with another member")
            else:
                is_last = info is last_of_name[info.filename]
                yield from self._member(file, source, info, is_last=is_last, depth=depth)
        yield Archive(file, names_read_as=table.names_read_as)
        if table.total > len(table.infos):
            raise Skip("too_many_entries", f"{table.total} entries")
        if table.unlisted:
            raise Skip("bad_archive", f"{table.unlisted} bytes of members are not in its table of contents")

    def _source(self, file: SourceFile, depth: int, around: ZipSource | None) -> ZipSource:
        if depth == 1:
            return ZipSource(file.open, self._limits.max_zip_entries, around)
        return ZipSource(partial(self._spooled, file), self._limits.max_inner_zip_entries, around)

    def _table(self, source: ZipSource) -> ZipTable:
        try:
            return self._open.table(source)
        except Skip:
            raise
        except OSError as error:
            raise Skip("unreadable", error.strerror or str(error)) from None
        except Exception as error:  # BadZipFile, and what a broken table of contents makes zipfile run into
            raise Skip("bad_archive", str(error)[:200]) from None

    def _spooled(self, file: SourceFile) -> IO[bytes]:
        """An inner ZIP must be seekable: in memory while small, else in an anonymous temporary file."""
        if file.size > self._limits.max_member_mib * MIB:
            raise Skip("too_large", f"{file.size} bytes")
        # Not a SpooledTemporaryFile: before Python 3.11 it lacks what zipfile asks of a file.
        is_small = file.size <= self._limits.inner_zip_memory_bytes
        spool: IO[bytes] = io.BytesIO() if is_small else tempfile.TemporaryFile()
        with file.open() as stream:
            shutil.copyfileobj(stream, spool, MIB)
        spool.seek(0)
        return spool

    def _member(
        self, container: SourceFile, source: ZipSource, info: ZipInfo, *, is_last: bool, depth: int,
    ) -> Iterator[SourceFile | Item]:
        name = info.filename
        path = f"{container.file_path}/{name}"
        refusal = self._refusal(info, is_last)
        if refusal:
            yield Skipped(path, *refusal)
            return
        folders = [part for part in name.split("/")[:-1] if part not in ("", ".")]
        member = SourceFile(
            file_path=path,
            absolute_path=f"{container.absolute_path}/{name}",
            folder=tag_name(folders[-1]) if folders else container.folder,
            archive_path=container.file_path,
            size=info.file_size,
            mtime_ns=container.mtime_ns,
            stamp=member_stamp(container.mtime_ns, info),
            open=partial(self._open.member, source, info),
        )
        yield from self.expand(member, depth, source)

    def _refusal(self, info: ZipInfo, is_last: bool) -> tuple[str, ...]:
        """Reason and detail, or nothing. is_last: of the members with this name."""
        if UNSAFE_NAME.search(info.filename):
            return ("unsafe_name",)
        if not is_last:
            return ("duplicate_name",)
        if not self._limits.include_hidden and is_hidden_member(info):
            return ("hidden",)
        if is_camera_thumbnail(info.filename):
            return ("other_file",)
        if info.flag_bits & ENCRYPTED_FLAG:
            return ("encrypted",)
        ratio = info.file_size / max(1, info.compress_size)
        if info.file_size > self._limits.expansion_free_bytes and ratio > self._limits.max_expansion:
            return ("expansion_ratio", f"{ratio:.0f}:1")
        return ()


def _overlapping(members: list[ZipInfo]) -> set[ZipInfo]:
    """Members that reach into the next one: a bomb of a few kilobytes names the same bytes a thousand times
    (https://www.bamsoftware.com/hacks/zipbomb/). Newer versions of zipfile refuse these, too."""
    overlapping: set[ZipInfo] = set()
    last_first = members[::-1]  # of two at one place the last listed counts, as of two of one name
    last_first.sort(key=lambda info: info.header_offset, reverse=True)
    next_start = None
    for info in last_first:
        end = info.header_offset + LOCAL_HEADER_BYTES + info.compress_size
        if next_start is not None and end > next_start:
            overlapping.add(info)
        next_start = info.header_offset
    return overlapping


def is_zip(file: SourceFile) -> bool:
    return file.head().startswith(ZIP_MAGIC)


def _why_not_read(file: SourceFile, head: bytes) -> Skip | None:
    """By its first bytes, and by its name where these say nothing: a video of gigabytes is never read."""
    no_picture = why_no_picture(head)
    if no_picture and no_picture.reason == "not_an_image":
        if is_named_as_other(file.file_name):
            return Skip("other_file")
        return no_picture if head else Skip("empty")
    return no_picture
