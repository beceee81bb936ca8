"""Photographs of 12 and 48 megapixels: what a core takes for one, stage 1 over many, pages that show them.

    python -m benchmarks.photographs                # 200 of them
    python -m benchmarks.photographs --count 20
"""
import argparse
import importlib.util
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.measure import EMBEDDED, Flags, Measurement, decode_pass, report, run_stage, told_by
from benchmarks.photograph_pages import pages
from benchmarks.pictures import draw_mixed, draw_photographs
from cache.limits import Limits
from cache.pixels.crop_spec import CropSpec
from cache.reader.image_source import images

COUNT = 200
SAMPLES = 6  # photographs that are measured one by one, a third of them sideways
LARGE, LARGE_SAMPLES = (8000, 6000), 2  # 48 megapixels, upright
TURNS = 3  # and the quickest of each: what else the machine does would else fall on one of the ways
LIMITS = {
    "pillow": "decoding by Pillow into blocks that it keeps + BLAKE2b",
    "simplejpeg": "decoding by simplejpeg into one buffer + BLAKE2b",
}
EMBEDDED_CROP = CropSpec(224, "squash")  # of the embedded encoder, without its torch
MIXED_PICTURES = 1000
WITHOUT_THUMBNAILS = {"--no-thumbnails": ""}
MOST_THUMBNAIL_KB = 12
HEIC_DECODERS, HEIC_TURNS = 2, 3
HEIC_TILE = 512  # pixels a side: phones write grids of such
MOST_MEMORY = 3.5 * Limits.max_decoded_mib  # MiB that a decoder may map, see cache/decoder/worker.py

CoreSeconds = dict[str, np.ndarray]  # way -> seconds of one core for each picture


def measure(count: int) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_photographs(folder / "samples", SAMPLES)
        draw_photographs(folder / "large", LARGE_SAMPLES, LARGE)
        draw_photographs(folder / "photographs", count)
        spent = in_turns(folder / "samples")
        yield from one_by_one(spent, in_turns(folder / "large"))
        yield as_stage_1_sees_it(folder / "samples", spent)
        yield stage_1(folder, count, spent)
        yield from heic(folder)
        yield from pages(folder, count)
        yield from thumbnails_kept(folder)


def in_turns(folder: Path) -> CoreSeconds:
    """Of its pictures in the order of their numbers."""
    paths = sorted(folder.rglob("*.jpg"), key=lambda path: path.name)
    turns = [
        {way: told_by("-m", "benchmarks.one_core", way, *paths) for way in ("ours", *LIMITS)}
        for _ in range(TURNS)]
    return {way: np.min([spent[way] for spent in turns], axis=0) for way in turns[0]}


def one_by_one(samples: CoreSeconds, large: CoreSeconds) -> Iterator[Measurement]:
    sideways = np.arange(SAMPLES) % 3 == 2
    yield from beside_the_limits("12 megapixels, upright", of(samples, ~sideways), ">= 0.75")
    yield from beside_the_limits("12 megapixels, sideways", of(samples, sideways), ">= 0.75")
    yield from beside_the_limits("48 megapixels, upright", large, "")


def of(spent: CoreSeconds, chosen: np.ndarray) -> CoreSeconds:
    return {way: core_seconds[chosen] for way, core_seconds in spent.items()}


def beside_the_limits(what: str, spent: CoreSeconds, bar: str) -> Iterator[Measurement]:
    """The bar is for the cheapest way."""
    limits = {way: milliseconds(spent[way]) for way in LIMITS}
    name, value = f"JPEG of {what}: file -> hash and crop, one core", milliseconds(spent["ours"])
    for way, limit in limits.items():
        bar_here = bar if limit == min(limits.values()) else ""
        yield Measurement(name, value, "ms", LIMITS[way], limit, limit / value, bar_here)


def milliseconds(spent: np.ndarray) -> float:
    return 1000 * float(spent.mean())


def cheapest(spent: CoreSeconds) -> float:
    """Milliseconds of a core that a picture takes at least."""
    return min(milliseconds(spent[way]) for way in LIMITS)


def as_stage_1_sees_it(folder: Path, spent: CoreSeconds) -> Measurement:
    """Both processes, less their start: what all pictures take beyond the first one."""
    first = folder.parent / "first"
    draw_photographs(first, 1)
    beyond = [core_seconds_to_read(folder) - core_seconds_to_read(first) for _ in range(TURNS)]
    value, limit = 1000 * min(beyond) / (SAMPLES - 1), cheapest(spent)
    return Measurement(
        "JPEG of 12 megapixels as stage 1 reads it, both processes", value, "ms",
        "the cheapest decoding + BLAKE2b", limit, limit / value, "")


