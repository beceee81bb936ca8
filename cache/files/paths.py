"""Where a path leads, as one absolute path: what a file is told by, however it was spelled."""
import os
import re

from cache.text import printable

PRINTED_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")  # as printable() writes one that is no UTF-8


def absolute_path(path: str | os.PathLike[str]) -> str:
    """Absolute, without `.` and `..`. What stands before a `..` is looked up on the disk: `link/..` is the
    folder around that to which the link leads. Other links stay as they are, since a picture that is linked
    into two tag folders has two tags."""
    path = os.fspath(path)
    before, climbs, behind = _split_at_last_climb(path)
    return os.path.abspath(os.path.join(os.path.realpath(before + climbs), behind) if climbs else path)


def lies_in(path: str, folder: str) -> bool:
    """Whether an absolute path is that of the folder (or file, or ZIP), or of something in it."""
    beginnings = tuple(folder.rstrip(separator) + separator for separator in {"/", os.sep})
    return path == folder or path.startswith(beginnings)


def printed_as(path: str) -> list[str]:
    """The paths on the disk that printable() gives as this one: most often itself, if it is there. A name
    with bytes that are no UTF-8 and one that spells them out are printed alike. Raises OSError or ValueError
    for what the system takes for no path."""
    if "\\x" not in path:
        return [path] if _is_there(path) else []
    folder, name = os.path.split(path)
    names = [name, os.fsdecode(PRINTED_BYTE.sub(lambda byte: bytes([int(byte[1], 16)]), os.fsencode(name)))]
    alike = [name_on_disk for name_on_disk in dict.fromkeys(names) if printable(name_on_disk) == name]
    paths = [os.path.join(around, name_on_disk) for around in printed_as(folder) for name_on_disk in alike]
    return [path_on_disk for path_on_disk in paths if _is_there(path_on_disk)]


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _split_at_last_climb(path: str) -> tuple[str, str, str]:
    parts = path.replace(os.sep, "/").split("/")
    if os.pardir not in parts:
        return path, "", ""
    last = len(parts) - 1 - parts[::-1].index(os.pardir)
    return "/".join(parts[:last]) + "/" * bool(last), os.pardir, "/".join(parts[last + 1:])
