"""What no person put among the pictures: thumbnails and bins of programs, and whatever is hidden."""
import os
import stat
from zipfile import ZipInfo

NAMES = {  # in small letters
    "@eadir", "#recycle", "#snapshot",  # of a Synology, whose thumbnails would be a tag called 0.jpg
    "@recycle",  # of a QNAP
    "__macosx",
    "$recycle.bin", "system volume information", "desktop.ini", "thumbs.db", "ehthumbs.db",
    "lost+found",
    "picasa.ini",
}
ON_WINDOWS = os.name == "nt"
# Systems under which a ZIP's member has the attributes of MS-DOS: APPNOTE.TXT 6.3.10, 4.4.2.2 and 4.4.15.
MADE_BY_WINDOWS = (0, 10, 14)


def is_hidden_name(name: str) -> bool:
    """name: of one file or folder, without the folders around it."""
    if name.startswith("."):
        return name not in (".", "..")
    return name.lower() in NAMES


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
