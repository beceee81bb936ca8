"""Where a path leads, as one absolute path: what a file is told by, however it was spelled."""
import os


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


def _split_at_last_climb(path: str) -> tuple[str, str, str]:
    parts = path.replace(os.sep, "/").split("/")
    if os.pardir not in parts:
        return path, "", ""
    last = len(parts) - 1 - parts[::-1].index(os.pardir)
    return "/".join(parts[:last]) + "/" * bool(last), os.pardir, "/".join(parts[last + 1:])
