"""Many at once on one cache, and two runs on one output.

No row is lost or doubled, nobody is told that the database is locked, and no lock outlives its process.
"""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cache import FileCache, TagCache
from cache.files.run_lock import LOCK, only_run_in
from cache.files.whole_folder import WholeFolder, sweep
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile
from cache.refusal import Refused
from cache.stores import sqlite_file
from cache.stores.file_table import FileTable
from stage1 import ImageDatasetProcessor as stage1_script
from stage2 import train
from tests.conftest import ROOT
from tests.drawing import png, tag_folders, tree, write

PROCESSES, BATCHES, PICTURES = 16, 12, 20
FORKED = multiprocessing.get_context("forkserver")  # a fork of pytest would share its open databases
FORKED.set_forkserver_preload(["cache.cache_file", "tests.promises.test_concurrency"])


def picture(owner: int, number: int) -> Picture:
    path = f"/pictures/{owner}/{number}.png"
    file = SourceFile(path, path, str(owner), None, 100, 1, "1", lambda: open(os.devnull, "rb"))
    return Picture(file, f"{owner:04}{number:08}", None, "png", 4, 4)


def add_pictures(path: str, owner: int, shared: bool) -> None:
    """In batches, each in a transaction: pictures of the owner's own, and with `shared` those that all
    add."""
    for batch in range(BATCHES):
        with FileTable(path, create=True) as table:
            numbers = range(batch * PICTURES, (batch + 1) * PICTURES)
            table.add(Batch([picture(owner, number) for number in numbers]))
            if shared:
                table.add(Batch([picture(9999, number) for number in numbers]))


def read_pictures(path: str, end) -> None:
    while not end.is_set():
        FileCache.create_file_cache(os.path.dirname(path), os.path.basename(path))
        image = FileCache.get_random_image(path)
        again = image and FileCache.get_img_by_hash(path, image["hash_id"])
        assert again in (None, image)  # None if it was cleared meanwhile


def clear_pictures(path: str, end) -> None:
    while not end.is_set():
        FileCache.create_file_cache(os.path.dirname(path), os.path.basename(path))
        FileCache.clear_cache(path)


def run_all(work: list[tuple], helpers: list[tuple]) -> list[int]:
    """Exit codes of all processes: those of `work`, then `helpers`, which are told when the work is done."""
    end = FORKED.Event()
    background = [FORKED.Process(target=function, args=(*arguments, end)) for function, *arguments in helpers]
    workers = [FORKED.Process(target=function, args=tuple(arguments)) for function, *arguments in work]
    for process in (*background, *workers):
        process.start()
    for process in workers:
        process.join()
    end.set()
    for process in background:
        process.join()
    return [process.exitcode for process in (*workers, *background)]


def rows(path: str) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT absolute_path, hash_id FROM file_cache ORDER BY hash_id").fetchall()
    finally:
        connection.close()


def expected_rows(owners: range | list[int]) -> list[tuple[str, str]]:
    """Of each owner in the order of adding."""
    pictures = [picture(owner, number) for owner in owners for number in range(BATCHES * PICTURES)]
    return [(picture.file.absolute_path, picture.hash_id) for picture in pictures]


def test_sixteen_processes_add_to_one_cache_beside_readers_and_every_row_is_there_once(tmp_path):
    path = str(tmp_path / "shared.sqlite")
    codes = run_all(
        [(add_pictures, path, owner, True) for owner in range(PROCESSES)], [(read_pictures, path)] * 3
    )
    assert codes == [0] * (PROCESSES + 3)
    assert rows(path) == expected_rows([*range(PROCESSES), 9999])


