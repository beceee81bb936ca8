"""Stages 3 and 4: scores, bins, output.json and the tables, for folders, single pictures and ZIPs."""
import csv
import json
import os
import re
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cache.encoders.clip_encoder import ClipEncoder
from cache.models.score_bins import bin_name, bin_number
from cache.models.tag_models import load_models
from cache.models.tag_scores import ModelSet
from cache.reader.batches import Counts
from cache.results.disk_room import CSV_BYTES, LINK_BYTES, ROW_BYTES, SORTING_BYTES, TEXT_BYTES
from cache.results.result_folder import reserve_default_output
from cache.results.scoring import score_source
from cache.results.settings import ScoreSettings
from cache.stores.clip_table import ClipTable
from cache.stores.metadata import read_metadata
from cache.stores.score_table import Stage3Table
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import hash_of, rows
from tests.drawing import drawn, encoded, png, tree, write, zipped

METADATA = "./output/input-metadata.json"
MODELS = ["ovr-logistic-regression", "ovr-svm"]


def set_thresholds(limits: dict | None, model_type: str = "*") -> None:
    """On the cards of the models of one type, or of all."""
    for path in Path("output/models").glob(f"model-{model_type}-tag-*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "thresholds": limits}))


@pytest.fixture
def ready(here, trained, tiny):
    """Trained models without thresholds, and the encoder at hand for pictures without a vector."""
    set_thresholds(None)

    def run(stage, source, *flags: str, output="scored", encoder=True) -> int:
        weights = ["--pretrained", tiny["pretrained"]] if encoder else []
        return stage.command(["--directory", source, "--output", output, "--num_threads", "2", *weights, *flags])

    return run


def expected_scores(*seeds_and_kinds: tuple[int, str]) -> dict[str, dict[tuple[str, str], float]]:
    """hash_id -> {(model type, tag): probability}, computed from the metadata of known pictures."""
    metadata = read_metadata(METADATA)
    models, _ = load_models("./output/models", metadata.key, metadata.width)
    hashes = [hash_of(*each) for each in seeds_and_kinds]
    scores = ModelSet([model.estimator for model in models]).score(np.stack([metadata.vector(hash_id) for hash_id in hashes]))
    return {hash_id: {(model.model_type, model.tag_name): float(score) for model, score in zip(models, row, strict=True)}
            for hash_id, row in zip(hashes, scores, strict=True)}


def test_a_folder_is_scored_placed_and_remembered(here, ready, capsys):
    write(here, {"new/known cat.png": png(0), "new/deep/known dog.png": png(100, "dogs"), "new/cat again.png": png(0), "new/no.txt": b"no"})
    before = tree(here / "new")
    assert ready(classify, "new") == 0
    assert tree(here / "new") == before
    out, err = capsys.readouterr()
    assert out.endswith("scored under 4 models\nwrote scored\nwrote scored/index.html\nwrote ./output/stage3.db\n"
                        "processed 3, unchanged 0, skipped 1\n")
    assert "skipped new/no.txt: not_an_image\n" in err
    assert "loading the encoder" not in err

    cat, dog = hash_of(0), hash_of(100, "dogs")
    scores = expected_scores((0, "cats"), (100, "dogs"))
    output = json.loads((here / "scored/output.json").read_text())
    outputs = {hash_id: [{"model_type": model_type, "tag_name": tag, "tag_prob": pytest.approx(score, abs=1e-9)}
                         for (model_type, tag), score in scores[hash_id].items()] for hash_id in scores}
    assert output == {
        cat: {"hash_id": cat, "file_path": "new/cat again.png", "file_paths": ["new/known cat.png"], "classifiers_output": outputs[cat]},
        dog: {"hash_id": dog, "file_path": "new/deep/known dog.png", "classifiers_output": outputs[dog]},
    }
    files = [("cat again.png", "new/cat again.png", cat), ("known dog.png", "new/deep/known dog.png", dog),
             ("known cat.png", "new/known cat.png", cat)]
    assert rows("output/stage3.db", "SELECT * FROM stage3 ORDER BY rowid") == [
        (name, path, "png", hash_id, model_type, tag, pytest.approx(score, abs=1e-9), None, str(here / path))
        for name, path, hash_id in files for (model_type, tag), score in scores[hash_id].items()]
    assert rows("output/stage3.db", "SELECT * FROM skipped") == [("new/no.txt", "not_an_image", "")]

    placed = {name: data for name, data in tree(here / "scored").items() if name.startswith("ovr-")}
    assert placed == {
        f"{model_type}/{tag}/{bin_name(bin_number(score, 10), 10)}/{name}": Path(path).read_bytes()
        for name, path, hash_id in files for (model_type, tag), score in scores[hash_id].items()}
    assert sorted(os.listdir("scored")) == [".result.json", "index.html", "output.json", *MODELS, "pictures"]
    assert {name: (here / "scored/pictures" / name).stat().st_nlink for name in os.listdir("scored/pictures")} == {
        "cat again.png": 5, "known cat.png": 5, "known dog.png": 5}


def test_models_with_thresholds_decide_and_the_others_only_score(here, ready):
    set_thresholds({"yes_from": 0.5, "no_below": 0.5, "precision": 0.9}, "ovr-svm")
    pictures = {"cat.png": png(0), "dog.png": png(100, "dogs")}
    write(here, {**{f"new/{name}": data for name, data in pictures.items()}, "new.zip": zipped(pictures)})
    assert (ready(classify, "new", "--place", "none"), ready(classify_zip, "new.zip")) == (0, 0)
    scores = expected_scores((0, "cats"), (100, "dogs"))
    decisions = {(hash_id, *model): ("yes" if score >= 0.5 else "no") if model[0] == "ovr-svm" else None
                 for hash_id in scores for model, score in scores[hash_id].items()}
    assert set(decisions.values()) == {"yes", "no", None}
    for database in ("stage3.db", "stage4.db", "zip_score_cache.sqlite"):
        query = f"SELECT hash_id, model_type, tag_name, decision FROM {database.split('.')[0]} WHERE hash_id IS NOT NULL"
        assert {row[:3]: row[3] for row in rows(f"output/{database}", query)} == decisions
    for record in json.loads((here / "scored/output.json").read_text()).values():
        for output in record["classifiers_output"]:
            decision = decisions[record["hash_id"], output["model_type"], output["tag_name"]]
            assert output == {"model_type": output["model_type"], "tag_name": output["tag_name"], "tag_prob": output["tag_prob"],
                              **({"decision": decision} if decision else {})}


def test_scores_as_csv_are_the_rows_of_the_table_without_those_of_archives(here, ready, capsys):
    set_thresholds({"yes_from": 0.5, "no_below": 0.5}, "ovr-svm")
    write(here, {"zips/a, \"b\"\n.zip": zipped({"Katze ü.png": png(0), "in.zip": zipped({"dog.png": png(100, "dogs")})})})
    assert ready(classify_zip, "zips", "--csv") == 0
    assert "wrote scored/index.html\nwrote scored/scores.csv\nwrote ./output/stage4.db\n" in capsys.readouterr().out
    with open("scored/scores.csv", encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["file_path", "hash_id", "model_type", "tag_name", "tag_prob", "decision"]
    table = rows("output/stage4.db", f"SELECT {', '.join(header)} FROM stage4 WHERE model_type IS NOT NULL ORDER BY rowid")
    assert [(*line[:4], float(line[4]), line[5]) for line in lines] == [(*row[:5], row[5] or "") for row in table]
    assert (len(lines), {line[5] for line in lines}) == (2 * 4, {"yes", "no", ""})


def test_an_edited_result_never_reaches_the_original(here, ready):
    write(here, {"new/a.png": png(0)})
    ready(classify, "new")
    [placed] = Path("scored/ovr-svm/cats").rglob("*.png")
    placed.write_bytes(b"edited")
    assert (here / "new/a.png").read_bytes() == png(0)


def test_a_new_picture_is_embedded_once_and_its_vector_kept(here, ready, monkeypatch):
    write(here, {"new/a.png": png(777)})
    assert ready(classify, "new") == 0
    assert rows("output/clip_cache.sqlite", f"SELECT count(*) FROM clip_cache WHERE hash_id = '{hash_of(777)}'") == [(1,)]
    monkeypatch.setattr(ClipEncoder, "encode", None)
    monkeypatch.setattr("cache.decoder.decoder_process.WORKER", ["/bin/false"])
    monkeypatch.setattr("cache.results.result_page.thumbnails", lambda *_: {})  # the only one that still has to decode
    assert ready(classify, "new", encoder=False) == 0


def test_an_unknown_picture_under_a_checkpoint_that_is_not_named_is_refused(here, ready, capsys):
    write(here, {"new/a.png": png(778)})
    assert ready(classify, "new", encoder=False) == 2
    assert "error: the vectors are of a checkpoint known as sha256-" in capsys.readouterr().err
    assert not (here / "scored").exists()
    (here / "other.pt").write_bytes(b"another checkpoint")
    assert ready(classify, "new", "--pretrained", "other.pt", encoder=False) == 2
    assert "error: --pretrained other.pt is sha256-" in capsys.readouterr().err


def test_a_palette_picture_finds_the_vector_that_an_older_tool_stored_under_its_indices(here, ready, monkeypatch):
    from hashlib import blake2b

    picture = drawn(5).quantize()
    content = json.loads(Path(METADATA).read_text())
    record = next(iter(content.values()))
    old_hash = blake2b(picture.tobytes()).hexdigest()
    Path(METADATA).write_text(json.dumps({**content, old_hash: {**record, "hash_id": old_hash}}))
    write(here, {"new/a.png": encoded(picture)})
    monkeypatch.setattr(ClipEncoder, "encode", None)
    assert ready(classify, "new") == 0
    assert list(json.loads((here / "scored/output.json").read_text())) != [old_hash]


def test_one_picture_one_model_and_a_clip_cache_as_metadata(here, ready, capsys):
    write(here, {"one.png": png(0)})
    model = classify.generate_model_path("output/models", "ovr-svm", "cats")
    assert ready(classify, "one.png", "--model", model, "--metadata_json", "output/clip_cache.sqlite", "--output_bins", "4") == 0
    assert "scored under 1 model\n" in capsys.readouterr().out
    score = expected_scores((0, "cats"))[hash_of(0)]["ovr-svm", "cats"]
    assert sorted(tree(here / "scored")) == [
        ".result.json", "index.html", "output.json", f"ovr-svm/cats/{bin_name(bin_number(score, 4), 4)}/one.png", "pictures/one.png"]


def test_scoring_without_placing(here, ready):
    write(here, {"one.png": png(0)})
    assert ready(classify, "one.png", "--place", "none") == 0
    assert sorted(tree(here / "scored")) == [".result.json", "index.html", "output.json"]


def test_results_that_do_not_fit_on_the_disk_are_refused_before_anything_is_scored(here, ready, capsys, monkeypatch):
    write(here, {"new/a.png": png(0), "new/b.png": png(100, "dogs"), "new/film.mkv": bytes(10**6), "new.zip": zipped({"a.png": png(0)})})
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
    usage.free = scores // 2 * 2 * ROW_BYTES
    assert ready(classify_zip, "new.zip", encoder=False) == 2


def test_many_rows_go_into_a_table_before_its_indexes_and_a_few_among_them(here, ready):
    write(here, {f"new/{number}.png": png(number) for number in range(5)})
    statements = []

    class Watched(Stage3Table):
        def replace(self, listing):
            self.connection.set_trace_callback(lambda statement: statements.append(" ".join(statement.split()[:3])))
            super().replace(listing)
            self.connection.set_trace_callback(None)

    watched_stage = replace(classify.STAGE, tables={"stage3.db": Watched})
    for source in ("new", "new", "new/0.png"):
        score_source(watched_stage, ScoreSettings(source, METADATA, place=False), Counts())
    with Stage3Table("output/stage3.db") as table:
        indexes = [name for _, name, *_ in table.connection.execute("PRAGMA index_list(stage3)")]
    assert sorted(indexes) == ["sqlite_autoindex_stage3_1", "stage3_hash_id", "stage3_tag"]
    assert [each for each in statements if "INDEX" in each or each.startswith(("BEGIN", "COMMIT"))] == [
        *2 * ["BEGIN IMMEDIATE", "DROP INDEX IF", "DROP INDEX IF", "CREATE INDEX stage3_hash_id", "CREATE INDEX stage3_tag", "COMMIT"],
        "BEGIN IMMEDIATE", "COMMIT"]
    assert sum(each.startswith("INSERT OR REPLACE") for each in statements) == (5 + 5 + 1) * 4


def test_a_model_type_that_is_called_as_a_part_of_the_result_gets_a_folder_of_its_own(here, ready):
    types = ["pictures", "output.json", "Index.html", "scores.csv"]
    for card, model_type in zip(sorted(Path("output/models").glob("*.json")), types, strict=True):
        card.write_text(json.dumps({**json.loads(card.read_text()), "model_type": model_type}))
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new", "--csv") == 0
    assert sorted(os.listdir("scored")) == sorted([
        ".result.json", "index.html", "output.json", "pictures", "scores.csv", *(f"{model_type}~" for model_type in types)])
    assert os.listdir("scored/pictures") == ["a.png"]


def test_pictures_of_the_same_name_are_all_kept(here, ready):
    write(here, {"new/a/IMG.png": png(0), "new/b/IMG.png": png(1), "new/c/IMG.png": png(2)})
    ready(classify, "new")
    names = sorted(os.listdir("scored/pictures"))
    assert len(names) == 3
    assert all(re.fullmatch(r"IMG(-[0-9a-f]{8})?\.png", name) for name in names)
    assert sorted(Path("scored/pictures", name).read_bytes() for name in names) == sorted(png(seed) for seed in range(3))
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
    assert rows("output/stage3.db", "SELECT DISTINCT file_path FROM stage3") == [("new/a.png",), ("newer/b.png",)]
    write(here, {"scored/notes.txt": b"mine"})
    before = tree(here / "scored")
    capsys.readouterr()
    (here / "scored/notes.txt").rename(here / "scored/ovr-svm/notes.txt")
    assert ready(classify, "newer") == 2
    assert "holds an earlier result and files added since, which would be lost" in capsys.readouterr().err
    (here / "scored/ovr-svm/notes.txt").rename(here / "scored/notes.txt")
    for output, message in {
        "scored": f"error: --output {here}/scored holds an earlier result and notes.txt, which would be lost; name another folder",
        "taken": f"error: --output {here}/taken is not empty and holds no earlier result; name another folder",
        "new/a.png": f"error: --output {here}/new/a.png is a file; name a folder",
        "newer/inside": f"error: the output folder {here}/newer/inside lies inside the input folder {here}/newer; name another one",
    }.items():
        assert ready(classify, "newer", output=output) == 2
        assert capsys.readouterr().err.splitlines()[-1] == message
    assert tree(here / "scored") == before
    assert [path for path in os.listdir(".") if path.startswith(".")] == []


def test_a_newer_score_replaces_the_older_one(here, ready):
    write(here, {"new/a.png": png(0)})
    ready(classify, "new")
    write(here, {"new/a.png": encoded(drawn(101, "dogs"), "BMP")})
    ready(classify, "new")
    assert rows("output/stage3.db", "SELECT DISTINCT file_path, type, count(*) FROM stage3") == [("new/a.png", "bmp", 4)]


def test_a_file_is_one_file_however_the_input_is_spelled(here, ready):
    write(here, {"new/a.png": png(0), "new.zip": zipped({"in.zip": zipped({"a.png": png(0)})})})
    for spelled in ("new", str(here / "new"), "./new"):
        assert ready(classify, spelled) == 0
    assert rows("output/stage3.db", "SELECT file_path, absolute_path, count(*) FROM stage3 GROUP BY 1, 2") == [
        ("./new/a.png", str(here / "new/a.png"), 4)]
    for spelled in (str(here / "new.zip"), "new.zip"):
        assert ready(classify_zip, spelled) == 0
    for database in ("stage4.db", "zip_score_cache.sqlite"):
        query = f"SELECT file_path, absolute_path, count(*) FROM {database.split('.')[0]} GROUP BY 1, 2"
        assert rows(f"output/{database}", query) == [
            ("new.zip", str(here / "new.zip"), 1),
            ("new.zip/in.zip", str(here / "new.zip/in.zip"), 1),
            ("new.zip/in.zip/a.png", str(here / "new.zip/in.zip/a.png"), 4),
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


def test_the_python_call_picks_a_folder_named_by_the_minute(here, trained, monkeypatch):
    write(here, {"new/a.png": png(0)})
    for _ in range(2):
        classify.main(folder_path="new", output_dir=None, json_file_path=METADATA, bins_number=10, model_path="./output/models")
    names = sorted(name for name in os.listdir("output") if name.startswith("tagging_output_"))
    assert len(names) == 2
    assert all(re.fullmatch(r"tagging_output_\d{4}_\d{1,2}_\d{1,2}_\d{1,2}_\d{1,2}(_2)?", name) for name in names)
    moment = datetime(2026, 3, 4, 5, 6)
    assert [reserve_default_output(moment, "x") for _ in range(2)] == [f"x/tagging_output_2026_3_4_5_6{end}" for end in ("", "_2")]
    assert classify.list_models("output/models") == classify_zip.list_models("output/models")


def test_zips_are_scored_to_any_depth_with_a_row_for_each_archive(here, ready):
    inner = zipped({"deep/dog.png": png(100, "dogs")})
    write(here, {"zips/a.zip": zipped({"cat.png": png(0), "in.zip": inner, "b.txt": b"text"}), "zips/loose.png": png(1)})
    before = tree(here / "zips")
    assert ready(classify_zip, "zips") == 0
    assert tree(here / "zips") == before
    scores = expected_scores((0, "cats"), (100, "dogs"))

    def of(name: str, path: str, archive: str, hash_id: str) -> list[tuple]:
        return [(name, path, archive, "png", None, hash_id, model_type, tag, pytest.approx(score, abs=1e-9), None, str(here / path))
                for (model_type, tag), score in scores[hash_id].items()]

    expected = [
        *of("cat.png", "zips/a.zip/cat.png", "zips/a.zip", hash_of(0)),
        *of("dog.png", "zips/a.zip/in.zip/deep/dog.png", "zips/a.zip/in.zip", hash_of(100, "dogs")),
        ("in.zip", "zips/a.zip/in.zip", "zips/a.zip", "zip", 1, None, None, None, None, None, str(here / "zips/a.zip/in.zip")),
        ("a.zip", "zips/a.zip", None, "zip", 1, None, None, None, None, None, str(here / "zips/a.zip")),
    ]
    assert rows("output/stage4.db", "SELECT * FROM stage4 ORDER BY rowid") == expected
    assert rows("output/zip_score_cache.sqlite", "SELECT * FROM zip_score_cache ORDER BY rowid") == expected
    assert rows("output/stage4.db", "SELECT file_path, reason FROM skipped") == [
        ("zips/a.zip/b.txt", "not_an_image"), ("zips/loose.png", "not_in_archive")]
    assert sorted(os.listdir("scored/pictures")) == ["cat.png", "dog.png"]
    assert (here / "scored/pictures/dog.png").read_bytes() == png(100, "dogs")
    ready(classify_zip, "zips")
    assert rows("output/stage4.db", "SELECT count(*) FROM stage4") == [(len(expected),)]


def test_each_stage_sends_the_others_input_to_the_other(here, ready, capsys):
    write(here, {"a.zip": zipped({"cat.png": png(0)}), "cat.png": png(0), "mixed/a.zip": zipped({"b.png": png(1)}), "mixed/c.png": png(2)})
    assert ready(classify, "a.zip") == 2
    assert capsys.readouterr().err == "error: a.zip is a ZIP; stage 4 scores those: python ./stage4/classify_zip.py --directory a.zip\n"
    assert ready(classify_zip, "cat.png") == 2
    assert capsys.readouterr().err == (
        "error: cat.png is not a ZIP; stage 3 scores pictures: python ./stage3/classify.py --directory cat.png\n")
    assert ready(classify, "mixed") == 0
    assert rows("output/stage3.db", "SELECT * FROM skipped") == [("mixed/a.zip", "archive", "")]
    assert ready(classify, "mixed", "--strict") == 3


@pytest.mark.parametrize(("stage", "source", "flags", "message"), [
    (classify, "nowhere", [], "no such file or folder: nowhere"),
    (classify, "empty", [], "no readable picture to score in empty (it is empty)"),
    (classify, "junk", [], "no readable picture to score in junk (1 not_an_image)"),
    (classify_zip, "junk", [], "no readable picture to score in junk (1 not_in_archive); stage 3 scores pictures outside ZIPs"),
    (classify, "junk", ["--metadata_json", "nowhere.json"], "cannot read nowhere.json: No such file or directory"),
    (classify, "junk", ["--metadata_json", "junk/a.txt"], "junk/a.txt is not valid JSON"),
    (classify, "junk", ["--model", "empty"], "no usable model in empty; stage 2 makes them"),
    (classify, "junk", ["--model", "nowhere"], "no such model file or folder: nowhere; stage 2 makes one"),
])
def test_what_cannot_be_scored_is_refused_in_one_line(here, ready, capsys, stage, source, flags, message):
    (here / "empty").mkdir()
    write(here, {"junk/a.txt": b"text"})
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


def test_metadata_of_another_model_is_refused(here, ready, capsys):
    shutil.copy(METADATA, "other.json")
    Path("other.json").write_text(Path("other.json").read_text().replace("tiny-test-clip", "ViT-B-32"))
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new", "--metadata_json", "other.json", encoder=False) == 2
    assert "was trained on vectors of tiny-test-clip:sha256-" in capsys.readouterr().err


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
    assert rows("output/stage3.db", "SELECT DISTINCT file_path FROM stage3") == [("new/a.png",), ("new/c.png",)]
    assert rows("output/stage3.db", "SELECT * FROM skipped") == [("new/b.png", "unreadable", "No such file or directory")]


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
    assert f"the output folder {here}/output lies inside the input folder {here}; name another one" in capsys.readouterr().err
    assert tree(here / "scored") == before


def test_an_output_folder_that_is_a_link_stays_one(here, ready):
    write(here, {"new/a.png": png(0)})
    (here / "disk" / "scored").mkdir(parents=True)
    (here / "scored").symlink_to(here / "disk" / "scored")
    for _ in range(2):
        assert ready(classify, "new") == 0
    assert (here / "scored").is_symlink()
    assert sorted(os.listdir("disk/scored")) == [".result.json", "index.html", "output.json", *MODELS, "pictures"]


def test_the_second_of_two_files_for_one_model_is_named_and_left_out(here, ready, capsys):
    write(here, {"new/a.png": png(0)})
    for suffix in (".pkl", ".json"):
        shutil.copy(f"output/models/model-ovr-svm-tag-cats{suffix}", f"output/models/backup{suffix}")
    assert ready(classify, "new") == 0
    assert ("skipped model: ./output/models/model-ovr-svm-tag-cats.pkl is of the same type and tag as ./output/models/backup.pkl\n"
            in capsys.readouterr().err)


@pytest.mark.parametrize(("probability", "bins", "name"), [
    (0.0, 10, "0.1"), (0.1, 10, "0.1"), (0.1 + 1e-12, 10, "0.1"), (0.3, 10, "0.3"), (0.30001, 10, "0.4"), (1.0, 10, "1.0"),
    (0.5, 3, "0.6667"), (0.2, 1, "1.0"), (0.7, 7, "0.7143"), (0.99, 4, "1.0"),
])
def test_a_bin_is_named_by_its_upper_edge(probability, bins, name):
    assert bin_name(bin_number(probability, bins), bins) == name


@pytest.mark.parametrize("marker", [
    "", "{", "[]", "[" * 100_000, '{"entries": 5, "files": 1}', '{"entries": [[1]], "files": 1}', '{"entries": []}'])
def test_a_folder_with_a_marker_that_is_none_of_ours_is_not_replaced(here, ready, capsys, marker):
    write(here, {"new/a.png": png(0), "scored/.result.json": marker.encode(), "scored/mine.txt": b"mine"})
    assert ready(classify, "new", "--output", "scored") == 2
    assert "scored is not empty and holds no earlier result; name another folder" in capsys.readouterr().err
    assert (here / "scored/mine.txt").read_bytes() == b"mine"


@pytest.mark.parametrize("bins", [1, 3, 7, 10])
def test_the_bins_of_a_table_are_those_of_the_folders_also_at_their_edges(here, bins):
    probabilities = [min(1.0, max(0.0, edge / bins + step)) for edge in range(bins + 1) for step in (-2e-9, -2e-10, 0, 1e-11, 2e-10, 2e-9)]
    with Stage3Table("stage3.db", create=True) as table:
        with table.connection:
            table.connection.executemany(
                "INSERT INTO stage3 VALUES ('', '', '', '', 'svm', 'cats', ?2, NULL, ?1)", enumerate(probabilities))
        counted = {found["name"]: found["total"] for found in table.bins("cats", "svm", bins)}
    names = [bin_name(bin_number(probability, bins), bins) for probability in probabilities]
    assert counted == {name: names.count(name) for name in counted}


def test_a_stage_that_knows_all_vectors_never_imports_torch(here, trained):
    from tests.conftest import ROOT, run_python

    write(here, {"new/a.png": png(0)})
    code = "import sys\nfrom stage3.classify import main\nmain('new', 'scored')\nprint('torch' in sys.modules)"
    assert run_python("-c", code, cwd=here, PYTHONPATH=str(ROOT)).stdout.splitlines()[-1] == "False"


def test_a_clip_cache_that_is_cleared_meanwhile_ends_the_run_in_one_line(here, ready, monkeypatch, capsys):
    write(here, {"new/a.png": png(0), "new/b.png": png(910)})
    monkeypatch.setattr(ClipTable, "add", lambda *arguments: None)  # as if it were cleared behind every batch
    assert ready(classify, "new", "--output", "scored") == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: vectors have gone from the clip cache; the same command makes them anew")
    assert not os.path.exists("scored")
