"""Several decoder processes: a thread hands files to each, a watchdog ends those that overrun their deadline.

    with DecoderPool(workers=4) as pool:
        for picture in pool.map(files, finish, wanted_of):
            ...    # in the order of `files`, whichever decoder was faster
"""
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from cache.decoder.decoder_process import Budget, Decoded, DecoderProcess, Identity
from cache.limits import MIB, Limits, Skip
from cache.pixels.crop_spec import Wanted

WATCHDOG_SECONDS = 0.1


class EncodedFile(Protocol):
    """What can be decoded: bytes that can be read, and how many there are."""

    @property
    def size(self) -> int: ...

    def read(self, most: int | None = None) -> bytes: ...


File = TypeVar("File", bound=EncodedFile)
Result = TypeVar("Result")


class DecoderPool:
    """`workers` processes, each started with its first file; at most `window` files are under way at once. To
    be entered before map() and left when its results have been taken; leaving it early ends what is under
    way."""

    def __init__(self, workers: int = 4, window: int = 64, limits: Limits = Limits()):
        self._limits = limits
        self._window = window
        self._decoders = [DecoderProcess(limits) for _ in range(max(1, workers))]
        self._idle: SimpleQueue[DecoderProcess] = SimpleQueue()
        for decoder in self._decoders:
            self._idle.put(decoder)
        self._threads = ThreadPoolExecutor(len(self._decoders), thread_name_prefix="decoder")
        # Always taken in this order, so that no two threads wait for each other.
        self._encoded_budget = Budget(limits.decoder_budget_mib * MIB)
        self._decoded_budget = Budget(limits.decoder_budget_mib * MIB)
        self._closing = False
        self._closed = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, daemon=True, name="decoder-watchdog")

    def __enter__(self) -> "DecoderPool":
        self._watchdog.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._stop_decoders()  # ends what is under way ...
        self._threads.shutdown()
        self._stop_decoders()  # ... and what a thread had just begun
        self._closed.set()
        self._watchdog.join()

    def _stop_decoders(self) -> None:
        for decoder in self._decoders:
            decoder.stop()

    def map(
        self,
        files: Iterable[Any],
        finish: Callable[[File, Decoded | Skip], Result],
        wanted_of: Callable[[File, Identity], Wanted],
    ) -> Iterator[Any]:
        """finish(file, what became of it) for every EncodedFile, in the thread that had it decoded; anything
        else among `files` passes as it is. What the consumer does with one result overlaps with the decoding
        of the next files."""
        under_way: deque[Any] = deque()
        for file in files:
            if hasattr(file, "read"):
                under_way.append(self._threads.submit(self._finished, file, finish, wanted_of))
            else:
                under_way.append(file)
            if len(under_way) > self._window:
                yield _result(under_way.popleft())
        while under_way:
            yield _result(under_way.popleft())

    def _finished(
        self,
        file: File,
        finish: Callable[[File, Decoded | Skip], Result],
        wanted_of: Callable[[File, Identity], Wanted],
    ) -> Result:
        decoder = self._idle.get()
        try:
            with self._encoded_budget.hold(file.size):
                data = file.read(self._limits.max_member_mib * MIB)
                if self._closing:
                    raise CancelledError
                decoded = decoder.decode(data, self._decoded_budget, partial(wanted_of, file))
                return finish(file, decoded)
        except Skip as skip:
            return finish(file, skip)
        finally:
            self._idle.put(decoder)

    def _watch(self) -> None:
        while not self._closed.wait(WATCHDOG_SECONDS):
            for decoder in self._decoders:
                decoder.kill_if_overdue()


def _result(under_way: Any) -> Any:
    return under_way.result() if isinstance(under_way, Future) else under_way
