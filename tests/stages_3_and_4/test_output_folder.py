"""The output folder of stages 3 and 4: what is placed where, and what is never replaced."""
import json
import os
import re
from datetime import datetime
from pathlib import Path

import pytest

from cache.models.score_bins import bin_name, bin_number
from cache.refusal import Refused
from cache.results.result_folder import reserve_default_output
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import rows
from tests.drawing import png, tree, write
from tests.stages_3_and_4.scoring import METADATA, MODELS


@pytest.mark.parametrize(
    ("probability", "bins", "name"),
    [
        (0.0, 10, "0.1"),
        (0.1, 10, "0.1"),
        (0.1 + 1e-12, 10, "0.1"),
        (0.3, 10, "0.3"),
        (0.30001, 10, "0.4"),
        (1.0, 10, "1.0"),
        (0.5, 3, "0.6667"),
        (0.2, 1, "1.0"),
        (0.7, 7, "0.7143"),
        (0.99, 4, "1.0"),
    ],
)
def test_a_bin_is_named_by_its_upper_edge(probability, bins, name):
    assert bin_name(bin_number(probability, bins), bins) == name


def test_the_python_call_picks_a_folder_named_by_the_minute(here, trained, monkeypatch):
    write(here, {"new/a.png": png(0)})
    for _ in range(2):
        classify.main(
            folder_path="new",
            output_dir=None,
            json_file_path=METADATA,
            bins_number=10,
            model_path="./output/models",
        )
    names = sorted(name for name in os.listdir("output") if name.startswith("tagging_output_"))
    assert len(names) == 2
    assert all(
        re.fullmatch(r"tagging_output_\d{4}_\d{1,2}_\d{1,2}_\d{1,2}_\d{1,2}(_2)?", name) for name in names
    )
    moment = datetime(2026, 3, 4, 5, 6)
    assert [reserve_default_output(moment, "x") for _ in range(2)] == [
        f"x/tagging_output_2026_3_4_5_6{end}" for end in ("", "_2")
    ]
    assert classify.list_models("output/models") == classify_zip.list_models("output/models")


def test_a_folder_named_by_the_minute_goes_again_if_nothing_comes_of_the_run(here, trained):
    write(here, {"new/a.txt": b"text"})
    with pytest.raises(Refused, match="no readable picture to score in new"):
        classify.main("new")
    assert [name for name in os.listdir("output") if "tagging_output_" in name] == []


def test_an_edited_result_never_reaches_the_original(here, ready):
    write(here, {"new/a.png": png(0)})
    ready(classify, "new")
    [placed] = Path("scored/ovr-svm/cats").rglob("*.png")
    placed.write_bytes(b"edited")
    assert (here / "new/a.png").read_bytes() == png(0)


def test_scoring_without_placing(here, ready):
    write(here, {"one.png": png(0)})
    assert ready(classify, "one.png", "--place", "none") == 0
    assert sorted(tree(here / "scored")) == [".result.json", "index.html", "output.json"]


def test_a_model_type_that_is_called_as_a_part_of_the_result_gets_a_folder_of_its_own(here, ready):
    types = ["pictures", "output.json", "Index.html", "scores.csv"]
    for card, model_type in zip(sorted(Path("output/models").glob("*.json")), types, strict=True):
        card.write_text(json.dumps({**json.loads(card.read_text()), "model_type": model_type}))
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new", "--csv") == 0
    assert sorted(os.listdir("scored")) == sorted(
        [
            ".result.json",
            "index.html",
            "output.json",
            "pictures",
            "scores.csv",
            *(f"{model_type}~" for model_type in types),
        ]
    )
    assert os.listdir("scored/pictures") == ["a.png"]


def test_pictures_of_the_same_name_are_all_kept(here, ready):
    write(here, {"new/a/IMG.png": png(0), "new/b/IMG.png": png(1), "new/c/IMG.png": png(2)})
    ready(classify, "new")
    names = sorted(os.listdir("scored/pictures"))
    assert len(names) == 3
    assert all(re.fullmatch(r"IMG(-[0-9a-f]{8})?\.png", name) for name in names)
    assert sorted(Path("scored/pictures", name).read_bytes() for name in names) == sorted(
        png(seed) for seed in range(3)
    )
    assert len(list(Path("scored/ovr-svm/cats").rglob("*.png"))) == 3


def test_where_links_fail_the_bins_hold_copies(here, ready, monkeypatch):
    def no_links(*_):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new") == 0
    [placed] = Path("scored/ovr-svm/cats").rglob("*.png")
    assert (placed.read_bytes(), placed.stat().st_nlink) == (png(0), 1)


