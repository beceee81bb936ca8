"""A ZIP's table of contents, with a bound on its size, and the same under every version of Python.

zipfile reads the table whole and makes an object of every entry, 350 bytes each, while a ZIP of one megabyte
can hold another with five million entries; takes the last bytes that look like the end of a table for it; and
its versions differ in what they make of names.

Layout of the records: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.5.3.
"""
import struct
from dataclasses import dataclass
from itertools import islice
from typing import IO
from zipfile import BadZipFile, ZipInfo

from cache.limits import MIB
from cache.reader.extra_fields import extra_fields
from cache.reader.member_names import MemberNames
from cache.reader.unlisted_members import unlisted_bytes
from cache.reader.zip_end import TablePlace, table_places

SIGNATURE = b"PK\x01\x02"
ENTRY = struct.Struct("<4s4B4HL2L5H2L")  # before name, extra field and comment
ZIP64_FIELD = 0x0001
BEYOND_32_BITS = 0xFFFFFFFF  # stands for a number in this field
TABLE_BYTES = 128  # of an entry with a name of 80 characters; more in all, and the table ends there
FEWEST_TABLE_BYTES = 8 * MIB
MOST_PLACES = 4  # tried; by accident there are two


@dataclass(frozen=True)
class ZipTable:
    infos: list[ZipInfo]  # the first entries; their names are final, with slashes
    total: int  # how many entries there are, or as many as were counted
    unlisted: int  # bytes of members that the table leaves out; 0 where not all of it was read
    names_read_as: str  # the encodings that were guessed for names, "UTF-8" for example; or nothing


def zip_table(stream: IO[bytes], most: int) -> ZipTable:
    """At most `most` entries of the table that leaves out no member, or the fewest bytes of them. Raises
    BadZipFile."""
    tables: list[ZipTable] = []
    errors: list[BadZipFile] = []
    for place in islice(table_places(stream), MOST_PLACES):
        try:
            table = _table(stream, place, most)
        except BadZipFile as error:
            errors.append(error)
            continue
        if not table.unlisted:
            return table
        tables.append(table)
    if tables:
        return min(tables, key=lambda table: table.unlisted)
    raise errors[0] if errors else BadZipFile("no end of a table of contents")


def _table(stream: IO[bytes], place: TablePlace, most: int) -> ZipTable:
    if place.start < 0:
        raise BadZipFile("the table of contents begins before the file")
    stream.seek(place.start)
    data = stream.read(min(place.size, max(FEWEST_TABLE_BYTES, TABLE_BYTES * most)))
    names = MemberNames()
    infos, is_whole = _entries(data, place, most, names)
    total = len(infos) if is_whole else max(data.count(SIGNATURE), len(infos) + 1)
    unlisted = unlisted_bytes(stream, infos, place.start) if is_whole else 0
    for info in infos:
        info.extra = b""  # up to 64 KiB each, and nobody asks any more
    return ZipTable(infos, total, unlisted, names.settle())


def _entries(data: bytes, place: TablePlace, most: int, names: MemberNames) -> tuple[list[ZipInfo], bool]:
    """Those at the beginning, and whether they are all that the table has."""
    infos: list[ZipInfo] = []
    at = 0
    while at < len(data):
        if len(infos) == most:
            return infos, False
        fields_end = at + ENTRY.size
        fields = ENTRY.unpack_from(data, at) if fields_end <= len(data) else (b"",)
        following = fields_end + sum(fields[12:15])
        if fields[0] != SIGNATURE or following > len(data):
            if len(data) < place.size:
                return infos, False
            raise BadZipFile(f"the table of contents breaks off at entry {len(infos) + 1}")
        name_end = fields_end + fields[12]
        info = _info(fields, data[name_end:name_end + fields[13]], place.shift)
        names.add(info, data[fields_end:name_end])
        infos.append(info)
        at = following
    return infos, len(data) == place.size


def _info(fields: tuple, extra: bytes, shift: int) -> ZipInfo:
    info = ZipInfo()
    info.create_system, info.flag_bits, info.compress_type = fields[2], fields[5], fields[6]
    info.CRC, info.compress_size, info.file_size = fields[9:12]
    info.external_attr, info.header_offset = fields[17:19]
    info.extra = extra
    if BEYOND_32_BITS in (info.file_size, info.compress_size, info.header_offset):
        _read_64_bits(info)
    info.header_offset += shift
    return info


def _read_64_bits(info: ZipInfo) -> None:
    """Numbers for which there was no room, as far as they are there: a member without them reaches too far,
    and is refused when it is read."""
    field = next((content for kind, content in extra_fields(info.extra) if kind == ZIP64_FIELD), b"")
    numbers = [number for (number,) in struct.iter_unpack("<Q", field[:len(field) // 8 * 8])]
    for name in ("file_size", "compress_size", "header_offset"):
        if getattr(info, name) == BEYOND_32_BITS and numbers:
            setattr(info, name, numbers.pop(0))
