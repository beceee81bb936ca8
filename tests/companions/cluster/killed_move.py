"""Moves originals and puts them back, in processes that kill themselves at one moment.

Started by test_killed_moves.py. One line of JSON in is a run, which is forked; one line out has its exit code
and the events it came to: before each file is made, renamed or removed, halfway through a copy, and after
whatever was written through to the disk.
"""
import errno
import json
import os
import shutil
import signal
import sys

from companions.cluster.__main__ import main
from companions.cluster.journal import write_journal
from companions.cluster.move_plan import plan
from companions.cluster.moving import go_on, is_cut_short, undo
from companions.cluster.output_folder import OutputFolder
from tests.companions.cluster.groups_of_files import result_of

MAKING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def move() -> None:
    """As the command does, but that the result is known."""
    if not is_cut_short("out", "all of it"):
        with OutputFolder("out") as folder:
            _, moves = plan(result_of(), "photos", folder.building)
            write_journal(folder.building, "all of it", moves)
    go_on("out")


def command() -> None:
    assert main(["photos", "--method", "exact", "--place", "move", "--output", "out"]) == 0


DEEDS = {"move": move, "command": command, "undo": lambda: undo("out")}


class Watch:
    """Counts events, and strikes at one of them."""

    def __init__(self, folder: str, moment: int | None):
        self._folder, self._moment, self.count = folder + os.sep, moment, 0

    def happens(self) -> None:
        self.count += 1
        if self.count == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple) -> None:
        is_one = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link")
        if is_one or (event == "open" and arguments[2] & MAKING):
            path = arguments[0]
            if isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(self._folder):
                self.happens()


def watched(watch: Watch, devices: int) -> None:
    fsync, rename = os.fsync, os.rename

    def copied_in_halves(original, copy, *_) -> None:
        data = original.read()
        copy.write(data[:len(data) // 2])
        copy.flush()
        watch.happens()
        copy.write(data[len(data) // 2:])

    def written_through(descriptor) -> None:
        fsync(descriptor)
        watch.happens()

    def on_devices(start, end, **options) -> None:
        if devices > 1 and ("/photos/" in str(start)) != ("/photos/" in str(end)):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(start, end, **options)
        watch.happens()

    shutil.copyfileobj, os.fsync, os.rename = copied_in_halves, written_through, on_devices
    sys.addaudithook(watch.audit)


def run(job: dict) -> None:
    """In the forked process."""
    os.chdir(job["folder"])
    said = os.open(os.devnull, os.O_WRONLY)
    os.dup2(said, 1)
    watch = Watch(job["folder"], job["moment"])
    watched(watch, job["devices"])
    DEEDS[job["deed"]]()
    with open(job["events"], "w") as file:
        file.write(str(watch.count))


def serve() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        process = os.fork()
        if not process:
            try:
                run(job)
                os._exit(0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    serve()
