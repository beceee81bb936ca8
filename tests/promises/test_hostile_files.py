"""Hostile files, archives and places: each alone through the reader, and together through stages and caches.

With --full (`make hostile`) all of them; otherwise all archives and places alone, and a part of the rest.
"""

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cache import ClipCache, FileCache, TagCache
from cache.__main__ import main as doctor
from cache.limits import REASONS
from cache.reader.file_progress import SKIPS_SHOWN
from cache.reader.image_source import images
from cache.reader.source_file import Skipped
from cache.stores.file_table import FileTable
from stage2.train import main as train
from stage3 import classify
from stage4 import classify_zip
from tests.promises.hostile import (
    archive_names,
    archives,
    heif_pictures,
    jxl_pictures,
    picture_metadata,
    pictures,
    places,
    raw_photographs,
)
from tests.promises.hostile.case import MARKER, Case, Outcomes
from tests.promises.hostile.reader import LIMITS, read_isolated

FAMILIES = (pictures, picture_metadata, heif_pictures, raw_photographs, jxl_pictures)
PICTURES = [case for family in FAMILIES for case in family.cases()]
OTHERS = [*archives.cases(), *archive_names.cases(), *places.cases()]
CASES = PICTURES + OTHERS
ONE_OF = 14  # without --full
# Six times through everything take half of all time for these two; without --full they are alone only.
ALONE = {"zip with 30000 entries in an inner zip", "cmyk jpeg at the limit"}
GIGABYTE = 10**9
PATIENCE = ("--file_timeout", str(LIMITS.file_timeout))


def chosen(config: pytest.Config, cases: list[Case]) -> list[Case]:
    if config.getoption("--full"):
        return cases
    return [case for case in cases if zlib.crc32(case.name.encode()) % ONE_OF == 0]


def together(config: pytest.Config) -> list[Case]:
    """Those that lie in one folder."""
    cases = chosen(config, CASES)
    return cases if config.getoption("--full") else [case for case in cases if case.name not in ALONE]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = chosen(metafunc.config, PICTURES) + OTHERS
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])


