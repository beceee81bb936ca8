"""The outermost boxes of a file that is made of them: HEIC, JPEG XL (ISO/IEC 14496-12, 4.2)."""
from collections.abc import Iterator
from typing import NamedTuple

MOST_BOXES = 1000  # a file has a handful


class Box(NamedTuple):
    kind: bytes
    start: int  # of its content
    end: int


def boxes(data: bytes) -> Iterator[Box]:
    """As far as their sizes make sense, but no more than MOST_BOXES. A size of 0 reaches to the end; one of 1
    has 64 bits behind the kind."""
    place = 0
    for _ in range(MOST_BOXES):
        head = data[place:place + 8]
        size, start = int.from_bytes(head[:4], "big"), place + 8
        if size == 1:
            size, start = int.from_bytes(data[start:start + 8], "big"), start + 8
        end = place + size if size else len(data)
        if len(head) < 8 or end < start:
            return
        yield Box(head[4:], start, end)
        place = end
