"""Members of a ZIP that its table of contents leaves out: looked for only where the table leaves a gap.

Layout of a member: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.9.
"""
import struct
from collections.abc import Sequence
from typing import IO
from zipfile import ZipInfo

from cache.reader.member_names import codec_in_headers

SIGNATURE = b"PK\x03\x04"
HEADER_BYTES = 30  # before a member's name and extra field
LENGTHS = struct.Struct("<HH")  # of these two
LENGTHS_AT = 26
DESCRIPTOR_BYTES = 24  # at most, behind the bytes of a member that was streamed
# Extra field and descriptor take 44 bytes with Info-ZIP, a header and a picture more than 64. What else
# stands in the extra field usually stands in that of the table, too: times, a name in Unicode.
SMALLEST_GAP = 64
MOST_EXTRA_BYTES = 256  # believed of it


def unlisted_bytes(stream: IO[bytes], infos: Sequence[ZipInfo], table_start: int) -> int:
    """How many bytes lie in gaps between the members, and before the table, that begin like a member. What
    else may lie there: a program that unpacks the archive, padding, a signature."""
    unlisted = covered = 0
    last: ZipInfo | None = None  # that reaches up to `covered`, but for its extra field and descriptor
    for info in sorted(infos, key=lambda info: info.header_offset):
        unlisted += _unlisted_in_gap(stream, last, covered, min(info.header_offset, table_start))
        end = info.header_offset + HEADER_BYTES + info.compress_size
        if end > covered:
            covered, last = end, info
    return unlisted + _unlisted_in_gap(stream, last, covered, table_start)


def _unlisted_in_gap(stream: IO[bytes], last: ZipInfo | None, start: int, end: int) -> int:
    gap = end - start
    if gap < SMALLEST_GAP or (last and gap < SMALLEST_GAP + _own_bytes(last)):
        return 0
    if last:
        start += _name_and_extra_bytes(stream, last)
    stream.seek(start)
    at = stream.read(DESCRIPTOR_BYTES + len(SIGNATURE)).find(SIGNATURE)
    return max(0, end - start - at) if at >= 0 else 0


def _own_bytes(info: ZipInfo) -> int:
    """Of name and extra field, by the table."""
    name = info.orig_filename.encode(codec_in_headers(info), "replace")
    return len(name) + min(len(info.extra), MOST_EXTRA_BYTES)


def _name_and_extra_bytes(stream: IO[bytes], info: ZipInfo) -> int:
    stream.seek(max(0, info.header_offset))
    header = stream.read(HEADER_BYTES)
    is_header = header.startswith(SIGNATURE) and len(header) == HEADER_BYTES
    return sum(LENGTHS.unpack_from(header, LENGTHS_AT)) if is_header else 0