@pytest.fixture
def place(tmp_path) -> Iterator[Path]:
    """A folder that is removed by `rm`: shutil.rmtree() goes no deeper than a thousand folders."""
    yield tmp_path
    subprocess.run(["chmod", "-R", "u+rwx", tmp_path], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", *tmp_path.iterdir()], check=True)


def test_there_are_at_least_250_cases_of_different_names():
    assert len({case.name for case in CASES}) == len(CASES) >= 250


def test_a_hostile_file_alone_costs_neither_its_neighbours_nor_the_reader(place, case):
    case.build(place)
    before = checksum(place)
    outcomes, most_memory = read_isolated(str(place), case.name)
    assert case.differences(outcomes, case.expected()) == []
    assert most_memory < GIGABYTE
    assert checksum(place) == before


def checksum(root: Path) -> dict[str, tuple]:
    """What lies under a folder, to the last bit: kind, rights, size, time of change and content."""
    sums: dict[str, tuple] = {}
    waiting = [os.fspath(root)]
    while waiting:
        path = waiting.pop()
        try:
            status = os.lstat(path)
            content = _content(path)
            entries = os.scandir(path) if stat.S_ISDIR(status.st_mode) else ()
        except OSError as error:
            sums[path] = (error.errno,)
            continue
        sums[path] = (status.st_mode, status.st_size, status.st_mtime_ns, content)
        waiting.extend(entry.path for entry in entries)
    return sums


def _content(path: str) -> str | bytes:
    if os.path.islink(path):
        return os.readlink(path)
    return hashlib.sha256(Path(path).read_bytes()).digest() if os.path.isfile(path) else b""


@pytest.fixture(scope="module")
def everything(request, tmp_path_factory, tiny_checkpoint) -> Iterator[Path]:
    """A folder with `hostile`, where the cases lie side by side; the tests stand in it and write there."""
    root = tmp_path_factory.mktemp("everything")
    for case in together(request.config):
        case.build(root / "hostile")
    before = checksum(root / "hostile")
    here = os.getcwd()
    os.chdir(root)
    yield root
    os.chdir(here)
    assert checksum(root / "hostile") == before
    assert [
        path
        for path in (*root.iterdir(), root.parent / f"{MARKER}.png", Path(f"/tmp/{MARKER}.png"))
        if path.name.startswith(MARKER) and path.exists()
    ] == []
    subprocess.run(["rm", "-rf", *root.iterdir()], check=True)


def differences(
    config: pytest.Config, outcomes: list[tuple[str, str]], expected: Callable[[Case], Outcomes]
) -> list[str]:
    """outcomes: (path, what became of it), in any order."""
    by_case: dict[str, dict[str, str]] = defaultdict(dict)
    for path, outcome in outcomes:
        name, _, inside = path.removeprefix("hostile/").partition("/")
        by_case[name][inside] = f"{by_case[name][inside]},{outcome}" if inside in by_case[name] else outcome
    assert set(by_case) <= {case.name for case in CASES}
    cases = together(config)
    return [line for case in cases for line in case.differences(by_case[case.name], expected(case))]


def recorded(database: str, query: str) -> list[tuple[str, str]]:
    """Rows of (path, format), and the skipped files with their reasons."""
    connection = sqlite3.connect(database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        skipped = connection.execute("SELECT file_path, reason FROM skipped").fetchall()
        assert {reason for _, reason in skipped} <= set(REASONS)
        return [*connection.execute(query).fetchall(), *skipped]
    finally:
        connection.close()


def test_every_stage_and_cache_survives_all_of_them_in_one_folder(request, everything, stage1, tiny, capsys):
    result = stage1("hostile", limits=LIMITS, batch_size=32)
    assert result["skipped"] > 10
    outcomes = recorded("output/file_cache.sqlite", "SELECT path, type FROM file_cache")
    assert differences(request.config, outcomes, Case.expected) == []
    train("output/input-metadata.json", "output/input-tag-to-image-hash-list.json", "output")
    for stage, database, expected in (
        (classify, "stage3.db", Case.expected_of_loose_pictures),
        (classify_zip, "stage4.db", Case.expected_of_archives),
    ):
        flags = ["--directory", "hostile", "--output", f"scored-{database}", *PATIENCE]
        assert stage.command(flags) == 0
        table = database.removesuffix(".db")
        outcomes = recorded(f"output/{database}", f"SELECT DISTINCT file_path, type FROM {table}")
        assert differences(request.config, outcomes, expected) == []


def test_every_cache_survives_all_of_them_in_one_folder(request, everything, tiny):
    FileCache.add_folder_to_file_cache("hostile", "caches")
    outcomes = recorded("caches/file_cache.sqlite", "SELECT path, type FROM file_cache")
    assert differences(request.config, outcomes, Case.expected) == []
    with FileTable("caches/file_cache.sqlite") as files:
        pictures = files.counts()["pictures"]
    for add, database in (
        (ClipCache(**tiny).add_folder_to_clip_cache, "clip_cache.sqlite"),
        (TagCache.add_folder_to_tag_cache, "tag_cache.sqlite"),
    ):
        result = add("hostile", "caches")
        assert result["processed"] + result["unchanged"] == pictures
        skipped = recorded(f"caches/{database}", "SELECT '', '' WHERE 0")
        assert sorted(skipped) == sorted(row for row in outcomes if row[1] in REASONS)


def test_the_doctor_names_what_the_reader_skips(request, everything, capsys):
    assert doctor(["doctor", "hostile", "--json", *PATIENCE]) == 3
    report = json.loads(capsys.readouterr().out)
    named = {
        finding["path"]
        for finding in report["problems"] + report["notes"]
        if finding["kind"] in ("skipped", "hidden")
    }
    problems = [problem for problem in report["problems"] if problem["kind"] == "skipped"]
    reasons = {(problem["path"], problem["reason"]) for problem in problems}
    stream = images("hostile", limits=LIMITS)
    skipped = {(item.file_path, item.reason) for item in stream if isinstance(item, Skipped)}
    assert (named, reasons - skipped) == ({path for path, _ in skipped}, set())


def test_the_command_of_stage_1_ends_well_and_strictly_with_3(everything, tiny, capsys):
    from stage1.ImageDatasetProcessor import main

    folders = ["--input_folder", "hostile", "--output_folder", "strict"]
    encoder = ["--clip_model", tiny["clip_model"], "--pretrained", tiny["pretrained"]]
    assert main([*folders, *encoder, *PATIENCE, "--strict"]) == 3
    output = capsys.readouterr()
    assert output.out.splitlines()[-1].startswith("processed ")
    assert "Traceback" not in output.err
    skips = [line for line in output.err.splitlines() if line.startswith("skipped ")]
    assert len(skips) == SKIPS_SHOWN
