"""Kills at every kind of moment: nothing half-written is ever seen, and the same command again finishes it.

With --full 100 kills, by events of the run and by the clock; otherwise one for each target, of kinds in turn,
and an interrupt for each stage, of signals in turn.
"""

import random
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.promises.crash_state import State, inputs, leftovers
from tests.promises.crash_targets import BATCH, STAGES, Ended, Prepared, Runner, running
from tests.promises.killed_run import digest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the runs are watched by means of Linux")
# What a kill may come before: writes to files, the end of a transaction, a rename, a row, an encoder call,
# other statements, and new and removed names. Drawn in this order: there are ten times as many rows and links
# as renames.
KINDS = ["write", "commit", "rename", "row", "encode", "statement", "make", "remove"]
KILLS = {
    "stage 1": {"event": 8, "clock": 4},
    "stage 1 again": {"event": 6, "clock": 2},
    "stage 2": {"event": 8, "clock": 4},
    "stage 3": {"event": 12, "clock": 6},
    "stage 4": {"event": 12, "clock": 6},
    "file cache": {"event": 6, "clock": 4},
    "clip cache": {"event": 8, "clock": 4},
    "tag cache": {"event": 6, "clock": 4},
}
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}
GOES_ON = "interrupted; what was finished is kept, the same command goes on from there"
BEGINS_AGAIN = "interrupted; what was written is whole, the same command begins again"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    full = metafunc.config.getoption("--full")
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", list(_kills(full)), ids=_id)
    if "interrupt" in metafunc.fixturenames:
        metafunc.parametrize("interrupt", list(_interrupts(full)), ids=_id)


def _kills(full: bool) -> Iterator[tuple[str, str, int]]:
    """(target, manner, number); the number of an event says of which kind it is."""
    for place, (name, manners) in enumerate(KILLS.items()):
        if not full:
            yield name, "event", place
            continue
        for manner, count in manners.items():
            yield from ((name, manner, number) for number in range(count))


def _interrupts(full: bool) -> Iterator[tuple[str, str, int]]:
    for place, name in enumerate(STAGES):
        if not full:
            yield name, list(SIGNALS)[place % len(SIGNALS)], place
            continue
        for text in SIGNALS:
            yield from ((name, text, number) for number in range(8))


def _id(value: tuple) -> str:
    return "-".join(map(str, value)).replace(" ", "_")


@pytest.fixture(scope="module")
def figures(request, full) -> Iterator[dict[str, Counter]]:
    """What the kills of each target came to; with --full shown at the end."""
    figures: dict[str, Counter] = {}
    yield figures
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        for name, counts in figures.items() if full else ():
            line = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
            print(f"\n{name}: {line}", end="")


@pytest.fixture(scope="module")
def runner(tmp_path_factory, tiny_checkpoint) -> Iterator[Runner]:
    with running(tmp_path_factory.mktemp("crashes"), tiny_checkpoint) as runner:
        yield runner


def drawn_moment(unkilled: Ended, *seed: object) -> list:
    """Kind and number of an event, the kinds in turn."""
    kinds = [kind for kind in KINDS if unkilled.of(kind)]
    kind = kinds[seed[-1] % len(kinds)]
    return [kind, random.Random(repr(seed)).randint(1, len(unkilled.of(kind)))]


def check_what_is_left(target: Prepared) -> State:
    """Whatever a run was doing when it ended: what it shows is whole, and what it read is untouched."""
    left = State.of(target.folder)
    for path, data in left.files.items():
        wanted = [state.files[path] for state in (target.before, target.final) if path in state.files]
        assert data in wanted, f"{path} is neither the old nor the new one"
    assert left.result() in ({}, target.before.result(), target.final.result()), "parts of two results"
    for name, database in left.databases.items():
        assert not database["schema"] or (name, digest(database)) in target.committed, (
            f"{name} is between two transactions"
        )
    assert inputs(target.folder) == target.inputs
    return left


def check_the_next_run(target: Prepared, cut_short: Ended, left: State) -> int:
    """It finishes what was cut short, and redoes at most a batch. Returns how many pictures both embedded."""
    again, unkilled = target.run(), target.unkilled
    assert (again.code, again.orphans) == (0, 0), again.stderr
    assert State.of(target.folder).unlike(target.final) == []
    assert inputs(target.folder) == target.inputs
    assert (leftovers(target.folder), list(target.folder.rglob("*-wal"))) == ([], [])
    assert (sum(again.summary().values()), again.summary()["skipped"]) == (
        sum(unkilled.summary().values()),
        unkilled.summary()["skipped"],
    )
    if target.source and "file_cache.sqlite" in target.final.databases:
        check_the_file_cache(target, left, again)
    embedded = cut_short.of("picture") + again.of("picture")
    assert set(embedded) == set(unkilled.of("picture"))
    assert len(embedded) - len(set(embedded)) <= BATCH
    return len(embedded) - len(set(embedded))


