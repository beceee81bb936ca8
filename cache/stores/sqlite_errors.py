"""What SQLite says went wrong, sorted out for the rooms that speak no SQL."""
from sqlite3 import DatabaseError

BUSY = ("locked", "busy")
# SQLite's own words for the disk, the rights, and files that are damaged: https://www.sqlite.org/rescode.html
TROUBLE = (
    *BUSY,
    "disk is full",
    "disk I/O error",
    "readonly",
    "unable to open",
    "malformed",
    "decode to UTF-8",
    "too big",
)


def is_busy(error: DatabaseError) -> bool:
    """Somebody else holds the database; the same may work later."""
    return any(words in str(error) for words in BUSY)


def is_trouble(error: DatabaseError) -> bool:
    """Of a disk, of rights, of a damaged or a busy file: nothing of ours to mend. Anything else is a bug."""
    return any(words in str(error) for words in TROUBLE)
