"""Stages 3 and 4: scores and decisions of folders, pictures and ZIPs: output.json, CSV and tables."""
import csv
import json
import os
from pathlib import Path

import pytest

from cache.models.score_bins import bin_name, bin_number
from cache.stores.score_table import ScoreTable, Stage3Table, Stage4Table, ZipScoreTable
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import hash_of, rows
from tests.drawing import png, tree, write, zipped
from tests.html_tree import read_page
from tests.stages_3_and_4.scoring import MODELS, expected_scores, set_thresholds


def score_rows(path: str, table: type[ScoreTable]) -> list[tuple]:
    """Without their checksums."""
    return rows(path, f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY rowid")


def test_a_folder_is_scored_placed_and_remembered(here, ready, capsys):
    write(
        here,
        {
            "new/known cat.png": png(0),
            "new/deep/known dog.png": png(100, "dogs"),
            "new/cat again.png": png(0),
            "new/no.txt": b"no",
        },
    )
    before = tree(here / "new")
    assert ready(classify, "new") == 0
    assert tree(here / "new") == before
    out, err = capsys.readouterr()
    assert out.endswith(
        "scored under 4 models\nwrote scored\nwrote scored/index.html\nwrote ./output/stage3.db\n"
        "skipped: 1 not_an_image\nprocessed 3, unchanged 0, skipped 1\n"
    )
    assert "skipped new/no.txt: not_an_image\n" in err
    assert "loading the encoder" not in err

    cat, dog = hash_of(0), hash_of(100, "dogs")
    scores = expected_scores((0, "cats"), (100, "dogs"))
    output = json.loads((here / "scored/output.json").read_text())
    outputs = {
        hash_id: [
            {"model_type": model_type, "tag_name": tag, "tag_prob": pytest.approx(score, abs=1e-9)}
            for (model_type, tag), score in scores[hash_id].items()
        ]
        for hash_id in scores
    }
    assert output == {
        cat: {
            "hash_id": cat,
            "file_path": "new/cat again.png",
            "file_paths": ["new/known cat.png"],
            "classifiers_output": outputs[cat],
        },
        dog: {"hash_id": dog, "file_path": "new/deep/known dog.png", "classifiers_output": outputs[dog]},
    }
    files = [
        ("cat again.png", "new/cat again.png", cat),
        ("known dog.png", "new/deep/known dog.png", dog),
        ("known cat.png", "new/known cat.png", cat),
    ]
    assert score_rows("output/stage3.db", Stage3Table) == [
        (name, path, "png", hash_id, model_type, tag, pytest.approx(score, abs=1e-9), None, str(here / path))
        for name, path, hash_id in files
        for (model_type, tag), score in scores[hash_id].items()
    ]
    assert rows("output/stage3.db", "SELECT * FROM skipped") == [("new/no.txt", "not_an_image", "")]

    placed = {name: data for name, data in tree(here / "scored").items() if name.startswith("ovr-")}
    assert placed == {
        f"{model_type}/{tag}/{bin_name(bin_number(score, 10), 10)}/{name}": Path(path).read_bytes()
        for name, path, hash_id in files
        for (model_type, tag), score in scores[hash_id].items()
    }
    assert sorted(os.listdir("scored")) == [".result.json", "index.html", "output.json", *MODELS, "pictures"]
    assert {
        name: (here / "scored/pictures" / name).stat().st_nlink for name in os.listdir("scored/pictures")
    } == {"cat again.png": 5, "known cat.png": 5, "known dog.png": 5}


def test_models_with_thresholds_decide_and_the_others_only_score(here, ready):
    set_thresholds({"yes_from": 0.5, "no_below": 0.5, "precision": 0.9}, "ovr-svm")
    pictures = {"cat.png": png(0), "dog.png": png(100, "dogs")}
    write(here, {**{f"new/{name}": data for name, data in pictures.items()}, "new.zip": zipped(pictures)})
    assert (ready(classify, "new", "--place", "none"), ready(classify_zip, "new.zip")) == (0, 0)
    scores = expected_scores((0, "cats"), (100, "dogs"))
    decisions = {
        (hash_id, *model): ("yes" if score >= 0.5 else "no") if model[0] == "ovr-svm" else None
        for hash_id in scores
        for model, score in scores[hash_id].items()
    }
    assert set(decisions.values()) == {"yes", "no", None}
    for database in ("stage3.db", "stage4.db", "zip_score_cache.sqlite"):
        table = database.split(".")[0]
        query = f"SELECT hash_id, model_type, tag_name, decision FROM {table} WHERE hash_id IS NOT NULL"
        assert {row[:3]: row[3] for row in rows(f"output/{database}", query)} == decisions
    for record in json.loads((here / "scored/output.json").read_text()).values():
        for output in record["classifiers_output"]:
            decision = decisions[record["hash_id"], output["model_type"], output["tag_name"]]
            assert output == {
                "model_type": output["model_type"],
                "tag_name": output["tag_name"],
                "tag_prob": output["tag_prob"],
                **({"decision": decision} if decision else {}),
            }


def test_scores_as_csv_are_the_rows_of_the_table_without_those_of_archives(here, ready, capsys):
    set_thresholds({"yes_from": 0.5, "no_below": 0.5}, "ovr-svm")
    write(
        here,
        {
            'zips/a, "b"\n.zip': zipped(
                {"Katze ü.png": png(0), "in.zip": zipped({"dog.png": png(100, "dogs")})}
            )
        },
    )
    assert ready(classify_zip, "zips", "--csv") == 0
    assert (
        "wrote scored/index.html\nwrote scored/scores.csv\nwrote ./output/stage4.db\n"
        in capsys.readouterr().out
    )
    with open("scored/scores.csv", encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["file_path", "hash_id", "model_type", "tag_name", "tag_prob", "decision"]
    table = rows(
        "output/stage4.db",
        f"SELECT {', '.join(header)} FROM stage4 WHERE model_type IS NOT NULL ORDER BY rowid",
    )
    assert [(*line[:4], float(line[4]), line[5]) for line in lines] == [
        (*row[:5], row[5] or "") for row in table
    ]
    assert (len(lines), {line[5] for line in lines}) == (2 * 4, {"yes", "no", ""})


def test_a_name_that_a_spreadsheet_would_run_is_text_in_the_csv(here, ready):
    write(here, {"=1+1/a.png": png(0)})
    assert ready(classify, "=1+1", "--csv") == 0
    _, *lines = (here / "scored/scores.csv").read_text().splitlines()
    assert {line.split(",")[0] for line in lines} == {"'=1+1/a.png"}
    assert rows("output/stage3.db", "SELECT DISTINCT file_path FROM stage3") == [("=1+1/a.png",)]


def test_one_picture_one_model_and_a_clip_cache_as_metadata(here, ready, capsys):
    write(here, {"one.png": png(0)})
    model = classify.generate_model_path("output/models", "ovr-svm", "cats")
    assert (
        ready(
            classify,
            "one.png",
            "--model",
            model,
            "--metadata_json",
            "output/clip_cache.sqlite",
            "--output_bins",
            "4",
        )
        == 0
    )
    assert "scored under 1 model\n" in capsys.readouterr().out
    score = expected_scores((0, "cats"))[hash_of(0)]["ovr-svm", "cats"]
    assert sorted(tree(here / "scored")) == [
        ".result.json",
        "index.html",
        "output.json",
        f"ovr-svm/cats/{bin_name(bin_number(score, 4), 4)}/one.png",
        "pictures/one.png",
    ]


def test_zips_are_scored_to_any_depth_with_a_row_for_each_archive(here, ready):
    inner = zipped({"deep/dog.png": png(100, "dogs")})
    write(
        here,
        {
            "zips/a.zip": zipped({"cat.png": png(0), "in.zip": inner, "b.txt": b"text"}),
            "zips/loose.png": png(1),
        },
    )
    before = tree(here / "zips")
    assert ready(classify_zip, "zips") == 0
    assert tree(here / "zips") == before
    scores = expected_scores((0, "cats"), (100, "dogs"))

    def of(name: str, path: str, archive: str, hash_id: str) -> list[tuple]:
        return [
            (
                name,
                path,
                archive,
                "png",
                None,
                hash_id,
                model_type,
                tag,
                pytest.approx(score, abs=1e-9),
                None,
                str(here / path),
            )
            for (model_type, tag), score in scores[hash_id].items()
        ]

    expected = [
        *of("cat.png", "zips/a.zip/cat.png", "zips/a.zip", hash_of(0)),
        *of("dog.png", "zips/a.zip/in.zip/deep/dog.png", "zips/a.zip/in.zip", hash_of(100, "dogs")),
        (
            "in.zip",
            "zips/a.zip/in.zip",
            "zips/a.zip",
            "zip",
            1,
            None,
            None,
            None,
            None,
            None,
            str(here / "zips/a.zip/in.zip"),
        ),
        ("a.zip", "zips/a.zip", None, "zip", 1, None, None, None, None, None, str(here / "zips/a.zip")),
    ]
    assert score_rows("output/stage4.db", Stage4Table) == expected
    assert score_rows("output/zip_score_cache.sqlite", ZipScoreTable) == expected
    assert rows("output/stage4.db", "SELECT file_path, reason FROM skipped") == [
        ("zips/a.zip/b.txt", "not_an_image"),
        ("zips/loose.png", "not_in_archive"),
    ]
    assert sorted(os.listdir("scored/pictures")) == ["cat.png", "dog.png"]
    assert (here / "scored/pictures/dog.png").read_bytes() == png(100, "dogs")
    ready(classify_zip, "zips")
    assert rows("output/stage4.db", "SELECT count(*) FROM stage4") == [(len(expected),)]


def test_a_deleted_card_and_a_deleted_tag_are_named_wherever_the_run_is_told_of(here, ready, capsys):
    write(here, {"new/a.png": png(0)})
    set_thresholds({"yes_from": 0.0, "no_below": None})
    os.remove("output/models/model-ovr-svm-tag-cats.json")
    tag_list = Path("output/input-tag-to-image-hash-list.json")
    tag_list.write_text(json.dumps({"cats": json.loads(tag_list.read_text())["cats"]}))
    advice = "scored all the same; delete them if they are not wanted"
    notes = [
        "models without a card (decision is empty; train again): cats (ovr-svm)",
        "trained before strangers were tried: yes keeps its promise only while every new picture carries one "
        "of the tags; train again",
        f"models of tags that ./{tag_list} does not have ({advice}): dogs",
    ]
    capsys.readouterr()
    assert ready(classify, "new") == 0
    assert capsys.readouterr().err.splitlines() == notes
    assert [line.text for line in read_page("scored/index.html").all("p", "note")][1:4] == notes
    assert classify.main("new", "again")["notes"] == notes
    decisions = rows("output/stage3.db", "SELECT model_type, tag_name, decision FROM stage3")
    assert sorted(decisions, key=str) == [
        ("ovr-logistic-regression", "cats", "yes"), ("ovr-logistic-regression", "dogs", "yes"),
        ("ovr-svm", "cats", None), ("ovr-svm", "dogs", "yes"),
    ]
