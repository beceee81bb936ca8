"""ZIPs opened again as often as need be, of which a few are open at once, however many a folder holds."""
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO
from zipfile import ZipInfo

from cache.limits import MIB
from cache.reader.open_zip import OpenZip
from cache.reader.zip_table import ZipTable


@dataclass(frozen=True, eq=False)
class ZipSource:
    """How to open an archive, as often as need be, how many of its entries count, and which archive it lies
    in."""

    open: Callable[[], IO[bytes]]
    most: int
    around: "ZipSource | None" = None

    def all_around(self) -> Iterator["ZipSource"]:
        if self.around:
            yield self.around
            yield from self.around.all_around()


class OpenArchives:
    """The few ZIPs that are open at once: a folder of a thousand ZIPs must not take a thousand file
    descriptors, nor the memory of a thousand inner ZIPs or tables of contents. One lock for all, since
    opening an inner ZIP reads from the one around it."""

    def __init__(self, most: int = 8, most_table_bytes: int = 8 * MIB):
        self._most, self._most_table_bytes = most, most_table_bytes
        self._lock = threading.RLock()
        self._open: OrderedDict[ZipSource, OpenZip] = OrderedDict()

    def table(self, source: ZipSource) -> ZipTable:
        with self._lock:
            return self._zip(source).table

    def member(self, source: ZipSource, info: ZipInfo) -> IO[bytes]:
        """A stream of its own, which outlives the closing of the archive."""
        with self._lock:
            return self._zip(source).member(info)

    def _zip(self, source: ZipSource) -> OpenZip:
        if source not in self._open:
            self._make_room(source)
            self._open[source] = OpenZip(source.open(), source.most)
        self._open.move_to_end(source)
        return self._open[source]

    def _make_room(self, source: ZipSource) -> None:
        """Before it is opened. The archives around it stay: each of its members would need them again."""
        around = set(source.all_around())
        closable = [other for other in self._open if other not in around]
        while closable and self._is_full(closable):
            self._open.pop(closable.pop(0)).close()

    def _is_full(self, sources: list[ZipSource]) -> bool:
        table_bytes = sum(self._open[source].table_bytes for source in sources)
        return len(sources) >= self._most or table_bytes > self._most_table_bytes
