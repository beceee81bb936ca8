"""`move` and `undo` killed by -9: every original is there whole at every moment, and once after the next run.

With --full 50 kills of the whole command and 50 of its moving; otherwise eight of its moving.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.companions.cluster.groups_of_files import CONTENT, originals, write_files
from tests.conftest import ROOT
from tests.drawing import tag_folders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the runs are forked")
# What runs one after the other; ! is killed. After the last one all originals lie where that run puts them.
COURSES = [("move!", "move"), ("move!", "undo"), ("move", "undo!", "undo"), ("move!", "undo!", "undo")]
PICTURES = {f"photos/{name}": data for name, data in tag_folders(3).items()}
COPIES = {f"photos/copies/{tag}.png": PICTURES[f"photos/{tag}/00.png"] for tag in ("cats", "dogs")}


class Server:
    def __init__(self, process: subprocess.Popen, folder: Path):
        self._process, self.folder, self._events = process, folder / "work", folder / "events"

    def run(self, deed: str, devices: int, moment: int | None = None) -> int:
        """The number of events that it came to. It is killed at a moment, if there is one and it comes so
        far."""
        job = {"deed": deed, "devices": devices, "moment": moment, "folder": str(self.folder),
               "events": str(self._events)}
        print(json.dumps(job), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        assert code in ((-signal.SIGKILL, 0) if moment else (0,))
        return moment if code else int(self._events.read_text())


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    command = [sys.executable, str(ROOT / "tests/companions/cluster/killed_move.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Server(process, tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="module")
def events(server) -> dict[tuple[str, int], int]:
    """How many there are in an unkilled run, by deed and number of devices; made when first asked for."""
    return {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kill" in metafunc.fixturenames:
        full = metafunc.config.getoption("--full")
        kills = [("move", number) for number in range(50 if full else 8)]
        kills += [("command", number) for number in range(50 if full else 0)]
        metafunc.parametrize("kill", kills, ids=lambda kill: f"{kill[0]}-{kill[1]}")


def begun(server: Server, move: str) -> dict:
    """A new folder of photos; what is in it."""
    shutil.rmtree(server.folder, ignore_errors=True)
    write_files(server.folder, CONTENT if move == "move" else {**PICTURES, **COPIES})
    return originals(server.folder / "photos")


def counted(server: Server, events: dict, move: str, deed: str, devices: int) -> int:
    """Events of a deed, in a run of it that nothing befalls."""
    if (move, deed, devices) not in events:
        begun(server, move)
        for name in (move, "undo"):
            events[move, name.replace(move, "move"), devices] = server.run(name, devices)
    return events[move, deed, devices]


def test_every_original_survives_a_kill_and_the_next_run_finishes(server, events, kill):
    move, number = kill
    course, devices = COURSES[number % len(COURSES)], 1 + number // len(COURSES) % 2
    draw = random.Random(repr(kill))
    moments = {deed: draw.randint(1, counted(server, events, move, deed, devices))
               for deed in ("move", "undo")}
    before = begun(server, move)
    for step in course:
        deed, is_killed = step.rstrip("!"), step.endswith("!")
        if deed == "move" or has_begun(server.folder):
            server.run(move if deed == "move" else deed, devices, moments[deed] if is_killed else None)
            everything_is_there(server.folder, before)
    in_input, in_output = originals(server.folder / "photos"), originals(server.folder / "out/result")
    if course[-1] == "undo":
        assert (in_input, in_output) == (before, {})
    else:
        assert in_input == {}
        assert sorted(in_output.values()) == sorted(before.values())
    assert list(server.folder.rglob(".moving-*")) == []


def has_begun(folder: Path) -> bool:
    """Else there is nothing to undo, and undo says so."""
    return any((folder / "out" / f"{state}.jsonl").exists() for state in ("moving", "moved", "undoing"))


def everything_is_there(folder: Path, before: dict) -> None:
    """Whole, with its time and rights, in one place at least."""
    left = Counter([*originals(folder / "photos").values(), *originals(folder / "out/result").values()])
    assert Counter(before.values()) - left == Counter()
