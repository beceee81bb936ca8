"""The directories of a TIFF: which of them holds its picture, and whether they are those of a raw photograph.

A TIFF may begin with a thumbnail, and keep its picture in a later directory or in one below the first (TIFF
6.0, section 8; TIFF Technical Note 1; DNG 1.7, chapter 2). No more than a fixed number of them is read.
"""
import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

SUBFILE_TYPE, OLD_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC = 254, 255, 259, 262
SUB_DIRECTORIES, DNG_VERSION = 330, 50706
KNOWN = (SUBFILE_TYPE, OLD_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, SUB_DIRECTORIES, DNG_VERSION)

REDUCED_OR_MASK = 1 | 4  # bits of NewSubfileType
OLD_REDUCED = 2  # a value of SubfileType
RAW_PHOTOMETRICS = (32803, 34892)  # CFA, LinearRaw
RAW_COMPRESSIONS = (32767, 32770, 34713, 65535)  # of Sony, Samsung, Nikon, Pentax

MOST_DIRECTORIES = 1000  # a file may chain millions, or lead in a circle
MOST_ENTRIES = 500  # of one; those of cameras have up to 100
NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # types of whole numbers, in letters of struct


class Layout(NamedTuple):
    """How a TIFF or a BigTIFF writes its directories, in letters of struct."""

    length: str  # how many entries
    entry: str  # tag, type, number of values; then, in the room of an offset, the values or their place
    offset: str
    start: int  # where the offset of the first directory lies


CLASSIC, BIG = Layout("H", "HHI", "I", 4), Layout("Q", "HHQ", "Q", 8)
LAYOUTS = {
    b"II*\0": ("<", CLASSIC), b"II\0*": ("<", CLASSIC), b"II+\0": ("<", BIG),
    b"MM\0*": (">", CLASSIC), b"MM*\0": (">", CLASSIC), b"MM\0+": (">", BIG),
}


class Directory(NamedTuple):
    place: int
    values: dict[int, tuple[int, ...]]  # of the KNOWN tags it has
    following: int  # the place of the next one in the chain; 0: none

    def value(self, tag: int) -> int:
        return next(iter(self.values.get(tag, ())), 0)

    @property
    def is_picture(self) -> bool:
        """Neither a smaller copy of a picture nor a mask for one."""
        is_reduced_or_mask = self.value(SUBFILE_TYPE) & REDUCED_OR_MASK
        return not is_reduced_or_mask and self.value(OLD_SUBFILE_TYPE) != OLD_REDUCED

    @property
    def is_raw(self) -> bool:
        is_of_camera = self.value(PHOTOMETRIC) in RAW_PHOTOMETRICS or DNG_VERSION in self.values
        return is_of_camera or self.value(COMPRESSION) in RAW_COMPRESSIONS


class TiffDirectories:
    """Of the bytes of a file; one that is no TIFF has none."""

    def __init__(self, data: bytes):
        self._data = data
        self._order, self._layout = LAYOUTS.get(data[:4], ("", CLASSIC))
        self._first = next(self._chain(), None) if self._order else None
        self._picture = self._chosen(self._first) if self._first else None

    def are_raw(self) -> bool:
        """Whether a camera wrote them around what its sensor saw."""
        if self._first is None or self._picture is None:
            return False
        candidates = (self._first, self._picture, *self._below(self._first))
        return any(directory.is_raw for directory in candidates)

    def with_picture_first(self) -> bytes:
        """The same file, with the directory of its picture in the place of the first one; as a rule the very
        same bytes, since it is the first."""
        if self._picture is None or self._picture is self._first:
            return self._data
        place = struct.pack(self._order + self._layout.offset, self._picture.place)
        start = self._layout.start
        return b"".join((self._data[:start], place, memoryview(self._data)[start + len(place):]))

    def _chosen(self, first: Directory) -> Directory:
        """The first that is a picture: of the chain, and if it has none, of those below it. If there is none
        at all, the first."""
        if first.is_picture:
            return first
        chain = list(self._chain())
        below = (directory for parent in chain for directory in self._below(parent))
        candidates = chain + list(islice(below, MOST_DIRECTORIES))
        return next((directory for directory in candidates if directory.is_picture), first)

    def _chain(self) -> Iterator[Directory]:
        """Up to the first that cannot be read, or has been there before."""
        places: set[int] = set()
        place = self._offset(self._layout.start)
        while place and place not in places and len(places) < MOST_DIRECTORIES:
            places.add(place)
            directory = self._directory(place)
            if directory is None:
                return
            yield directory
            place = directory.following

    def _below(self, parent: Directory) -> Iterator[Directory]:
        read = map(self._directory, parent.values.get(SUB_DIRECTORIES, ()))
        return (directory for directory in read if directory is not None)

    def _directory(self, place: int) -> Directory | None:
        """None where there are no bytes for it."""
        head, entry = self._order + self._layout.length, self._order + self._layout.entry
        room = struct.calcsize(entry) + struct.calcsize(self._layout.offset)
        try:
            count, = struct.unpack_from(head, self._data, place)
            start = place + struct.calcsize(head)
            values = {}
            for at in range(start, start + min(count, MOST_ENTRIES) * room, room):
                tag, kind, length = struct.unpack_from(entry, self._data, at)
                if tag in KNOWN:
                    values[tag] = self._numbers(kind, length, at + struct.calcsize(entry))
            return Directory(place, values, self._offset(start + count * room))
        except (struct.error, OverflowError):
            return None

    def _numbers(self, kind: int, length: int, at: int) -> tuple[int, ...]:
        letters = self._order + NUMBERS.get(kind, "") * min(length, MOST_DIRECTORIES)
        is_inside = struct.calcsize(letters) <= struct.calcsize(self._layout.offset)
        try:
            return struct.unpack_from(letters, self._data, at if is_inside else self._offset(at))
        except (struct.error, OverflowError):
            return ()

    def _offset(self, at: int) -> int:
        """What is written there; 0 where nothing is."""
        try:
            return struct.unpack_from(self._order + self._layout.offset, self._data, at)[0]
        except (struct.error, OverflowError):
            return 0
