"""Decoder processes forked from one that has imported what they need: a new one takes a third of a second.

For tests of what a decoder answers, on Linux. How decoders are started is tested in tests/cache/formats/, and
wherever a test runs a command in a process of its own.

Started by itself as `python -m tests.forked_decoder` with a socket for its input: two pipes in are a decoder,
out comes a handle of its process.
"""
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from cache.decoder import decoder_process, worker
from cache.formats.image_decoder import prepare_process

ENDED = 0
REAL_START = decoder_process._started
ROOT = Path(__file__).resolve().parents[1]


class ForkedDecoder:
    """What cache.decoder.decoder_process needs of a subprocess.Popen."""

    def __init__(self, handle: int, requests: int, answers: int) -> None:
        self._handle: int | None = handle
        self.stdin, self.stdout = open(requests, "wb"), open(answers, "rb")

    def poll(self) -> int | None:
        if self._handle is None:
            return ENDED
        ended, _, _ = select.select([self._handle], [], [], 0)
        return ENDED if ended else None

    def kill(self) -> None:
        if self._handle is None:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self) -> None:
        if self._handle is None:
            return
        select.select([self._handle], [], [])
        with suppress(ChildProcessError):  # it is the server's
            os.waitid(os.P_PIDFD, self._handle, os.WEXITED)
        os.close(self._handle)
        self._handle = None


class DecoderServer:
    """The process that forks decoders, started with the first of them."""

    def __init__(self) -> None:
        self._server: subprocess.Popen | None = None
        self._socket, self._lock = None, threading.Lock()

    def start_decoder(self) -> ForkedDecoder:
        requests_end, requests = os.pipe()
        answers, answers_end = os.pipe()
        with self._lock:
            if self._socket is None:
                self._start()
            socket.send_fds(self._socket, [b"."], [requests_end, answers_end])
            _, [handle], _, _ = socket.recv_fds(self._socket, 1, 1)
        os.close(requests_end)
        os.close(answers_end)
        return ForkedDecoder(handle, requests, answers)

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._server.wait()

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", "tests.forked_decoder"]
        self._server = subprocess.Popen(command, stdin=theirs, cwd=ROOT)
        theirs.close()


@contextmanager
def forked_decoders() -> Iterator[None]:
    """Within, this process has its decoders from a server, but for those of another command."""
    usual, server = decoder_process.WORKER, DecoderServer()

    def started() -> subprocess.Popen | ForkedDecoder:
        is_usual = decoder_process.WORKER is usual
        return server.start_decoder() if is_usual else REAL_START()

    decoder_process._started = started
    try:
        yield
    finally:
        decoder_process._started = REAL_START
        server.stop()


def start_child() -> ForkedDecoder:
    """A decoder forked from this process, which has to be small and simple."""
    requests_end, requests = os.pipe()
    answers, answers_end = os.pipe()
    handle = _fork(requests_end, answers_end, ours=(requests, answers))
    return ForkedDecoder(handle, requests, answers)


def _fork(requests: int, answers: int, ours: tuple[int, ...] = ()) -> int:
    """A decoder between two pipes, which are closed here; the handle of its process."""
    process = os.fork()
    if not process:
        for descriptor in ours:
            os.close(descriptor)
        _decode(requests, answers)
    os.close(requests)
    os.close(answers)
    return os.pidfd_open(process)


def _decode(requests: int, answers: int) -> NoReturn:
    """As `python -m cache.decoder.worker`, in a session of its own and with nothing to say on stderr."""
    code = 1
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.chdir(ROOT)
        prepare_process()
        worker.serve(open(requests, "rb"), open(answers, "wb"))
        code = 0
    finally:
        os._exit(code)


def _serve() -> None:
    connection = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    while True:
        message, pipes, _, _ = socket.recv_fds(connection, 1, 2)
        if not message:
            return
        handle = _fork(*pipes, ours=(connection.fileno(),))
        socket.send_fds(connection, [b"."], [handle])
        os.close(handle)
        _reap()


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    _serve()
