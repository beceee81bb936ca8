"""What `move` is going to do, and how far it is: a file in the output, whole on the disk before the first
original is moved.

It never changes afterwards. Which originals have been moved the file system says; how far the whole is, the
journal's name: moving.jsonl, moved.jsonl, undoing.jsonl. An output without one holds no originals.
"""
import errno
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cache.files.listed_folder import MADE_BY as LISTING_BY
from cache.files.listed_folder import Listing, listing_of
from cache.files.whole_file import open_to_read, whole_file
from cache.refusal import Refused

MOVING, MOVED, UNDOING = STATES = ("moving.jsonl", "moved.jsonl", "undoing.jsonl")
MADE_BY = "image-tagging-tools cluster 1"
TOKEN = re.compile("[0-9a-f]{8}")


class Move(NamedTuple):
    """Of one original. Paths are as the system has them: bytes that are no UTF-8 are lone surrogates."""

    source: str  # absolute
    target: str  # relative to the output: result/<group>/<name>
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Journal:
    output: Path
    state: str  # one of STATES
    command: str  # what was asked for: the same command goes on with it
    token: str  # in the names of half copies: they are ours
    count: int  # of moves
    listing: Listing  # of the output without its originals: back in place when these are

    @property
    def path(self) -> Path:
        return self.output / self.state

    def moves(self) -> Iterator[Move]:
        """Raises Refused for a journal that we did not write, or that is cut off."""
        with open_to_read(self.path) as file:
            file.readline()
            count = 0
            for line in file:
                yield _move(line, self.path)
                count += 1
        if count != self.count:
            raise Refused(f"{self.path} has lost lines: {count:,} of {self.count:,} are there")

    def enter(self, state: str) -> "Journal":
        os.rename(self.path, self.output / state)
        sync_folder(self.output)
        return Journal(self.output, state, self.command, self.token, self.count, self.listing)

    def delete(self) -> None:
        self.path.unlink()
        sync_folder(self.output)


def write_journal(folder: Path, command: str, moves: Sequence[Move]) -> None:
    """Into a folder that becomes the output and has all else by now; it is on the disk when this returns.
    command: what was asked for, in one text."""
    head = {"made_by": MADE_BY, "command": command, "token": secrets.token_hex(4), "files": len(moves),
            "listing": listing_of(folder)}
    with whole_file(folder / MOVING) as file:
        for line in (head, *moves):
            file.write(json.dumps(line).encode() + b"\n")  # with lone surrogates, which orjson refuses
    sync_folder(folder)


def journal_in(output: Path) -> Journal | None:
    """None for an output without originals. Raises Refused for a journal that we did not write."""
    state = next((state for state in STATES if os.path.lexists(output / state)), None)
    if state is None:
        return None
    with open_to_read(output / state) as file:
        head = _parsed(file.readline())
    match head:
        case {"made_by": str(maker), "command": str(command), "token": str(token), "files": int(count),
              "listing": {"entries": list(entries), "files": int(files)}} if maker == MADE_BY:
            listing = Listing(made_by=LISTING_BY, entries=list(map(str, entries)), files=files)
            if TOKEN.fullmatch(token):
                return Journal(output, state, command, token, count, listing)
    raise Refused(f"{output / state} is no journal of moved originals; nothing is moved")


def sync_folder(folder: str | os.PathLike) -> None:
    """What has been made or renamed in it is on the disk when this returns."""
    if os.name == "nt":  # which opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # as file systems of the network answer that know no such thing
            raise
    finally:
        os.close(descriptor)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _move(line: bytes, path: Path) -> Move:
    match _parsed(line):
        case [str(source), str(target), int(size), int(mtime_ns)] if _is_sound(source, target):
            return Move(source, target, size, mtime_ns)
    raise Refused(f"{path} has a line that is not ours: {line[:80]!r}")


def _is_sound(source: str, target: str) -> bool:
    """Neither climbs; the file may come from anybody."""
    parts = target.split("/")
    climbs = not {"", os.curdir, os.pardir}.isdisjoint(parts) or "\0" in source + target
    return not climbs and len(parts) == 3 and os.path.isabs(source) and os.path.normpath(source) == source
