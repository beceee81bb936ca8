"""How stage 2 grows with the pictures: the whole command on 10 tags x 20,000 x 512 beside 10,000.

    python -m benchmarks.stage_2_growth
    python -m benchmarks.stage_2_growth --long    # 100,000, too: ten minutes of two cores, and 4 GB
"""
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement, Run, report, run_stage
from benchmarks.stage_2 import FEATURES, write_dataset

TAGS = 10
FEW, MANY = 10_000, 20_000
LARGE = 100_000
MOST_SECONDS, MOST_MIB = 600, 4e9 / 2**20


def whole_command(pictures: int) -> Run:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        metadata_path, tags_path = write_dataset(folder, pictures, TAGS)
        flags = {"--metadata_json": metadata_path, "--tag_to_hash_json": tags_path}
        return run_stage(2, {**flags, "--output": folder / "output"})


def measure(few: int = FEW, many: int = MANY) -> Iterator[Measurement]:
    """The pictures that are to be timed beside each other."""
    limit, spent = whole_command(few).seconds, whole_command(many).seconds
    yield Measurement(
        f"stage 2, the whole command, {TAGS} tags x {many:,} x {FEATURES}", spent, "s",
        f"{few:,} pictures", limit, spent / limit, "<= 2.5")


def measure_large(pictures: int = LARGE) -> Iterator[Measurement]:
    run, size = whole_command(pictures), f"{TAGS} tags x {pictures:,} x {FEATURES}"
    yield Measurement(
        f"stage 2, the whole command, {size}", run.seconds, "s",
        "ten minutes", MOST_SECONDS, run.seconds / MOST_SECONDS, "<= 1")
    yield Measurement(
        f"stage 2, peak memory, {size}", run.peak_mib, "MiB",
        "4 GB", MOST_MIB, run.peak_mib / MOST_MIB, "<= 1")


if __name__ == "__main__":
    report(measure())
    if "--long" in sys.argv[1:]:
        report(measure_large())
