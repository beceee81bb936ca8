"""What the crash tests kill: four stages and three caches, each with inputs and the results of earlier
runs."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cache.reader.source_file import disk_stamp
from tests.conftest import ROOT, TINY
from tests.drawing import png, write, zipped
from tests.promises.crash_state import State, inputs
from tests.promises.killed_run import digest

BATCH = 4
READING = f"--batch_size {BATCH} --num_threads 2"
ENCODER = f"--clip_model {TINY} --pretrained tiny.pt"
STAGE_1 = f"stage1/ImageDatasetProcessor.py --input_folder photos {ENCODER} {READING}"
METADATA, TAGS = "output/input-metadata.json", "output/input-tag-to-image-hash-list.json"
STAGE_2 = f"stage2/train.py --metadata_json {METADATA} --tag_to_hash_json {TAGS}"
SCORING = f"--metadata_json {METADATA} --output results --pretrained tiny.pt {READING}"
COMMANDS = {
    "stage 1": STAGE_1,
    "stage 1 again": STAGE_1,
    "stage 2": STAGE_2,
    "stage 3": f"stage3/classify.py --directory new {SCORING}",
    "stage 4": f"stage4/classify_zip.py --directory archives {SCORING}",
}
# The caches' batches have a fixed size, far above what is drawn here.
CACHES = {
    "file cache": "batches.MOST_BATCHES = 1 / 8\nresult = FileCache.add_folder_to_file_cache('photos')",
    "clip cache": f"batches.Embedding.__init__.__defaults__ = ({BATCH},)\n"
    f"result = ClipCache({TINY!r}, 'tiny.pt').add_folder_to_clip_cache('photos')",
    "tag cache": "batches.MOST_BATCHES = 1 / 8\nresult = TagCache.add_folder_to_tag_cache('photos')",
}
CACHE_CALL = """
import json
from cache import ClipCache, FileCache, TagCache
from cache.reader import batches
{}
print(json.dumps(result))
"""
STAGES = [name for name in COMMANDS if name != "stage 1 again"]


def photos() -> dict[str, bytes]:
    """48 pictures and two files that are none; a picture that is there twice, and eight of them in a ZIP."""
    files = {
        f"photos/{tag}/{number:02}.png": png(100 * place + number, tag)
        for place, tag in enumerate(("birds", "cats", "dogs"))
        for number in range(13)
    }
    more = {f"more/{number:02}.png": png(300 + number, "cats") for number in range(8)}
    return {
        **files,
        "photos/dogs/cat.png": png(101, "cats"),
        "photos/cats/more.zip": zipped(more),
        "photos/birds/05-cut.png": png(1)[:90],
        "photos/dogs/read.me": b"text",
    }


def new_pictures(folder: str) -> dict[str, bytes]:
    """22 new ones, 6 that stage 1 knows, and one that is cut off."""
    files = {
        f"{folder}/{number:02}.png": png(1000 + number, ("cats", "dogs")[number % 2]) for number in range(22)
    }
    known = {f"{folder}/{number:02}-known.png": png(100 + number, "cats") for number in range(6)}
    return {**files, **known, f"{folder}/09-cut.png": png(1)[:90]}


def archives() -> dict[str, bytes]:
    members = list(new_pictures("in").items())
    inner = zipped(dict(members[:9]))
    return {
        "archives/b.zip": zipped(dict(members[23:])),
        "archives/cut.zip": inner[:200],
        "archives/a.zip": zipped({**dict(members[9:23]), "inner.zip": inner}),
    }


@dataclass
class Ended:
    """A run that is over. Its exit code is negative for a signal; its log has its events as `kind detail`."""

    code: int
    seconds: float
    orphans: int
    stdout: str
    stderr: str
    log: list[str]

    def of(self, kind: str) -> list[str]:
        return [line.partition(" ")[2] for line in self.log if line.startswith(kind + " ")]

    def summary(self) -> dict[str, int]:
        return {
            name: int(count)
            for name, count in re.findall(
                r"(processed|unchanged|skipped)\W+(\d+)", self.stdout.splitlines()[-1]
            )
        }


class Runner:
    """Runs targets in processes of their own, always in the same folder, because databases hold absolute
    paths."""

    def __init__(self, server: subprocess.Popen, place: Path, checkpoint: str):
        self._server, self._place = server, place
        self.folder, self._kept = place / "work", place / "kept"
        self._prepared: dict[str, Prepared] = {}
        write(self._kept / "nothing", {"tiny.pt": Path(checkpoint).read_bytes()})

    def prepared(self, name: str) -> "Prepared":
        if name not in self._prepared:
            self._prepared[name] = Prepared(self, name)
        return self._prepared[name]

    def keep(self, name: str, files: dict[str, bytes | None], *commands: str, after: str) -> None:
        """Make a state of the folder, once: the state `after`, then these files (None removes one), then
        these runs."""
        if (self._kept / name).exists():
            return
        self.reset(after)
        write(self.folder, {name: data for name, data in files.items() if data is not None})
        for removed in (name for name, data in files.items() if data is None):
            os.remove(self.folder / removed)
        for command in commands:
            ended = self.run(command)
            assert (ended.code, ended.orphans) == (0, 0), ended.stderr
        shutil.move(self.folder, self._kept / name)

    def reset(self, name: str) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._kept / name, self.folder)
        for path in self.folder.rglob("file_cache.sqlite"):
            _stamp_anew(path)

    def run(
        self,
        command: str,
        moment=None,
        signal_number: int = signal.SIGKILL,
        after: float = 0,
        group: bool = False,
    ) -> Ended:
        """command: Python code, or a stage with its flags.

        It is killed at a moment (kind and number of an event), or after seconds."""
        script, *flags = command.split()
        staged = script.endswith(".py")
        code = (
            f"import runpy; runpy.run_path({str(ROOT / script)!r}, run_name='__main__')"
            if staged
            else command
        )
        said = {name: str(self._place / name) for name in ("stdout", "stderr", "log")}
        for path in said.values():
            Path(path).write_text("")
        job = {
            "code": code,
            "argv": [script, *flags] if staged else ["-c"],
            "folder": str(self.folder),
            "moment": moment,
            "signal": signal_number,
            "after": after,
            "group": group,
            **said,
        }
        print(json.dumps(job), file=self._server.stdin, flush=True)
        answer = json.loads(self._server.stdout.readline())
        assert answer.pop("endless") == 0, "decoders that do not end when their run is gone"
        texts = {name: Path(path).read_text() for name, path in said.items()}
        return Ended(**answer, stdout=texts["stdout"], stderr=texts["stderr"], log=texts["log"].splitlines())


class Prepared:
    """A target and its unkilled run: `before` is what that finds, and `final` what it makes of it."""

    def __init__(self, runner: Runner, name: str):
        self.name, self._runner, self.folder = name, runner, runner.folder
        self.command = COMMANDS.get(name) or CACHE_CALL.format(CACHES[name])
        self.source = {"stage 2": "", "stage 3": "new/", "stage 4": "archives/"}.get(name, "photos/")
        self._keep_what_it_starts_with()
        self.reset()
        self.before, self.inputs = State.of(self.folder), inputs(self.folder)
        self.unkilled = self.run()
        assert (self.unkilled.code, self.unkilled.orphans) == (0, 0), self.unkilled.stderr
        self.final = State.of(self.folder)
        self.committed = {tuple(line.split()) for line in self.unkilled.of("state")} | {
            (name, digest(database)) for name, database in self.before.databases.items()
        }

    def run(self, **how) -> Ended:
        return self._runner.run(self.command, **how)

    def reset(self) -> None:
        self._runner.reset(self.name)

    def _keep_what_it_starts_with(self) -> None:
        """Where a target replaces something, that is there from an earlier run over other files."""
        keep, files = self._runner.keep, photos()
        if self.name == "stage 1 again":
            keep("some photos", {**some(files), "photos/cats/gone.png": png(2000)}, STAGE_1, after="nothing")
            keep(self.name, {**all_but_some(files), "photos/cats/gone.png": None}, after="some photos")
        elif self.name in STAGES[1:]:
            another_split = f"{STAGE_2} --test_per 0.4"
            keep("stage 2", files, STAGE_1, another_split, after="nothing")
        else:
            keep(self.name, files, after="nothing")
        if self.source in ("new/", "archives/"):
            files = new_pictures("new") if self.source == "new/" else archives()
            keep(f"{self.name} before", some(files), self.command, after="stage 2")
            keep(self.name, all_but_some(files), after=f"{self.name} before")


def some(files: dict[str, bytes]) -> dict[str, bytes]:
    """What an earlier run had: every third file."""
    return dict(list(files.items())[::3])


def all_but_some(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name not in some(files)}


@contextmanager
def running(place: Path, checkpoint: str) -> Iterator[Runner]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        str(ROOT / "tests/promises/killed_run.py"),
        str(Path(checkpoint).with_name(f"{TINY}.json")),
    ]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Runner(server, place, checkpoint)


def _stamp_anew(path: Path) -> None:
    """A copy of a folder has other numbers on the disk: as if its file cache had been filled there."""
    with closing(sqlite3.connect(path)) as connection, connection:
        query = "SELECT absolute_path, mtime_ns, stamp FROM file_cache WHERE container_archive IS NULL"
        for absolute_path, time, stamp in connection.execute(query).fetchall():
            status = os.stat(absolute_path) if os.path.exists(absolute_path) else None
            if status and status.st_mtime_ns == time:
                version = stamp.partition(" ")[0]
                connection.execute(
                    "UPDATE file_cache SET stamp = ? WHERE absolute_path = ?",
                    (f"{version} {disk_stamp(status)}", absolute_path))
