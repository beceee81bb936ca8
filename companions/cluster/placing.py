"""The files of a result in folders of their own: result/cluster_<k>/ and result/outliers/.

    copy      a file of its own, with the time and rights of the original
    hardlink  the same file under a second name; a copy where the file system has no such names
    symlink   a link to the absolute path of the original; a copy where the file system has no links
    move      the original itself, see moving.py

Files keep their names. Pictures inside ZIPs are copied out, under their name without what some system does
not take; `move` leaves ZIPs as they are.
"""
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cache.files.paths import printed_as
from cache.files.placed_names import placed_names
from cache.limits import REASONS, Skip
from cache.progress import PATIENCE, progress_bar
from cache.reader.source_file import disk_stamp
from cache.reader.stored_file import stored_file
from cache.refusal import Missing
from cache.text import first_few, on_one_line, plural, printable
from companions.cluster.groups import Place
from companions.cluster.result import Result, cluster_name

if TYPE_CHECKING:
    from tqdm import tqdm

COPY, HARDLINK, SYMLINK, MOVE = PLACINGS = ("copy", "hardlink", "symlink", "move")
PLACED, OUTLIERS = "result", "outliers"
# What a file system says to a name that another one took.
NOT_A_NAME_HERE = (errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG)
NO_LINKS_HERE = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
IN_ARCHIVE = "in a ZIP, which stays as it is"
GONE, CHANGED = "no longer there", "changed since it was read"


class Left(NamedTuple):
    """A file that was not placed."""

    file_path: str
    why: str


class Unfit(Exception):
    """Raised where a file is not placed; its text says why."""


@dataclass
class Placed:
    files: int = 0
    copied: int = 0  # of them, where there could be no links
    left: list[Left] = field(default_factory=list)

    def add(self, more: "Placed") -> None:
        self.files, self.copied = self.files + more.files, self.copied + more.copied
        self.left += more.left

    def lines(self) -> list[str]:
        """For a person: what did not go as it was asked for."""
        names_of: dict[str, list[str]] = {}
        for file_path, why in self.left:
            names_of.setdefault(why, []).append(file_path)
        lines = [f"not placed, {plural(len(names), 'file')}, {why}: {first_few(names)}"
                 for why, names in names_of.items()]
        if self.copied:
            lines.append(f"copied, because there can be no links: {plural(self.copied, 'file')}")
        return list(map(on_one_line, lines))


def files_of(result: Result) -> Iterator[tuple[str, Place]]:
    """(name of its folder, place) of every file, copies included, in the order of the result."""
    groups = [(cluster_name(place), cluster.numbers) for place, cluster in enumerate(result.clusters)]
    for name, numbers in (*groups, (OUTLIERS, result.outliers)):
        for number in numbers:
            yield from ((name, place) for place in result.members[number].places)


def watched_files(result: Result, bar: "tqdm") -> Iterator[tuple[str, Place]]:
    with bar:
        for group, place in files_of(result):
            yield group, place
            bar.update()


def place_files(result: Result, how: str, building: Path) -> Placed:
    """Put a copy of, or link to, every file into `building`/result; how: copy, hardlink or symlink."""
    placed = Placed()
    make = {COPY: copy_file, HARDLINK: _hard_link, SYMLINK: _symbolic_link}[how]
    bar = progress_bar(result.files, "files", "placing", delay=PATIENCE)
    for group, place in watched_files(result, bar):
        folder = building / PLACED / group
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if place.in_archive:
                _copied_out(place, folder)
            else:
                placed.copied += _made(place, folder, make)
            placed.files += 1
        except Unfit as unfit:
            placed.left.append(Left(place.file_path, str(unfit)))
    return placed


def _made(place: Place, folder: Path, make: Callable[[str, Path], None]) -> bool:
    """Whether it had to be a copy."""
    source = path_on_disk(place)
    if not is_still(place, source):
        raise Unfit(CHANGED)
    try:
        first_free(folder, names_for(source), lambda path: make(source, path))
    except OSError as error:
        if make is copy_file or error.errno not in NO_LINKS_HERE:
            raise
        first_free(folder, names_for(source), lambda path: copy_file(source, path))
        return True
    return False


def path_on_disk(place: Place) -> str:
    """Of a file that lies in no archive. Raises Unfit if it is not there, or cannot be told."""
    try:
        paths = [path for path in printed_as(place.absolute_path) if os.path.isfile(path)]
    except (OSError, ValueError):  # no path that a system takes
        raise Unfit(GONE) from None
    if len(paths) > 1:
        raise Unfit("one of two files whose names are printed alike")
    if not paths:
        raise Unfit(GONE)
    return paths[0]


def is_still(place: Place, source: str) -> bool:
    """Whether the file is that which was read, by size, time and number on the disk: not by the time of its
    last change of any kind, which each hard link to it alters."""
    try:
        status = os.stat(source)
    except OSError:
        return False
    stamp = disk_stamp(status).split()[:2]
    return status.st_size == place.size_bytes and place.stamp.split()[:2] in ([], stamp)


def names_for(source: str) -> Iterator[str]:
    """The name of a file as it is, then such as every system takes."""
    name = os.path.basename(source)
    return chain([name], placed_names(printable(name), printable(source)))


def first_free(folder: Path, names: Iterator[str], make: Callable[[Path], None]) -> str:
    """The first name under which make(path) made a file that was not there."""
    for number, name in enumerate(names):
        try:
            make(folder / name)
            return name
        except FileExistsError:
            continue
        except OSError as error:
            if number or error.errno not in NOT_A_NAME_HERE:
                raise
    raise AssertionError("the names never end")


def copy_file(source: str, target: Path) -> None:
    """With times and rights. Raises FileExistsError, and Unfit for a source that cannot be read."""
    try:
        file = open(source, "rb")
    except OSError as error:
        raise Unfit(error.strerror or "cannot be read") from None
    with file, open(target, "xb") as copy:
        shutil.copyfileobj(file, copy)
    shutil.copystat(source, target)


def _hard_link(source: str, target: Path) -> None:
    """Of the file itself, where the source is a link to it."""
    os.link(os.path.realpath(source), target)


def _symbolic_link(source: str, target: Path) -> None:
    os.symlink(source, target)


def _copied_out(place: Place, folder: Path) -> None:
    """Out of an archive, and never under a path that this names."""
    try:
        file = stored_file(place.absolute_path)
        if place.stamp and str(file.mtime_ns) != place.stamp.split()[0]:
            raise Unfit(CHANGED)
        data = file.read()
    except (Missing, ValueError):
        raise Unfit(GONE) from None
    except Skip as skip:
        raise Unfit(skip.detail or REASONS[skip.reason]) from None

    def write(path: Path) -> None:
        with open(path, "xb") as copy:
            copy.write(data)

    first_free(folder, placed_names(os.path.basename(place.file_path), place.absolute_path), write)
