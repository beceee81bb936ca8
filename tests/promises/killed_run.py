"""Runs what the crash tests kill: a server that has imported the slow libraries, and forks each run.

Started by crash_targets.py as `python tests/promises/killed_run.py <model config>`. One line of JSON in is a
run, one line out tells how it ended. In a run every write, rename, transaction and encoder call is an event;
at one of them it kills, or interrupts, itself.
"""

import builtins
import ctypes
import io
import json
import os
import select
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from hashlib import blake2b

PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)
LONGEST_SECONDS = 600  # a hang; an unkilled run takes three
AUDITED = {
    "os.rename": "rename",
    "os.remove": "remove",
    "os.rmdir": "remove",
    "os.mkdir": "make",
    "os.link": "make",
}


def contents(connection: sqlite3.Connection) -> dict:
    """All that a database says: its tables and indexes as they were made, and every row in the order of
    rowids."""
    made = [
        tuple(row)
        for row in connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
    ]
    tables = [name for kind, name, _ in made if kind == "table"]
    return {
        "schema": made,
        "rows": {name: _rows(connection.execute(f"SELECT * FROM {name} ORDER BY rowid")) for name in tables},
    }


def _rows(cursor: sqlite3.Cursor) -> list[dict]:
    columns = [column[0] for column in cursor.description]
    return [_told_by_time(dict(zip(columns, row, strict=True))) for row in cursor]


def _told_by_time(row: dict) -> dict:
    """Each run stands in a copy of its folder: files with the same times, but other numbers on the disk."""
    stamp = row.get("stamp")
    return {**row, "stamp": stamp.split()[:2]} if stamp else row


def digest(value: object) -> str:
    return blake2b(repr(value).encode(), digest_size=16).hexdigest()


class Watch:
    """Counts the events of the main thread by their kind, logs them, and strikes at one of them."""

    def __init__(self, folder: str, log: str, moment: list | None, signal_number: int):
        self._folder, self._moment, self._signal = folder + os.sep, moment, signal_number
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._thread = threading.get_ident()
        self._counts: Counter = Counter()

    def note(self, *words: str) -> None:
        os.write(self._log, (" ".join(words) + "\n").encode())

    def happens(self, kind: str, detail: str) -> None:
        # What decoder threads do has no fixed place among the other events.
        if threading.get_ident() == self._thread:
            self.note(kind, detail)
            self._counts[kind] += 1
            if [kind, self._counts[kind]] == self._moment:
                signal.raise_signal(self._signal)

    def happens_to_file(self, kind: str, path, detail: str) -> None:
        if not isinstance(path, int) and os.path.abspath(os.fsdecode(path)).startswith(self._folder):
            self.happens(kind, f"{detail} {os.path.basename(os.fsdecode(path))}")

    def audit(self, event: str, arguments: tuple) -> None:
        if event in AUDITED:
            self.happens_to_file(AUDITED[event], arguments[0], event)
        elif event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.happens_to_file("write", arguments[0], "open")


def watched_files(watch: Watch) -> None:
    """Audit events come before the deed. Interrupts can also come while data is written, or just after a
    rename."""

    class WatchedFile(io.BufferedWriter):
        def write(self, data) -> int:
            watch.happens("write", "data")
            return super().write(data)

    def watched_open(file, mode="r", *rest, **options):
        if mode in ("wb", "xb") and not rest and not options:
            return WatchedFile(io.FileIO(file, mode[0]))
        return plain_open(file, mode, *rest, **options)

    def and_then(rename):
        def renamed(source, target, **options) -> None:
            rename(source, target, **options)
            watch.happens_to_file("rename", target, "done")

        return renamed

    plain_open, builtins.open = builtins.open, watched_open
    os.rename, os.replace = and_then(os.rename), and_then(os.replace)


def watched_databases(watch: Watch) -> None:
    class WatchedConnection(sqlite3.Connection):
        file_name = ""

        def execute(self, statement, *values):
            if not statement.startswith("SELECT"):
                watch.happens("statement", f"{self.file_name} {statement.split()[0]}")
            return super().execute(statement, *values)

        def executemany(self, statement, rows):
            return super().executemany(statement, self._one_by_one(rows))

        def _one_by_one(self, rows):
            for row in rows:
                watch.happens("row", self.file_name)
                yield row

        def __exit__(self, *error) -> None:
            super().__exit__(*error)
            if error[0] is None:
                watch.note("state", self.file_name, digest(contents(self)))
                watch.happens("commit", self.file_name)

    def connect(database, *rest, **options) -> WatchedConnection:
        connection = plain_connect(database, *rest, factory=WatchedConnection, **options)
        connection.file_name = os.path.basename(database.split("?")[0]) or "-"
        return connection

    plain_connect, sqlite3.connect = sqlite3.connect, connect


def watched_encoder(watch: Watch) -> None:
    from cache.encoders.clip_encoder import ClipEncoder

    def watched_encode(encoder, crops):
        watch.happens("encode", str(len(crops)))
        for crop in crops:
            watch.note("picture", digest(crop.tobytes()))
        vectors = encode(encoder, crops)
        watch.happens("encode", "done")
        return vectors

    encode, ClipEncoder.encode = ClipEncoder.encode, watched_encode


def run(job: dict) -> None:
    """In the forked process."""
    os.setpgid(0, 0)
    for number, path in enumerate((os.devnull, job["stdout"], job["stderr"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(job["folder"])
    watch = Watch(job["folder"], job["log"], job["moment"], job["signal"])
    watched_encoder(watch)
    watched_files(watch)
    watched_databases(watch)
    sys.addaudithook(watch.audit)
    sys.argv = job["argv"]
    exec(job["code"], {"__name__": "__main__"})


def exit_code(job: dict) -> int:
    try:
        run(job)
    except SystemExit as end:
        return end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
    return 0


def outcome(process: int, job: dict) -> dict:
    """How the run ended, how long it took, and what became of the processes it had started."""
    begun = time.monotonic()
    # On both sides of the fork, because a kill of the group may come before the child has done it.
    with suppress(OSError):
        os.setpgid(process, process)
    handle = os.pidfd_open(process)
    ended, _, _ = select.select([handle], [], [], job["after"] or LONGEST_SECONDS)
    os.close(handle)
    if not ended:
        (os.killpg if job["group"] else os.kill)(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    seconds = time.monotonic() - begun
    return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, **orphans()}


def orphans(patience: int = 120) -> dict:
    """Processes that outlived their run became ours (see serve); they must end by themselves."""
    count = 0
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(patience)
    try:
        while True:
            os.wait()
            count += 1
    except ChildProcessError:
        return {"orphans": count, "endless": 0}
    except KeyboardInterrupt:
        left = [int(name) for name in open(f"/proc/self/task/{os.getpid()}/children").read().split()]
        for process in left:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        return {"orphans": count, "endless": len(left)}
    finally:
        signal.alarm(0)


def serve(model_config: str) -> None:
    import joblib  # noqa: F401
    import open_clip
    import sklearn.calibration  # noqa: F401
    import sklearn.metrics  # noqa: F401

    open_clip.add_model_config(model_config)
    # The decoders of a killed run become children of this process.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        job = json.loads(line)
        process = os.fork()
        if not process:
            # Without taking down all that was imported, which takes a second.
            os._exit(exit_code(job))
        print(json.dumps(outcome(process, job)), flush=True)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    serve(sys.argv[1])
