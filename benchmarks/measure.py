"""What the parts of the benchmark share: measurements beside their limits, programs timed, passes of stage 1.

    python -m benchmarks                              # all parts; this file is none of them
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from cache.reader.image_source import images
from cache.reader.source_file import Picture

if TYPE_CHECKING:
    from cache.encoders.clip_encoder import ClipEncoder
    from cache.pixels.crop_spec import CropSpec

ROOT = Path(__file__).resolve().parents[1]
STAGES = {
    1: "stage1/ImageDatasetProcessor.py",
    2: "stage2/train.py",
    3: "stage3/classify.py",
    4: "stage4/classify_zip.py",
}
EMBEDDED = {"--clip_model": "EfficientNet-Lite0-MS", "--pretrained": "imagenet"}
Flags = Mapping[str, "str | Path"]
BATCH_SIZE, NUM_THREADS = 32, 4  # the defaults of the stages
TOLD_OF_A_FAILURE = 2000


@dataclass(frozen=True)
class Measurement:
    """`value` and `limit` are in `unit`; `bar` says what the ratio, or the value, has to reach."""

    what: str
    value: float
    unit: str
    compared_with: str
    limit: float
    ratio: float
    bar: str


@dataclass(frozen=True)
class Run:
    """A program that ended well."""

    seconds: float
    peak_mib: float
    stderr: str


def report(measurements: Iterable[Measurement]) -> None:
    """One JSON line each, as soon as it is known: what `python -m benchmarks` reads."""
    for measurement in measurements:
        facts = {name: _rounded(fact) for name, fact in asdict(measurement).items()}
        print(json.dumps(facts), flush=True)


def _rounded(fact: str | float) -> str | float:
    """Four digits: the rest is noise."""
    return float(f"{fact:.4g}") if isinstance(fact, float) else fact


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def run_python(*arguments: str | Path, cwd: Path = ROOT) -> Run:
    """`python <arguments>` as a person would run it. Raises RuntimeError, with the end of its stderr, if it
    fails."""
    command = [sys.executable, *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as stderr:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=stderr)
        # wait4 knows the peak of this one child; RUSAGE_CHILDREN only the largest of all so far. It counts
        # what the child was before it became Python, a copy of us: who asks for the peak has to be smaller.
        _, status, usage = os.wait4(process.pid, 0)
        spent = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        told = stderr.read()
    if process.returncode:
        program = " ".join(map(str, arguments))
        raise RuntimeError(f"{program} ended with {process.returncode}:\n{told[-TOLD_OF_A_FAILURE:]}")
    return Run(spent, usage.ru_maxrss / 1024, told)


def told_by(*arguments: str | Path) -> Any:
    """What `python <arguments>` prints, which is JSON."""
    command = [sys.executable, *map(str, arguments)]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def run_stage(number: int, flags: Flags, cwd: Path = ROOT) -> Run:
    return run_python(*stage_command(number, flags), cwd=cwd)


@contextmanager
def serving(folder: str | Path) -> Iterator[tuple[str, int]]:
    """The web API over a folder: its host and port, and its process."""
    command = [sys.executable, "-m", "web_api", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # it was asked for
            address = server.stdout.readline().removeprefix("serving on ").strip()
            yield urlsplit(address).netloc, server.pid
        finally:
            server.terminate()


def stage_command(number: int, flags: Flags) -> list[str]:
    """flags: one without a value has an empty one."""
    return [str(ROOT / STAGES[number]), *(str(word) for flag in flags.items() for word in flag if word != "")]


def decode_pass(
    folder: Path, spec: "CropSpec | None" = None, num_threads: int = NUM_THREADS,
) -> tuple[float, list[np.ndarray]]:
    """Seconds to read a dataset as stage 1 does, thumbnails included, and the crops, if a spec asks for
    some."""
    window = 2 * BATCH_SIZE + num_threads
    begin = time.perf_counter()
    stream = images(
        folder, tagged=True, num_threads=num_threads, window=window,
        crop_for=lambda picture: spec, thumbnail_for=lambda picture: True)
    pictures = [item for item in stream if isinstance(item, Picture)]
    spent = time.perf_counter() - begin
    return spent, [picture.crop for picture in pictures if picture.crop is not None]


def model_pass(encoder: "ClipEncoder", crops: list[np.ndarray], batch_size: int = BATCH_SIZE) -> float:
    """Seconds to embed crops that are there already, with an encoder that is warm."""
    starts = range(0, len(crops), batch_size)
    batches = [np.stack(crops[start:start + batch_size]) for start in starts]
    for batch in batches[:2]:
        encoder.encode(batch)
    return seconds(lambda: [encoder.encode(batch) for batch in batches])


def random_checkpoint(folder: Path, clip_model: str) -> Path:
    """A model as open_clip initialises it: as quick as a trained one, and here without a download."""
    import open_clip
    import torch

    torch.manual_seed(0)
    path = folder / f"{clip_model}.pt"
    torch.save(open_clip.create_model(clip_model).state_dict(), path)
    return path
