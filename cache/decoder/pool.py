"""Decoder processes that can be killed: one thread hands files to each, a watchdog ends those that overrun the deadline.

    with DecoderPool(workers=4) as pool:
        for item in pool.map(files): ...        # in the order of `files`, whichever decoder was faster
"""
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue

from cache.decoder.frames import read_frame, write_frame
from cache.decoder.limits import MIB, Limits, Skip
from cache.refusal import Refused

ROOT = Path(__file__).resolve().parents[2]
WATCHDOG_SECONDS = 0.1
WORKER = [sys.executable, "-m", "cache.decoder.worker"]

CropFor = Callable[[str, str | None], dict | None]


class Budget:
    """Bytes that all threads together may hold; a single request above the total waits until it is alone."""

    def __init__(self, total: int):
        self._total = self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, amount: int) -> Iterator[None]:
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


class Decoder:
    """One decoder process, started with its first file and again after it was killed or has crashed."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self._deadline = float("inf")
        self._timed_out = False

    def decode(self, data: bytes, budget: Budget, crop_for: CropFor) -> tuple[dict, bytes]:
        """The identity of one image and the bytes of its crop, b"" where crop_for(hash_id, old_hash_id) wants none. Raises Skip."""
        try:
            process = self._running()
            header, _ = self._ask(process, {"limits": asdict(self._limits)}, data)
            with budget.hold(header["decoded_bytes"]):
                identity, _ = self._ask(process, {})
                wish = crop_for(identity["hash_id"], identity["old_hash_id"])
                return identity, self._ask(process, {"crop": wish})[1]
        except Skip:
            raise
        except BaseException:
            self.stop()  # crop_for failed in the middle of the exchange: the next file needs a fresh process
            raise

    def kill_if_overdue(self) -> None:
        with self._lock:
            if self._process is not None and time.monotonic() > self._deadline:
                self._timed_out, self._deadline = True, float("inf")
                self._process.kill()

    def stop(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            try:
                stream.close()
            except OSError:
                pass  # what was still to be written has nobody to read it

    def _ask(self, process: subprocess.Popen, header: dict, payload: bytes = b"") -> tuple[dict, bytes]:
        self._watch_from(time.monotonic())
        try:
            write_frame(process.stdin, header, payload)
            answer, pixels = read_frame(process.stdout)
        except (EOFError, OSError, ValueError):
            raise self._gone() from None
        finally:
            self._watch_from(float("inf"))
        if "skip" in answer:
            raise Skip(answer["skip"], answer["detail"])
        return answer, pixels

    def _watch_from(self, moment: float) -> None:
        with self._lock:
            self._deadline = moment + self._limits.file_timeout

    def _gone(self) -> Skip:
        self.stop()
        timed_out, self._timed_out = self._timed_out, False
        return Skip("timeout", f"{self._limits.file_timeout:g} s") if timed_out else Skip("damaged", "the decoder crashed")

    def _running(self) -> subprocess.Popen:
        """The process, a new one if there is none or if it was killed between two files."""
        if self._process is not None and (self._timed_out or self._process.poll() is not None):
            self.stop()
        self._timed_out = False
        if self._process is None:
            # A plain subprocess, not multiprocessing: it needs no importable __main__, so notebooks, Flask and `python -c` work.
            # It stands in the root, or a json.py in the person's folder would be imported for Python's own.
            self._process = subprocess.Popen(
                WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT,
                start_new_session=True,  # Ctrl-C is for the stage; it flushes, then ends its decoders
            )
            self._await_ready(self._process)
        return self._process

    @staticmethod
    def _await_ready(process: subprocess.Popen) -> None:
        try:
            read_frame(process.stdout)
        except (EOFError, ValueError):
            raise Refused(f"the decoder process does not start; {' '.join(WORKER)} in {ROOT} tells why") from None


class DecoderPool:
    def __init__(self, workers: int = 4, window: int = 64, limits: Limits = Limits()):
        self._limits, self._window = limits, window
        self._decoders = [Decoder(limits) for _ in range(max(1, workers))]
        self._idle: SimpleQueue[Decoder] = SimpleQueue()
        for decoder in self._decoders:
            self._idle.put(decoder)
        self._threads = ThreadPoolExecutor(len(self._decoders), thread_name_prefix="decoder")
        # Two budgets, always taken in this order, so that no two threads wait for each other.
        self._encoded, self._decoded = (Budget(limits.decoder_budget_mib * MIB) for _ in range(2))
        self._closing = False
        self._closed = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, daemon=True, name="decoder-watchdog")

    def __enter__(self) -> "DecoderPool":
        self._watchdog.start()
        return self

    def __exit__(self, *error) -> None:
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

    def map(self, files: Iterable, finish: Callable, crop_for: CropFor) -> Iterator:
        """finish(file, identity, crop bytes) for every file with a `read` method, or finish(file, Skip); other items pass as they are.
        At most `window` files are under way: what the consumer does with one item overlaps with the decoding of the next ones."""
        pending: deque[Future | object] = deque()
        for file in files:
            pending.append(self._threads.submit(self._decode, file, finish, crop_for) if hasattr(file, "read") else file)
            if len(pending) > self._window:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())

    def _decode(self, file, finish: Callable, crop_for: CropFor):
        decoder = self._idle.get()
        try:
            with self._encoded.hold(file.size):
                data = file.read(self._limits.max_member_mib * MIB)
                if self._closing:
                    raise CancelledError
                return finish(file, *decoder.decode(data, self._decoded, crop_for))
        except Skip as skip:
            return finish(file, skip)
        finally:
            self._idle.put(decoder)

    def _watch(self) -> None:
        while not self._closed.wait(WATCHDOG_SECONDS):
            for decoder in self._decoders:
                decoder.kill_if_overdue()


def _result(item):
    return item.result() if isinstance(item, Future) else item
