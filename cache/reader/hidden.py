"""What no person put among the pictures: thumbnails and bins of programs, and whatever is hidden."""
import os
import re
import stat
from zipfile import ZipInfo

HIDDEN_NAME = re.compile(
    r"""
    \.(?!\.?\Z).*                      # .thumbnails, .DS_Store, ._a.png; not the folders . and ..
    | @eaDir | \#recycle | \#snapshot  # of a Synology: its thumbnails would be a tag called 0.jpg
    | @Recycle                         # of a QNAP
    | __MACOSX
    | \$RECYCLE\.BIN | System\ Volume\ Information
    | lost\+found
    | (eh)?Thumbs\.db | desktop\.ini | Picasa\.ini
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
ON_WINDOWS = os.name == "nt"
# Systems under which a ZIP's member has the attributes of MS-DOS: APPNOTE.TXT 6.3.10, 4.4.2.2 and 4.4.15.
MADE_BY_WINDOWS = (0, 10, 14)


def is_hidden_name(name: str) -> bool:
    """name: of one file or folder, without the folders around it."""
    return HIDDEN_NAME.fullmatch(name) is not None


def is_hidden_entry(entry: os.DirEntry[str]) -> bool:
    """By its name; on Windows, where it comes with the listing, also by its attribute."""
    if is_hidden_name(entry.name):
        return True
    if not ON_WINDOWS:
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


def is_hidden_member(info: ZipInfo) -> bool:
    """By its name or that of a folder around it in the ZIP, or by its attribute."""
    if any(map(is_hidden_name, info.filename.split("/"))):
        return True
    return info.create_system in MADE_BY_WINDOWS and bool(info.external_attr & stat.FILE_ATTRIBUTE_HIDDEN)
