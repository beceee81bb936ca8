"""Text for people: paths that any file can hold, lines of strangers that move no cursor, counted nouns; and
the one spelling of a tag."""
import os
import re
import unicodedata
from collections.abc import Sequence

# Control characters, and what turns the direction of text or ends a line.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")

FEW = 3  # names in one line


def printable(path: str) -> str:
    """A path as text that JSON and SQLite can hold: bytes that are no UTF-8 become \\xNN."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def on_one_line(text: str) -> str:
    """Text of a stranger's for a terminal: what would move its cursor, colour it or turn its direction
    becomes \\xNN or \\uNNNN."""
    return UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def plural(count: int, name: str) -> str:
    """As in 1 picture, 2,000 pictures."""
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def first_few(names: Sequence[str], separator: str = ", ", total: int | None = None) -> str:
    """The first of them, and how many more there are, where only some are at hand: of `total`."""
    more = (total or len(names)) - FEW
    named = separator.join(names[:FEW])
    return f"{named} and {more:,} more" if more > 0 else named


def tag_name(text: str) -> str:
    """The tag that a folder, a file or a person names, in NFC: names that have been on a Mac may hold
    accents as characters of their own (NFD), look the same, and would be other tags."""
    return unicodedata.normalize("NFC", text)
