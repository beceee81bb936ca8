"""The names of a ZIP's members as text: said by the ZIP, or guessed from all names that say nothing.

The Unicode path field and the flag for UTF-8: PKWARE's APPNOTE.TXT 6.3.10, sections 4.6.9 and 4.4.4. Without
either a name is in the code page of 1981 by the standard; but Info-ZIP and macOS have written UTF-8 there,
and Windows whatever it was set to.
"""
import re
import struct
import zlib
from zipfile import ZipInfo

from cache.reader.extra_fields import extra_fields

UTF8_FLAG = 0x800
UNICODE_PATH_FIELD = 0x7075
UNICODE_PATH_START = struct.Struct("<BL")  # version, CRC-32 of the name that the field replaces
NAME_OF_CODEC = {"utf-8": "UTF-8", "cp932": "Shift-JIS", "cp437": "code page 437"}
# Misread as Shift-JIS, an accented letter of code page 437 and the letter behind it become one sign: "schön"
# gets a kanji, "château" a katakana, "Élèves" two kanji, all beside Latin ones. Hiragana takes two accents.
JAPANESE = re.compile(
    r"""
    [ぁ-ゖ]
    | [ァ-ヺー々〆一-鿿]{3}
    | (?<![A-Za-z]) [ァ-ヺー々〆一-鿿]{2} (?![A-Za-z])
    """,
    re.VERBOSE,
)


class MemberNames:
    """Of one table of contents. Every member gets its name when all names are there."""

    def __init__(self) -> None:
        self._unsaid: list[tuple[ZipInfo, bytes]] = []

    def add(self, info: ZipInfo, raw: bytes) -> None:
        """raw: the name as it stands in the table; info has its flags and extra fields."""
        # What zipfile compares with the header before the member's bytes.
        info.orig_filename = raw.decode("ascii" if raw.isascii() else codec_in_headers(info), "replace")
        name = _said_name(raw, info)
        if name is None:
            self._unsaid.append((info, raw))
        else:
            info.filename = _with_slashes(name)

    def settle(self) -> str:
        """Name the rest; returns the encodings that were guessed, or nothing."""
        shared = _guessed_codec([raw for _, raw in self._unsaid])
        used = set()
        for info, raw in self._unsaid:
            codec = shared or ("utf-8" if _is_in(raw, "utf-8") else "cp437")
            info.filename = _with_slashes(raw.decode(codec))
            used.add(NAME_OF_CODEC[codec])
        return " and ".join(sorted(used))


def codec_in_headers(info: ZipInfo) -> str:
    """By the standard; that of `orig_filename`."""
    return "utf-8" if info.flag_bits & UTF8_FLAG else "cp437"


def _said_name(raw: bytes, info: ZipInfo) -> str | None:
    unicode_path = _unicode_path(raw, info.extra)
    if unicode_path:
        return unicode_path
    if raw.isascii():
        return info.orig_filename
    return raw.decode("utf-8") if info.flag_bits & UTF8_FLAG and _is_in(raw, "utf-8") else None


def _unicode_path(raw: bytes, extra: bytes) -> str | None:
    """Only where the name is still the one that it was written for: tools that do not know the field rename
    members and leave it."""
    if b"up" not in extra:
        return None
    for kind, content in extra_fields(extra):
        start, path = content[:UNICODE_PATH_START.size], content[UNICODE_PATH_START.size:]
        is_ours = kind == UNICODE_PATH_FIELD and start == UNICODE_PATH_START.pack(1, zlib.crc32(raw))
        if is_ours and _is_in(path, "utf-8"):
            return path.decode("utf-8")
    return None


def _guessed_codec(names: list[bytes]) -> str | None:
    """Of all names together; None where each has to be looked at."""
    if all(_is_in(name, "utf-8") for name in names):
        return "utf-8"
    if all(_is_in(name, "cp932") for name in names):
        is_japanese = any(JAPANESE.search(name.decode("cp932")) for name in names)
        return "cp932" if is_japanese else None
    return None


def _is_in(name: bytes, codec: str) -> bool:
    try:
        name.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _with_slashes(name: str) -> str:
    """Up to a zero byte, at which zipfile, too, ends a name; some tools on Windows write backslashes."""
    return name.partition("\0")[0].replace("\\", "/")
