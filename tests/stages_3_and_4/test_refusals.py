"""What stages 3 and 4 refuse, in one line, and what they leave out and name."""
import shutil
from types import SimpleNamespace

import pytest

from cache.results.disk_room import CSV_BYTES, LINK_BYTES, ROW_BYTES, SORTING_BYTES, TEXT_BYTES, TIMES_OLDER
from cache.stores.score_table import Stage3Table
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import rows
from tests.drawing import png, write, zipped


def test_each_stage_sends_the_others_input_to_the_other(here, ready, capsys):
    write(
        here,
        {
            "a.zip": zipped({"cat.png": png(0)}),
            "cat.png": png(0),
            "mixed/a.zip": zipped({"b.png": png(1)}),
            "mixed/c.png": png(2),
        },
    )
    assert ready(classify, "a.zip") == 2
    assert (
        capsys.readouterr().err
        == "error: a.zip is a ZIP; stage 4 scores those: python ./stage4/classify_zip.py --directory a.zip\n"
    )
    assert ready(classify_zip, "cat.png") == 2
    assert capsys.readouterr().err == (
        "error: cat.png is not a ZIP; stage 3 scores pictures: "
        "python ./stage3/classify.py --directory cat.png\n"
    )
    assert ready(classify, "mixed") == 0
    assert rows("output/stage3.db", "SELECT * FROM skipped") == [("mixed/a.zip", "archive", "")]
    assert ready(classify, "mixed", "--strict") == 3


@pytest.mark.parametrize(
    ("stage", "source", "flags", "message"),
    [
        (classify, "nowhere", [], "no such file or folder: nowhere"),
        (classify, "empty", [], "no readable picture to score in empty (it is empty)"),
        (classify, "junk", [], "no readable picture to score in junk (1 not_an_image)"),
        (classify, "hidden", [], "no readable picture to score in hidden (1 hidden); --include_hidden reads"),
        (
            classify_zip,
            "junk",
            [],
            "no readable picture to score in junk (1 not_in_archive); stage 3 scores pictures outside ZIPs",
        ),
        (
            classify,
            "junk",
            ["--metadata_json", "nowhere.json"],
            "cannot read nowhere.json: No such file or directory",
        ),
        (classify, "junk", ["--metadata_json", "junk/a.txt"], "junk/a.txt is not valid JSON"),
        (classify, "junk", ["--model", "empty"], "no usable model in empty; stage 2 makes them"),
        (
            classify,
            "junk",
            ["--model", "nowhere"],
            "no such model file or folder: nowhere; stage 2 makes one",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(  # noqa: PLR0917  fixtures and parameters are named
    here, ready, capsys, stage, source, flags, message
):
    (here / "empty").mkdir()
    write(here, {"junk/a.txt": b"text", "hidden/.a.png": png(1)})
    capsys.readouterr()
    assert ready(stage, source, *flags) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {message}")
    assert not (here / "scored").exists()


def test_a_bad_model_among_good_ones_is_named_and_left_out(here, ready, capsys):
    write(here, {"new/a.png": png(0), "output/models/model-ovr-svm-tag-bad.pkl": b"junk"})
    assert ready(classify, "new") == 0
    out, err = capsys.readouterr()
    assert "skipped model: ./output/models/model-ovr-svm-tag-bad.pkl is compressed or no pickle" in err
    assert "scored under 4 models\n" in out


def test_the_second_of_two_files_for_one_model_is_named_and_left_out(here, ready, capsys):
    write(here, {"new/a.png": png(0)})
    for suffix in (".pkl", ".json"):
        shutil.copy(f"output/models/model-ovr-svm-tag-cats{suffix}", f"output/models/backup{suffix}")
    assert ready(classify, "new") == 0
    assert (
        "skipped model: ./output/models/model-ovr-svm-tag-cats.pkl "
        "is of the same type and tag as ./output/models/backup.pkl\n"
        in capsys.readouterr().err
    )


def test_results_that_do_not_fit_on_the_disk_are_refused_before_anything_is_scored(
    here, ready, capsys, monkeypatch
):
    write(
        here,
        {
            "new/a.png": png(0),
            "new/b.png": png(100, "dogs"),
            "new/film.mkv": bytes(10**6),
            "new.zip": zipped({"a.png": png(0)}),
        },
    )
    size, scores = sum(path.stat().st_size for path in (here / "new").glob("*.png")), 2 * 4
    tables, links = scores * (ROW_BYTES + SORTING_BYTES + TEXT_BYTES), size + scores * LINK_BYTES
    usage = SimpleNamespace(free=tables + links - 1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    monkeypatch.setenv("SQLITE_TMPDIR", str(here))
    needs = f"error: the results need about 0 MiB, and the disk of {here}/output has 0 MiB free; make room"
    assert ready(classify, "new", encoder=False) == 2
    assert capsys.readouterr().err == f"{needs}, or score without placing the pictures (--place none)\n"
    assert not (here / "scored").exists()
    assert ready(classify, "new", "--place", "none", encoder=False) == 0
    usage.free = tables + scores * CSV_BYTES - 1
    assert ready(classify, "new", "--place", "none", "--csv", encoder=False) == 2
    usage.free = tables - 1
    capsys.readouterr()
    assert ready(classify, "new", "--place", "none", encoder=False) == 2
    assert capsys.readouterr().err == f"{needs}\n"
    usage.free = tables + links
    assert ready(classify, "new", encoder=False) == 0
    usage.free += 1000 * TIMES_OLDER + 500 - 1
    monkeypatch.setattr(Stage3Table, "bytes_of_older", lambda table: 1000)
    assert ready(classify, "new", encoder=False) == 2
    usage.free += 1
    assert ready(classify, "new", encoder=False) == 0
    usage.free = scores // 2 * 2 * ROW_BYTES
    assert ready(classify_zip, "new.zip", encoder=False) == 2