def check_the_file_cache(target: Prepared, left: State, again: Ended) -> None:
    """What it knew when the run was cut short was embedded and tagged, and was not decoded again."""
    known = left.rows("file_cache", "hash_id", "absolute_path", "path", "mtime_ns", "is_archive")
    final = target.final.rows("file_cache", "hash_id", "absolute_path", "path", "mtime_ns", "is_archive")
    pictures = {row for row in known & final if row[4] is None and row[2].startswith(target.source)}
    assert again.summary()["unchanged"] == len(pictures)
    assert {row[:1] for row in pictures} <= left.rows("thumbnail_cache", "hash_id")
    if target.name != "file cache":
        assert {row[:1] for row in pictures} <= left.rows("clip_cache", "hash_id")
    if target.name.startswith("stage 1"):
        assert {row[:2] for row in pictures} <= left.rows("tag_cache", "hash_id", "absolute_path")


def check(target: Prepared, cut_short: Ended, figures: dict[str, Counter]) -> State:
    hidden = leftovers(target.folder)
    left = check_what_is_left(target)
    twice = check_the_next_run(target, cut_short, left)
    counts = figures.setdefault(
        f"{target.name} {'killed' if cut_short.code == -signal.SIGKILL else 'interrupted'}", Counter()
    )
    counts["times"] += 1
    counts["times with hidden leftovers"] += bool(hidden)
    counts["times with decoders left behind"] += bool(cut_short.orphans)
    counts["pictures embedded twice at most"] = max(counts["pictures embedded twice at most"], twice)
    return left


def test_a_killed_run_is_finished_by_the_next_one(runner, figures, kill):
    name, manner, _ = kill
    target = runner.prepared(name)
    killed = {"event": killed_at_an_event, "clock": killed_by_the_clock}[manner](target, kill)
    assert killed.code == -signal.SIGKILL
    check(target, killed, figures)


def killed_at_an_event(target: Prepared, kill: tuple) -> Ended:
    target.reset()
    return target.run(moment=drawn_moment(target.unkilled, *kill))


def killed_by_the_clock(target: Prepared, kill: tuple) -> Ended:
    """Every second time with its process group: decoders have groups of their own, and end by themselves."""
    seconds = random.Random(repr(kill)).uniform(0.02, 0.98) * target.unkilled.seconds
    while True:
        target.reset()
        killed = target.run(after=seconds, group=kill[-1] % 2 == 1)
        if killed.code != 0:
            return killed
        seconds /= 2  # this time it was faster


@pytest.mark.parametrize(
    ("name", "kind", "detail", "back", "result", "tables"),
    [
        # The second one, of the files skipped: the rows of the pictures are in.
        ("stage 1 again", "statement", "stage1.db DELETE", 0, None, {"stage1.db": "before"}),
        ("stage 3", "rename", "done results", 2, None, {"stage3.db": "before"}),
        ("stage 3", "rename", "done results", 0, "final", {"stage3.db": "before"}),
        (
            "stage 4",
            "rename",
            "done results",
            0,
            "final",
            {"stage4.db": "before", "zip_score_cache.sqlite": "before"},
        ),
        (
            "stage 4",
            "commit",
            "stage4.db",
            0,
            "final",
            {"stage4.db": "final", "zip_score_cache.sqlite": "before"},
        ),
    ],
    ids=[
        "between two listings",
        "between two results",
        "between result and table",
        "between result and tables",
        "between two tables",
    ],
)
def test_a_run_killed_between_its_outputs_is_finished_by_the_next_one(
    runner, figures, *, name, kind, detail, back, result, tables
):
    target = runner.prepared(name)
    target.reset()
    events = target.unkilled.of(kind)
    last = len(events) - events[::-1].index(detail)  # counted from 1
    left = check(target, target.run(moment=[kind, last - back]), figures)
    assert left.result() == (getattr(target, result).result() if result else {})
    assert {table: left.databases[table] for table in tables} == {
        table: getattr(target, state).databases[table] for table, state in tables.items()
    }


def test_an_interrupted_stage_says_so_leaves_nothing_behind_and_is_finished_by_the_next_run(
    runner, figures, interrupt
):
    name, text, number = interrupt
    target = runner.prepared(name)
    target.reset()
    moment = drawn_moment(target.unkilled, name, text, number + 2 * list(SIGNALS).index(text))
    ended = target.run(moment=moment, signal_number=SIGNALS[text])
    assert (ended.code, ended.orphans) == (130, 0), ended.stderr
    assert re.fullmatch(r"processed \d+, unchanged \d+, skipped \d+", ended.stdout.splitlines()[-1])
    assert ended.stderr.splitlines()[-1] == (BEGINS_AGAIN if name == "stage 2" else GOES_ON)
    assert not re.search("Traceback|Exception", ended.stdout + ended.stderr)
    if moment[0] != "remove":  # what it was tidying up itself is left to the next run
        assert leftovers(target.folder) == []
    check(target, ended, figures)