def test_what_is_added_while_others_clear_is_there_whole_or_not_at_all(tmp_path):
    """Every batch is one transaction, so that what is left after the last clearing are whole batches."""
    path = str(tmp_path / "shared.sqlite")
    codes = run_all(
        [(add_pictures, path, owner, False) for owner in range(PROCESSES)],
        [(clear_pictures, path), (read_pictures, path)],
    )
    assert codes == [0] * (PROCESSES + 2)
    left = rows(path)
    for owner in range(PROCESSES):
        whole = expected_rows([owner])
        for start in range(0, len(whole), PICTURES):
            assert len(set(whole[start : start + PICTURES]) & set(left)) in (0, PICTURES)
    add_pictures(path, 5, False)
    assert set(rows(path)) >= set(expected_rows([5]))


def test_a_writer_waits_for_another_one_and_is_not_told_that_the_database_is_locked(tmp_path):
    path = str(tmp_path / "held.sqlite")
    FileTable.create(path)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with FileTable(path) as table:
        waiting = threading.Thread(target=lambda: FileCache.clear_cache(path))
        waiting.start()
        holder.execute("INSERT INTO skipped VALUES ('a', 'empty', '')")
        holder.execute("COMMIT")
        waiting.join()
        [left] = table.connection.execute("SELECT count(*) FROM skipped").fetchone()
        assert left in (0, 1)  # cleared behind or before it
    holder.close()


def test_who_waits_longer_than_the_busy_timeout_is_told_in_one_line(
    photos, stage1, tiny, monkeypatch, capsys
):
    stage1()
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0)
    write(Path(photos), {"cats/new.png": png(99)})
    holder = sqlite3.connect("output/file_cache.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    capsys.readouterr()
    flags = ["--input_folder", photos, "--clip_model", tiny["clip_model"], "--pretrained", tiny["pretrained"]]
    assert stage1_script.main(flags) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: cannot read or write: database is locked; another program holds it, "
        "the same command goes on from there"
    )
    holder.close()
    assert stage1_script.main(flags) == 0


def test_a_cache_that_others_have_open_is_emptied_but_not_deleted(here):
    write(here / "photos", tag_folders())
    path = TagCache.add_folder_to_tag_cache("photos")["db_path"]
    TagCache.get_random_tag(path)
    other = sqlite3.connect(path)
    other.execute("SELECT count(*) FROM tag_cache").fetchall()
    with pytest.raises(
        Refused, match="tag_cache.sqlite is in use; it was not deleted, try again when nobody has it open"
    ):
        TagCache.clear_cache(path, delete_cache=True)
    assert other.execute("SELECT count(*) FROM tag_cache").fetchone() == (0,)
    other.close()
    assert TagCache.clear_cache(path, delete_cache=True) == {"db_path": path, "cleared": 0, "deleted": True}
    assert os.listdir("output") == []


def test_a_second_run_on_one_output_is_refused_and_changes_nothing(photos, stage1, tiny, capsys):
    stage1()
    before = tree(Path("output"))
    flags = ["--input_folder", photos, "--clip_model", tiny["clip_model"], "--pretrained", tiny["pretrained"]]
    with only_run_in("output"):
        assert stage1_script.main(flags) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: another run is writing into ./output; wait until it has ended, or name another output folder"
    )
    assert tree(Path("output")) == before
    assert stage1_script.main(flags) == 0


def test_a_second_training_into_one_output_is_refused(trained, capsys):
    flags = [
        "--metadata_json",
        "output/input-metadata.json",
        "--tag_to_hash_json",
        "output/input-tag-to-image-hash-list.json",
    ]
    with only_run_in("output/models"):
        assert train.command(flags) == 2
    assert "another run is writing into ./output/models" in capsys.readouterr().err
    assert train.command(flags) == 0