def test_an_earlier_result_is_replaced_as_a_whole_and_anything_else_is_left_alone(here, ready, capsys):
    write(here, {"new/a.png": png(0), "newer/b.png": png(1), "taken/mine.txt": b"mine"})
    assert ready(classify, "new") == 0
    assert ready(classify, "newer") == 0
    assert os.listdir("scored/pictures") == ["b.png"]
    assert rows("output/stage3.db", "SELECT DISTINCT file_path FROM stage3") == [
        ("new/a.png",),
        ("newer/b.png",),
    ]
    write(here, {"scored/notes.txt": b"mine"})
    before = tree(here / "scored")
    capsys.readouterr()
    (here / "scored/notes.txt").rename(here / "scored/ovr-svm/notes.txt")
    assert ready(classify, "newer") == 2
    assert "holds an earlier result and files added since, which would be lost" in capsys.readouterr().err
    (here / "scored/ovr-svm/notes.txt").rename(here / "scored/notes.txt")
    for output, message in {
        "scored": f"--output {here}/scored holds an earlier result and notes.txt, which would be lost; "
        "name another folder",
        "taken": f"--output {here}/taken is not empty and holds no earlier result; name another folder",
        "new/a.png": f"--output {here}/new/a.png is a file; name a folder",
        "newer/inside": f"the output folder {here}/newer/inside lies inside the input folder {here}/newer; "
        "name another one",
    }.items():
        assert ready(classify, "newer", output=output) == 2
        assert capsys.readouterr().err.splitlines()[-1] == f"error: {message}"
    assert tree(here / "scored") == before
    assert [path for path in os.listdir(".") if path.startswith(".")] == []


@pytest.mark.parametrize(
    "marker",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"entries": 5, "files": 1}',
        '{"entries": [[1]], "files": 1}',
        '{"entries": []}',
    ],
)
def test_a_folder_with_a_marker_that_is_none_of_ours_is_not_replaced(here, ready, capsys, marker):
    write(here, {"new/a.png": png(0), "scored/.result.json": marker.encode(), "scored/mine.txt": b"mine"})
    assert ready(classify, "new", "--output", "scored") == 2
    assert "scored is not empty and holds no earlier result; name another folder" in capsys.readouterr().err
    assert (here / "scored/mine.txt").read_bytes() == b"mine"


def test_what_is_put_into_the_output_folder_meanwhile_is_not_lost(here, ready, monkeypatch, capsys):
    from cache.results import scoring

    write_json_object = scoring.write_json_object

    def a_person_saves_a_file(path, members):
        write(here, {"scored/mine.txt": b"mine"})
        write_json_object(path, members)

    monkeypatch.setattr(scoring, "write_json_object", a_person_saves_a_file)
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new") == 2
    assert tree(here / "scored") == {"mine.txt": b"mine"}
    assert f"{here}/scored is not empty and holds no earlier result" in capsys.readouterr().err


def test_an_output_that_would_swallow_its_input_is_refused(here, ready, capsys):
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new") == 0
    before = tree(here / "scored")
    assert ready(classify, "scored/pictures") == 2
    assert "lies inside the output folder" in capsys.readouterr().err
    assert ready(classify, ".", output="../elsewhere") == 2
    assert (
        f"the output folder {here}/output lies inside the input folder {here}; name another one"
        in capsys.readouterr().err
    )
    assert tree(here / "scored") == before


def test_an_output_folder_that_is_a_link_stays_one(here, ready):
    write(here, {"new/a.png": png(0)})
    (here / "disk" / "scored").mkdir(parents=True)
    (here / "scored").symlink_to(here / "disk" / "scored")
    for _ in range(2):
        assert ready(classify, "new") == 0
    assert (here / "scored").is_symlink()
    assert sorted(os.listdir("disk/scored")) == [
        ".result.json",
        "index.html",
        "output.json",
        *MODELS,
        "pictures",
    ]


def test_a_failed_run_leaves_neither_a_result_nor_rows(here, ready, monkeypatch):
    write(here, {"new/a.png": png(0)})

    def fail(*_):
        raise RuntimeError("power cut")

    monkeypatch.setattr("cache.results.scoring.write_json_object", fail)
    with pytest.raises(RuntimeError):
        ready(classify, "new")
    assert not (here / "scored").exists()
    assert [name for name in os.listdir(".") if name.startswith(".")] == []
    assert rows("output/stage3.db", "SELECT count(*) FROM stage3") == [(0,)]


def test_a_picture_that_vanishes_before_it_is_placed_costs_only_itself(here, ready, monkeypatch):
    from cache.results.result_folder import ResultFolder

    place = ResultFolder.place

    def vanish_first(self, pictures, scores):
        os.unlink("new/b.png")
        return place(self, pictures, scores)

    monkeypatch.setattr(ResultFolder, "place", vanish_first)
    write(here, {f"new/{name}.png": png(seed) for seed, name in enumerate("abc")})
    assert ready(classify, "new", "--strict") == 3
    assert sorted(os.listdir("scored/pictures")) == ["a.png", "c.png"]
    assert rows("output/stage3.db", "SELECT DISTINCT file_path FROM stage3") == [
        ("new/a.png",),
        ("new/c.png",),
    ]
    assert rows("output/stage3.db", "SELECT * FROM skipped") == [
        ("new/b.png", "unreadable", "No such file or directory")
    ]
