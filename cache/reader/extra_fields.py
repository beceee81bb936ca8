"""The extra fields of a member of a ZIP: PKWARE's APPNOTE.TXT 6.3.10, section 4.5."""
import struct
from collections.abc import Iterator

HEADER = struct.Struct("<HH")  # identifier, length


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Identifier and content of each, as far as they are whole."""
    at = 0
    while at + HEADER.size <= len(extra):
        identifier, length = HEADER.unpack_from(extra, at)
        at += HEADER.size + length
        if at <= len(extra):
            yield identifier, extra[at - length:at]
