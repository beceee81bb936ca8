"""Where the table of contents of a ZIP lies, by the records at the end of the file that say so.

Layout of the records: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
"""
import io
import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

SIGNATURE = b"PK\x05\x06"
RECORD = struct.Struct("<4s4H2LH")  # ... size and offset of the table, length of the comment behind it
LOCATOR_64 = struct.Struct("<4sLQL")  # directly before it, if there is a record of 64 bits
RECORD_64 = struct.Struct("<4sQ2H2L4Q")  # directly before that; ... size and offset of the table
MOST_COMMENT = 65535


class TablePlace(NamedTuple):
    start: int  # in the file; negative if the record is wrong
    size: int
    shift: int  # what offsets in the table lack: the length of what was put before the archive


def table_places(stream: IO[bytes]) -> Iterator[TablePlace]:
    """The place that each record names, the last record first. Those before it count only if the comment
    behind them reaches to the end of the file: they are no records but bytes of a member, or the last one is
    part of their comment."""
    end = stream.seek(0, io.SEEK_END)
    tail_start = max(0, end - MOST_COMMENT - RECORD.size - LOCATOR_64.size - RECORD_64.size)
    stream.seek(tail_start)
    tail = stream.read(end - tail_start)
    last = position = tail.rfind(SIGNATURE, 0, max(0, len(tail) - RECORD.size + len(SIGNATURE)))
    while position >= 0:
        *_, size, offset, comment = RECORD.unpack_from(tail, position)
        if position == last or position + RECORD.size + comment == len(tail):
            yield _place(tail, tail_start, position, size, offset)
        position = tail.rfind(SIGNATURE, 0, position + len(SIGNATURE) - 1)


def _place(tail: bytes, tail_start: int, position: int, size: int, offset: int) -> TablePlace:
    locator_at = position - LOCATOR_64.size
    record_at = locator_at - RECORD_64.size
    if record_at >= 0 and tail[locator_at:].startswith(b"PK\x06\x07"):
        signature, *_, size_64, offset_64 = RECORD_64.unpack_from(tail, record_at)
        if signature == b"PK\x06\x06":
            position, size, offset = record_at, size_64, offset_64
    start = tail_start + position - size
    return TablePlace(start, size, start - offset)