def core_seconds_to_read(folder: Path) -> float:
    before = core_seconds_until_now()
    decode_pass(folder, EMBEDDED_CROP, num_threads=1)
    return core_seconds_until_now() - before


def core_seconds_until_now() -> float:
    """Of this process and of those that it has ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def stage_1(folder: Path, count: int, spent: CoreSeconds) -> Measurement:
    one, all_of_them = (stage_1_seconds(folder / name) for name in ("first", "photographs"))
    cores = os.cpu_count() or 1
    least = one + count * cheapest(spent) / 1000 / cores
    return Measurement(
        f"stage 1, embedded encoder, {count} photographs of 12 megapixels", all_of_them, "s",
        "the cheapest decoding + BLAKE2b on every core + a run of one", least, least / all_of_them, "")


def stage_1_seconds(dataset: Path, more: Flags | None = None) -> float:
    with tempfile.TemporaryDirectory() as output:
        flags = {"--input_folder": dataset, "--output_folder": output, **EMBEDDED, **(more or {})}
        return run_stage(1, flags).seconds


def thumbnails_kept(folder: Path) -> Iterator[Measurement]:
    mixed, output = folder / "mixed", folder / "mixed-output"
    draw_mixed(mixed, MIXED_PICTURES)
    turns = [(stage_1_seconds(mixed), stage_1_seconds(mixed, WITHOUT_THUMBNAILS)) for _ in range(TURNS)]
    kept, without = (MIXED_PICTURES / min(spent) for spent in zip(*turns, strict=True))
    name = f"stage 1, {MIXED_PICTURES:,} mixed pictures, thumbnails kept"
    yield Measurement(name, kept, "pictures/s", "--no-thumbnails", without, kept / without, ">= 0.97")
    run_stage(1, {"--input_folder": mixed, "--output_folder": output, **EMBEDDED})
    size = sum(path.stat().st_size for path in output.glob("thumbnail_cache.sqlite*")) / 1000 / MIXED_PICTURES
    yield Measurement(
        f"{name}, thumbnail_cache.sqlite", size, "kB a picture", "the bar", MOST_THUMBNAIL_KB,
        MOST_THUMBNAIL_KB / size, "<= 12 kB")


def heic(folder: Path) -> Iterator[Measurement]:
    if not importlib.util.find_spec("pillow_heif"):
        print("photographs: HEIC not measured, pillow_heif is not there to write one", file=sys.stderr)
        return
    [photograph] = (folder / "first").rglob("*.jpg")
    write_heic(photograph, folder / "heic")
    value, limit = peak_of_decoders(folder / "heic"), HEIC_DECODERS * MOST_MEMORY
    yield Measurement(
        f"HEIC of 12 megapixels, peak of {HEIC_DECODERS} decoders", value, "MiB",
        "what they may take", limit, value / limit, "< 1")


def write_heic(photograph: Path, folder: Path) -> None:
    """One, and copies: for memory it does not matter that they are alike."""
    import pillow_heif
    from PIL import Image

    pillow_heif.options.GRID_TILE_SIZE = HEIC_TILE
    folder.mkdir()
    with Image.open(photograph) as picture:
        pillow_heif.from_pillow(picture).save(
            folder / "0.heic", quality=80, enc_params={"preset": "ultrafast"})
    for number in range(1, HEIC_DECODERS * HEIC_TURNS):
        shutil.copyfile(folder / "0.heic", folder / f"{number}.heic")


def peak_of_decoders(folder: Path) -> float:
    """MiB of all decoders together, each at its own peak. Linux only."""
    peaks: dict[str, int] = {}
    stream = images(folder, num_threads=HEIC_DECODERS, crop_for=lambda picture: EMBEDDED_CROP)
    with closing(stream):
        for _ in stream:
            peaks.update({process: peak_kib(process) for process in children()})
    return sum(peaks.values()) / 1024


def children() -> list[str]:
    threads = Path("/proc/self/task").iterdir()
    return [process for thread in threads for process in (thread / "children").read_text().split()]


def peak_kib(process: str) -> int:
    status = Path("/proc", process, "status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.photographs", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT, help=f"photographs for stage 1 ({COUNT})")
    report(measure(parser.parse_args().count))


if __name__ == "__main__":
    main()
