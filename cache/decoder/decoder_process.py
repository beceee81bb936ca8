"""One decoder process as the stage sees it: started when needed, asked by image, killed when it hangs."""
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from cache.decoder.frames import read_frame, write_frame
from cache.limits import Limits, Skip
from cache.pixels.crop_spec import Wanted
from cache.pixels.strips import Box
from cache.refusal import Refused

ROOT = Path(__file__).resolve().parents[2]
WORKER = [sys.executable, "-m", "cache.decoder.worker"]
NEVER = float("inf")

Identity = dict  # see image_decoder.decode()


class Decoded(NamedTuple):
    identity: Identity
    crop: bytes  # size * size * 3, or none if no crop was wanted
    box: Box | None  # where the upright picture lies in its crop
    thumbnail: bytes = b""  # a JPEG, if one was wanted


class Budget:
    """Bytes that all threads together may hold; a single request above the total waits until it is alone."""

    def __init__(self, total: int):
        self._total = total
        self._free = total
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


class DecoderProcess:
    """Started with its first image, and again after it was killed or has crashed."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self._deadline = NEVER
        self._timed_out = False

    def decode(
        self, data: bytes, budget: Budget, wanted_of: Callable[[Identity], Wanted],
    ) -> Decoded:
        """Identity of the image in these bytes, and what is wanted of it; its pixels are charged to the
        budget meanwhile. Raises Skip."""
        try:
            process = self._running()
            header, _ = self._ask(process, {"limits": asdict(self._limits)}, data)
            with budget.hold(header["decoded_bytes"]):
                identity, _ = self._ask(process, {})
                spec, thumbnail = wanted_of(identity)
                question = {"crop": spec and asdict(spec), "thumbnail": thumbnail}
                answer, payload = self._ask(process, question)
        except Skip:
            raise
        except BaseException:
            self.stop()  # wanted_of failed in the middle of the exchange: the next file needs a fresh process
            raise
        crop, jpeg = payload[:answer["crop"]], payload[answer["crop"]:]
        return Decoded(identity, crop, tuple(answer["box"]) if crop else None, jpeg)

    def kill_if_overdue(self) -> None:
        with self._lock:
            if self._process is not None and time.monotonic() > self._deadline:
                self._timed_out = True
                self._deadline = NEVER
                self._process.kill()

    def stop(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in _pipes(process):
            try:
                stream.close()
            except OSError:
                pass  # what was still to be written has nobody to read it

    def _ask(self, process: subprocess.Popen, header: dict, payload: bytes = b"") -> tuple[dict, bytes]:
        requests, answers = _pipes(process)
        self._watch_from(time.monotonic())
        try:
            write_frame(requests, header, payload)
            answer, pixels = read_frame(answers)
        except (EOFError, OSError, ValueError):
            raise self._gone() from None
        finally:
            self._watch_from(NEVER)
        if "skip" in answer:
            raise Skip(answer["skip"], answer["detail"])
        return answer, pixels

    def _watch_from(self, moment: float) -> None:
        with self._lock:
            self._deadline = moment + self._limits.file_timeout

    def _gone(self) -> Skip:
        self.stop()
        timed_out, self._timed_out = self._timed_out, False
        if timed_out:
            return Skip("timeout", f"{self._limits.file_timeout:g} s")
        return Skip("damaged", "the decoder crashed")

    def _running(self) -> subprocess.Popen:
        """The process, a new one if there is none or if it was killed between two files."""
        if self._process is not None and (self._timed_out or self._process.poll() is not None):
            self.stop()
        self._timed_out = False
        if self._process is None:
            self._process = _started()
            self._await_ready(self._process)
        return self._process

    @staticmethod
    def _await_ready(process: subprocess.Popen) -> None:
        _, answers = _pipes(process)
        try:
            read_frame(answers)
        except (EOFError, ValueError):
            command = " ".join(WORKER)
            raise Refused(f"the decoder process does not start; {command} in {ROOT} tells why") from None


def _started() -> subprocess.Popen:
    # A plain subprocess, not multiprocessing: it needs no importable __main__, so notebooks, Flask and
    # `python -c` work.
    return subprocess.Popen(
        WORKER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,  # or a json.py in the person's folder would be imported for Python's own
        start_new_session=True,  # Ctrl-C is for the stage; it flushes, then ends its decoders
    )


def _pipes(process: subprocess.Popen) -> tuple[BinaryIO, BinaryIO]:
    """Where requests go, where answers come from; both are there, since _started() asks for both."""
    return cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