HOLD = """
import sys
from cache.files.run_lock import only_run_in
from cache.files.whole_file import whole_file
with only_run_in("output"), whole_file("output/half.json") as file:
    file.write(b"half")
    file.flush()
    print("holding", flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_a_killed_run_blocks_nobody_and_its_half_files_are_swept(here):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert holder.stdout.readline() == b"holding\n"
    with pytest.raises(Refused, match="another run is writing into output"), only_run_in("output"):
        pass
    holder.kill()
    holder.communicate()
    assert sorted(name[:9] for name in os.listdir("output")) == [".partial-", ".run.lock"]
    with only_run_in("output"):
        assert os.listdir("output") == [LOCK]


BUILD = """
import sys
from pathlib import Path
from cache.files.whole_folder import WholeFolder
with WholeFolder(Path("scored").resolve()) as folder:
    (folder.building / "half.png").write_bytes(b"half")
    if sys.argv[1] == "between":
        folder.final.rename(next(folder.final.parent.glob(".scored.partial-????????")).with_name(
            folder.building.name.replace("partial", "old")))
    print("building", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("moment", ["while building", "between"])
def test_a_folder_that_a_killed_run_was_building_is_swept_and_the_earlier_one_stays(here, moment):
    """Killed in the middle, or when the earlier result was away already and the new one not yet in its
    place."""
    write(here / "scored", {"earlier.png": b"earlier"})
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILD, moment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert builder.stdout.readline() == b"building\n"
    sweep(here)  # of a run that is alive, nothing
    assert len([name for name in os.listdir() if name.startswith(".scored")]) == (
        3 if moment == "between" else 2
    )
    builder.kill()
    builder.communicate()
    sweep(here)
    assert tree(here) == {"scored/earlier.png": b"earlier"}
    assert os.listdir() == ["scored"]


def test_an_empty_folder_whose_name_a_killed_run_had_taken_goes_with_it(here):
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILD, ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert builder.stdout.readline() == b"building\n"
    (here / "scored").mkdir()
    builder.kill()
    builder.communicate()
    sweep(here)
    assert os.listdir() == []


def test_a_folder_that_could_not_be_put_in_place_gives_the_earlier_one_back(here):
    write(here / "scored", {"earlier.png": b"earlier"})

    def move_away_and_fail() -> None:
        with WholeFolder(here / "scored") as folder:
            os.rename(
                here / "scored", folder.building.with_name(folder.building.name.replace("partial", "old"))
            )
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        move_away_and_fail()
    assert tree(here) == {"scored/earlier.png": b"earlier"}
    assert os.listdir() == ["scored"]


def build_folders(parent: str, owner: int) -> None:
    for _ in range(60):
        with WholeFolder(Path(parent) / f"out{owner}") as folder:
            (folder.building / "owner").write_text(str(owner))
            folder.put_in_place()


def test_runs_that_build_and_sweep_in_one_place_never_take_each_others_folders(here):
    assert run_all([(build_folders, str(here), owner) for owner in range(4)], []) == [0] * 4
    assert tree(here) == {f"out{owner}/owner": str(owner).encode() for owner in range(4)}
    assert sorted(os.listdir()) == [f"out{owner}" for owner in range(4)]


def test_what_only_looks_like_a_leftover_stays(here):
    write(here, {"output/.partial-notes.txt": b"mine", ".my.partial-0123.lock": b"mine", ".a.lock": b"mine"})
    (here / "output" / ".partial-abcdefgh").mkdir()
    (here / ".b.partial-01234567.lock").mkdir()
    with only_run_in("output"):
        sweep(here)
    assert sorted(os.listdir("output")) == [".partial-abcdefgh", ".partial-notes.txt", LOCK]
    assert sorted(os.listdir()) == [".a.lock", ".b.partial-01234567.lock", ".my.partial-0123.lock", "output"]


def test_two_scorings_beside_each_other_do_not_sweep_one_another(here):
    with WholeFolder(here / "one") as one, WholeFolder(here / "two") as two:
        (one.building / "a").write_text("1")
        (two.building / "b").write_text("2")
        one.put_in_place()
        two.put_in_place()
    assert tree(here) == {"one/a": b"1", "two/b": b"2"}
    assert sorted(os.listdir()) == ["one", "two"]
