"""Groups of alike pictures: how many pairs of real photographs are found, how many wrongly, and how quickly.

    python -m benchmarks.cluster                                   # downloads 170 MB of packages
    python -m benchmarks.cluster --packages ~/.cache/packages      # keeps them there
"""
import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path

from benchmarks.cluster_pictures import (
    EASY,
    HARD,
    JPEG,
    OTHERS,
    PHOTOGRAPHS,
    Variants,
    make,
    opened,
    unlike,
    unpacked,
    with_a_logo,
    written_on,
)
from benchmarks.measure import ROOT, Measurement, report, run_python

AS_IT_IS: Variants = {"as-it-is": (lambda picture, random: picture, JPEG)}
LOGO: Variants = {"logo": (with_a_logo, JPEG)}
BAND: Variants = {"band": (written_on, JPEG)}
SECONDS = 15  # for the command, on two cores
TURNS = 3  # and the quickest: what else the machine does would else be counted


def measure(packages: Path, folder: Path) -> Iterator[Measurement]:
    root = unpacked(packages)
    photographs, others = opened(root, PHOTOGRAPHS), opened(root, OTHERS)
    for name, variants in (("easy", EASY), ("hard", HARD)):
        make(folder / name, photographs, variants)
        make(folder / name, others, AS_IT_IS)
    make(folder / "logo", unlike(list(photographs.values()), 100), LOGO)
    make(folder / "band", photographs, BAND)
    spent = min(clustered(folder / "easy", "orb") for _ in range(TURNS))
    count = len(photographs) * len(EASY) + len(others)
    yield quality(f"{count} pictures, saved again, cut, made lighter: orb", folder / "easy", 0.99)
    yield Measurement(
        f"{count} pictures: the command with orb", spent, "s", "the bar", SECONDS, SECONDS / spent, ">= 1")
    clustered(folder / "hard", "sift")
    yield quality("mirrored, turned, cut, framed, written on, grey: sift", folder / "hard", 0.98)
    for name, what in (("logo", "100 unlike pictures with one logo"), ("band", "50 with one band of text")):
        for method in ("orb", "sift"):
            clustered(folder / name, method)
            joined = len(clusters(folder / name))
            yield Measurement(f"{what}: {method}", joined, "clusters", "none", 0, joined, "<= 0")


def clustered(folder: Path, method: str) -> float:
    """Seconds of the command, nothing known beforehand. Its output lies beside the folder."""
    here = folder.with_name(f"{folder.name}-output")
    with tempfile.TemporaryDirectory() as caches:
        command = (ROOT / "itt.py", "cluster", folder, "--method", method, "--output", here)
        return run_python(*command, cwd=Path(caches)).seconds


def clusters(folder: Path) -> list[list[str]]:
    """Of the paths that each has."""
    result = json.loads((folder.with_name(f"{folder.name}-output") / "clusters.json").read_text())
    return [[picture["file_path"] for picture in cluster["pictures"]] for cluster in result["clusters"]]


def quality(what: str, folder: Path, bar: float) -> Measurement:
    value = pair_f1(folder)
    return Measurement(f"{what}: pairs, F1", value, "", "the bar", bar, value / bar, ">= 1")


def pair_f1(folder: Path) -> float:
    """Over pairs of pictures in one cluster; those of one folder belong together."""
    alike = sum(len(list(combinations(list(one.iterdir()), 2))) for one in folder.iterdir())
    joined = [two for paths in clusters(folder) for two in combinations(paths, 2)]
    right = sum(Path(first).parent == Path(second).parent for first, second in joined)
    return 2 * right / (alike + len(joined))


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.cluster", description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, help="a folder in which the packages are kept")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        report(measure(parser.parse_args().packages or folder / "packages", folder))


if __name__ == "__main__":
    main()
