"""The folders a client may name. Every path from outside, or from a row of a database, passes here."""
import os
from collections.abc import Sequence
from pathlib import Path

from cache.serving.api_error import ApiError


class Roots:
    def __init__(self, folders: Sequence[str | os.PathLike]):
        self.folders = [Path(folder).resolve() for folder in folders]

    @classmethod
    def from_environment(cls) -> "Roots":
        """ITT_ROOT, separated like PATH; without it the current folder."""
        named = os.environ.get("ITT_ROOT", "").split(os.pathsep)
        return cls(list(filter(None, named)) or ["."])

    def holds(self, path: str) -> bool:
        """Whether a path lies inside a root after all links are followed."""
        resolved = Path(path).resolve()
        return any(resolved.is_relative_to(folder) for folder in self.folders)

    def check(self, path: str) -> str:
        """The path to use: as it was given, or with its links followed where it has any.

        Raises ApiError 403 outside the roots, 400 for what is no path.
        """
        if not path or "\0" in path:
            raise ApiError(400, "bad_path", "a path is empty or has a zero byte in it")
        try:
            held, resolved = self.holds(path), os.path.realpath(path)
        except (OSError, RuntimeError, ValueError):
            raise ApiError(400, "bad_path", "a path cannot be resolved") from None
        if not held:
            where = "outside the allowed folders"
            raise ApiError(403, "outside_root", f"{path} lies {where}", tile=where)
        return path if os.path.abspath(path) == resolved else resolved


def plain_name(name: str) -> str:
    """A file name with no folder in it."""
    if not name or name in (".", "..") or any(character in name for character in "/\\\0"):
        raise ApiError(400, "bad_name", "db_name is a plain file name")
    return name
