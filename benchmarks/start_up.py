"""How soon a command answers: --help of every program, and a run of stage 1 that finds every vector known.

    python -m benchmarks start_up
"""
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.measure import EMBEDDED, STAGES, Measurement, report, run_python, stage_command
from benchmarks.pictures import draw_small

SAMPLES = 5
MOST_SECONDS = 0.3
PICTURES = 5


def measure() -> Iterator[Measurement]:
    for program in (*([path] for path in STAGES.values()), ["-m", "web_api"]):
        yield beside_the_bar(program)
    yield torch_left_alone()


def beside_the_bar(program: list[str]) -> Measurement:
    spent = median(run_python(*program, "--help").seconds for _ in range(SAMPLES))
    what = f"python {' '.join(program)} --help"
    return Measurement(what, spent, "s", "the bar", MOST_SECONDS, MOST_SECONDS / spent, "< 0.3 s")


def torch_left_alone() -> Measurement:
    with tempfile.TemporaryDirectory() as name:
        draw_small(Path(name, "photos"), PICTURES)
        command = stage_command(1, {"--input_folder": "photos", **EMBEDDED})
        runs = [run_python("-X", "importtime", *command, cwd=Path(name)) for _ in range(2)]
    first, second = (torch_modules(run.stderr) for run in runs)
    return Measurement(
        "stage 1, every vector known, what it imports", second, "modules of torch",
        "the first run", first, second / first, "0")


def torch_modules(import_times: str) -> int:
    """Of lines like `import time:  self |  cumulative |  torch.nn`."""
    lines = (line for line in import_times.splitlines() if line.startswith("import time:"))
    modules = (line.rpartition("|")[2].strip() for line in lines)
    return sum(module.split(".")[0] == "torch" for module in modules)


if __name__ == "__main__":
    report(measure())
