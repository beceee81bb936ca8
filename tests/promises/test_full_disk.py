"""A disk that is full or cannot be written to: exit code 2, one line, nothing half-written; it goes on."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cache import FileCache
from cache.refusal import Refused
from cache.results import scoring
from stage1 import ImageDatasetProcessor as stage1
from stage2 import train
from stage3 import classify
from tests.drawing import png, tag_folders, tree, write

KIB = 1024
FULL = "error: cannot read or write: "
OUTPUTS = (
    "output/input-metadata.json",
    "output/input-tag-to-image-hash-list.json",
    "output/input-image-hash-to-tag-list.json",
)


@pytest.fixture
def photos(disk) -> Path:
    return write(disk / "photos", tag_folders(count=20))


def fill(disk: Path, left: int) -> Path:
    """Take all but `left` KiB."""
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - left * KIB)))
    return filler


def stage_1(tiny: dict[str, str]) -> Callable[[], int]:
    flags = [
        "--clip_model",
        tiny["clip_model"],
        "--pretrained",
        tiny["pretrained"],
        "--batch_size",
        "4",
        "--num_threads",
        "1",
    ]
    return lambda: stage1.main(["--input_folder", "photos", *flags])


def stage_2() -> int:
    return train.command(["--metadata_json", OUTPUTS[0], "--tag_to_hash_json", OUTPUTS[1]])


def stage_3() -> int:
    return classify.command(["--directory", "photos", "--output", "scored"])


def assert_sound(disk: Path) -> None:
    """Every database is whole, and so is every JSON under its final name."""
    for path in disk.rglob("*"):
        if path.suffix in (".sqlite", ".db") and path.stat().st_size:
            connection = sqlite3.connect(path)
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
            connection.close()
        if path.suffix == ".json":
            json.loads(path.read_text())


@pytest.mark.parametrize("left", [0, 60, 200, 400, 700, 1000])
def test_stage_1_stops_at_a_full_disk_and_goes_on_when_there_is_room(photos, disk, tiny, capsys, left):
    run = stage_1(tiny)
    filler = fill(disk, left)
    code = run()
    output = capsys.readouterr()
    if left <= 400:
        assert code == 2
        assert output.err.splitlines()[-1].startswith((FULL, "error: cannot open the database"))
        assert "Traceback" not in output.err
        assert not [path for path in OUTPUTS if Path(path).exists()]
    filler.unlink()
    assert_sound(disk)
    assert run() == 0
    resumed = {path: Path(path).read_bytes() for path in OUTPUTS}
    shutil.rmtree("output")
    assert run() == 0
    assert {path: Path(path).read_bytes() for path in OUTPUTS} == resumed
    assert tree(photos) == tag_folders(count=20)


@pytest.mark.parametrize("left", [0, 20])
def test_stage_2_stops_at_a_full_disk_and_goes_on_when_there_is_room(photos, disk, tiny, capsys, left):
    assert stage_1(tiny)() == 0
    filler = fill(disk, left)
    assert stage_2() == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(FULL)
    filler.unlink()
    assert_sound(disk)
    assert stage_2() == 0
    kinds = {path.name[:9] for path in Path("output/models").iterdir()}
    assert kinds == {".run.lock", "model-bun", "model-ovr"}


@pytest.mark.parametrize("left", [100, 250, 500])
def test_stage_3_stops_at_a_full_disk_shows_nothing_and_goes_on(
    photos, disk, *, tiny, capsys, monkeypatch, left
):
    """Its estimate would refuse at once; here the disk fills up behind its back."""
    monkeypatch.setattr(scoring, "refuse_too_little_room", lambda *arguments: None)
    write(photos, {f"more/{number}.png": png(number + 300) + bytes(5000) for number in range(40)})
    assert (stage_1(tiny)(), stage_2()) == (0, 0)
    filler = fill(disk, left)
    assert stage_3() == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith((FULL, "error: cannot open the database"))
    assert sorted(path.name for path in disk.iterdir()) == ["filler", "output", "photos"]
    filler.unlink()
    assert_sound(disk)
    assert stage_3() == 0
    assert len(list(Path("scored/pictures").iterdir())) == 80


def test_stage_3_refuses_beforehand_what_will_not_fit(photos, disk, tiny, capsys):
    write(photos, {f"more/{number}.png": png(number + 300) + bytes(5000) for number in range(40)})
    assert (stage_1(tiny)(), stage_2()) == (0, 0)
    fill(disk, 600)
    assert stage_3() == 2
    assert "the results need about" in capsys.readouterr().err


def test_a_cache_on_a_full_disk_keeps_what_it_had(photos, disk):
    FileCache.add_folder_to_file_cache("photos/cats")
    fill(disk, 30)
    with pytest.raises((Refused, sqlite3.OperationalError), match="full"):
        FileCache.add_folder_to_file_cache("photos/dogs")
    (disk / "filler").unlink()
    assert FileCache.add_folder_to_file_cache("photos") == {
        "db_path": "./output/file_cache.sqlite",
        "processed": 20,
        "unchanged": 20,
        "skipped": 0,
    }


def test_an_output_that_cannot_be_written_to_is_refused_and_left_as_it_is(photos, disk, tiny, capsys):
    assert (stage_1(tiny)(), stage_2()) == (0, 0)
    before = tree(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for run in (stage_1(tiny), stage_2, stage_3):
        capsys.readouterr()
        assert run() == 2
        last_line = capsys.readouterr().err.splitlines()[-1]
        assert last_line.endswith(("cannot be written to", "Read-only file system"))
    assert tree(disk) == before


def test_pictures_on_a_disk_that_cannot_be_written_to_are_read(photos, disk, tiny, tmp_path, monkeypatch):
    before = tree(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    monkeypatch.chdir(tmp_path)
    flags = ["--clip_model", tiny["clip_model"], "--pretrained", tiny["pretrained"]]
    assert stage1.main(["--input_folder", "disk/photos", *flags]) == 0
    assert tree(disk) == before
