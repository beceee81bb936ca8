"""Which original goes where, before anything is moved."""
import os
from functools import lru_cache
from pathlib import Path

from cache.files.paths import absolute_path
from cache.progress import PATIENCE, progress_bar
from companions.cluster.groups import Place
from companions.cluster.journal import Move
from companions.cluster.placing import (
    CHANGED,
    PLACED,
    Left,
    Placed,
    Unfit,
    first_free,
    is_still,
    names_for,
    path_on_disk,
    watched_files,
)
from companions.cluster.result import Result

IN_ARCHIVE = "in a ZIP, which stays as it is"
LINKED = "a link, or behind one"


def plan(result: Result, source: str, building: Path) -> tuple[Placed, list[Move]]:
    """Of every file that can be moved; Placed says which cannot. source: the input as it was given; building:
    the folder that becomes the output, which gets the folders that they go to."""
    behind_links = _BehindLinks(source)
    placed, moves = Placed(), []
    bar = progress_bar(result.files, "files", "planning", delay=PATIENCE)
    for group, place in watched_files(result, bar):
        (building / PLACED / group).mkdir(parents=True, exist_ok=True)
        try:
            moves.append(_planned(place, building, f"{PLACED}/{group}", behind_links))
        except Unfit as unfit:
            placed.left.append(Left(place.file_path, str(unfit)))
    for move in moves:
        os.unlink(building / move.target)
    return placed, moves


def _planned(place: Place, building: Path, folder: str, behind_links: "_BehindLinks") -> Move:
    """An empty file takes the name until all have one: the file system says which are the same to it."""
    if place.in_archive:
        raise Unfit(IN_ARCHIVE)
    source = path_on_disk(place)
    if source in behind_links:
        raise Unfit(LINKED)
    if not is_still(place, source):
        raise Unfit(CHANGED)
    if not os.access(os.path.dirname(source), os.W_OK | os.X_OK):
        raise Unfit("its folder cannot be written to")
    status = os.stat(source)
    name = first_free(building / folder, names_for(source), lambda path: path.touch(exist_ok=False))
    return Move(source, f"{folder}/{name}", status.st_size, status.st_mtime_ns)


class _BehindLinks:
    """The paths below a source that are a link, or lead through one: what they stand for lies elsewhere."""

    def __init__(self, source: str):
        path = absolute_path(source)
        self._root = path if os.path.isdir(path) else os.path.dirname(path)
        self._real = lru_cache(4096)(os.path.realpath)

    def __contains__(self, path: str) -> bool:
        folder = os.path.dirname(path)
        return os.path.islink(path) or self._real(folder) != self._real(self._root) + folder[len(self._root):]
