"""Results that a later run replaces as a whole: a listing in them tells what we made, and that nothing of
anybody else's would be lost."""
import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import orjson

from cache.files.whole_folder import WholeFolder
from cache.refusal import Refused

if TYPE_CHECKING:
    from typing_extensions import Self

MARKER = ".result.json"
MADE_BY = "image-tagging-tools"


class Listing(TypedDict):
    made_by: str
    entries: list[str]  # directly in the folder, the listing itself too
    files: int  # in it and all folders below, without the listing


class ListedFolder:
    """with ListedFolder(path) as folder: fill folder.building, which appears under its name after the block
    has ended well."""

    def __init__(self, path: str):
        """Raises Refused if `path` holds anything but an earlier result, which is replaced as a whole."""
        self.final = Path(path).resolve()
        self.check()

    def __enter__(self) -> "Self":
        with ExitStack() as stack:
            self.whole = stack.enter_context(WholeFolder(self.final))
            self.building = self.whole.building
            self.prepare()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        with self._stack:
            if kind is None:
                self.put_in_place()

    def check(self) -> None:
        """Raises Refused if what is there may not be replaced."""
        refuse_unless_ours(self.final)

    def prepare(self) -> None:
        """What is in the folder from the beginning."""

    def put_in_place(self) -> None:
        write_listing(self.building, listing_of(self.building))
        self.check()  # again: somebody may have put something there meanwhile
        self.whole.put_in_place()


def listing_of(folder: Path) -> Listing:
    """Of a folder that we have just filled."""
    entries = sorted([*os.listdir(folder), MARKER])
    return {"made_by": MADE_BY, "entries": entries, "files": _file_count(folder)}


def write_listing(folder: Path, listing: Listing) -> None:
    (folder / MARKER).write_text(json.dumps(listing, indent=1))


def refuse_unless_ours(path: Path) -> None:
    """Raises Refused if `path` holds anything but an earlier result."""
    if path.is_file():
        raise Refused(f"--output {path} is a file; name a folder")
    if os.path.ismount(path):
        raise Refused(
            f"--output {path} is a mount point and cannot be replaced as a whole; name a folder inside it")
    if not path.is_dir() or not os.listdir(path):
        return
    try:
        marker = orjson.loads((path / MARKER).read_bytes())
        entries, files = set(marker["entries"]), int(marker["files"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(
            f"--output {path} is not empty and holds no earlier result; name another folder") from None
    added = sorted(set(os.listdir(path)) - entries)
    if added:
        raise Refused(
            f"--output {path} holds an earlier result and {added[0]}, which would be lost; "
            f"name another folder")
    if _file_count(path) - 1 > files:  # the marker itself was not counted
        raise Refused(
            f"--output {path} holds an earlier result and files added since, which would be lost; "
            f"name another folder")


def _file_count(path: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(path))
