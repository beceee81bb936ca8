"""The doctor examines what is ours: metadata, models, results and what runs leave; and changes nothing."""
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from cache.__main__ import main as compare
from cache.doctor.own_files import OwnFiles
from cache.files.json_file import write_json_object
from cache.models.bundle_writer import BundleWriter
from cache.models.tag_models import save_model
from cache.reader.image_source import images
from cache.reader.source_file import SetAside
from cache.stores.clip_table import ClipTable
from tests.cache.doctor.clip_caches import vectors
from tests.cache.doctor.reported import findings_of, report
from tests.cache.models.test_bundle import machine
from tests.drawing import png, write

ENCODER = {"model": "tiny", "pretrained": "w"}


def metadata(path: str, width: int = 16) -> str:
    hash_id = "0" * 128
    vector = np.ones(width, np.float32)
    write_json_object(path, [(hash_id, {"hash_id": hash_id, **ENCODER, "embeddings_vector": vector})])
    return path


def model(folder: str, encoder: str = "tiny:w", width: int = 16, **facts: dict) -> str:
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression().fit(np.eye(2, width), [0, 1])
    return save_model(folder, "ovr-logistic-regression", "cats", estimator, {"model": encoder, **facts}).path


def test_what_the_stages_wrote_is_whole(trained, capsys):
    from stage3.classify import command as classify

    assert classify(["--directory", "photos", "--output", "./output/scored", "--csv"]) == 0
    assert compare(["compare", "output/scored", "output/scored", "--csv", "./output/none changed.csv"]) == 0
    capsys.readouterr()
    assert findings_of(capsys, "output") == [{"kind": "results", "path": "output/scored", "detail": ""}]
    assert report(capsys, "output")[1].splitlines()[0] == "6 databases, 1 metadata JSON, 4 models"
    assert report(capsys, "output/clip_cache.sqlite") == (0, "1 database\n\nno problems, nothing to note\n")
    assert report(capsys, "output/scored")[1].splitlines()[-1].startswith("no problems, ")
    assert report(capsys, "output/scored/pictures")[1].splitlines()[0] == "12 pictures"


@pytest.mark.parametrize(("cached", "mismatch"), [
    pytest.param([("tiny:w", 16)], None, id="the same"),
    pytest.param([("tiny:w", 16), ("other:w", 8)], None, id="one of two"),
    pytest.param([], None, id="an empty cache"),
    pytest.param([("tiny:w", 8)], "tiny:w (8 features)", id="another width"),
    pytest.param([("other:w", 16)], "other:w (16 features)", id="another encoder"),
])
def test_metadata_and_the_clip_cache_beside_it_are_of_one_encoder(here, capsys, cached, mismatch):
    metadata("input-metadata.json")
    ClipTable.create("clip_cache.sqlite")
    for encoder, width in cached:
        vectors("clip_cache.sqlite", encoder, width=width)
    assert findings_of(capsys, ".") == ([] if mismatch is None else [{
        "kind": "mismatch", "path": "./input-metadata.json", "other": "./clip_cache.sqlite",
        "detail": f"has vectors of tiny:w (16 features); ./clip_cache.sqlite has {mismatch}"}])


@pytest.mark.parametrize(("encoder", "width"), [("tiny:w", 8), ("other:w", 16), ("far:away", 16)])
@pytest.mark.parametrize("store", [metadata, vectors])
def test_models_fit_the_vectors_above_them(here, capsys, store, encoder, width):
    vectors("elsewhere/clip_cache.sqlite", "far:away")
    other = store("input-metadata.json" if store is metadata else "clip_cache.sqlite")
    model("models", "tiny:w", 16)
    assert findings_of(capsys, ".") == []
    path = model("models", encoder, width)
    assert findings_of(capsys, ".") == [{
        "kind": "mismatch", "path": f"./{path}", "other": f"./{other}",
        "detail": f"takes vectors of {encoder} ({width} features); ./{other} has tiny:w (16 features)"}]


def test_a_model_without_its_card_fits_by_width(here, capsys):
    metadata("input-metadata.json")
    path = model("models")
    os.unlink(path.removesuffix("pkl") + "json")
    cardless = {"kind": "cardless", "path": f"./{path}", "detail": "decision is empty; train again"}
    assert findings_of(capsys, ".") == [cardless]
    os.unlink(model("models", width=8).removesuffix("pkl") + "json")
    assert [finding["kind"] for finding in findings_of(capsys, ".")] == ["mismatch", "cardless"]


def test_a_bundle_that_is_behind_its_models_costs_time_and_nothing_else(here, capsys):
    path = model("models")
    BundleWriter("models").write()
    assert findings_of(capsys, ".") == []
    model("models", counts={"tag_train": 3})  # the card is no part of it
    assert findings_of(capsys, ".") == []
    model("models", width=8)
    assert findings_of(capsys, ".") == [{
        "kind": "slow", "path": "./models/model-bundle.safetensors", "changed": 1, "lacking": 0,
        "detail": "1 model changed since; loading takes longer, and the next training writes it anew"}]
    later = shutil.copy(path, "models/model-ovr-svm-tag-later.pkl")
    shutil.copy(path.replace(".pkl", ".json"), later.replace(".pkl", ".json"))
    write(here, {"elsewhere/model-ovr-svm-tag-cats.pkl": Path(path).read_bytes()})
    [finding] = [finding for finding in findings_of(capsys, ".") if finding["kind"] == "slow"]
    assert (finding["changed"], finding["lacking"], finding["detail"].partition(";")[0]) == (
        1, 1, "1 model changed since, 1 model not in it")
    os.remove(path)
    os.remove(later)
    assert [finding for finding in findings_of(capsys, ".") if finding["kind"] == "slow"] == []


def test_a_model_that_no_bundle_takes_is_not_missed_in_it(here, capsys):
    os.makedirs("models")
    BundleWriter("models").write()
    save_model("models", "ovr-svm", "cats", machine(kernel="poly"), {"model": "tiny:w"})
    assert findings_of(capsys, ".") == []


def test_models_whose_tag_the_dataset_no_longer_has_are_noted(here, capsys):
    """Those near the list, and not those that were learnt from a text."""
    path = model("output/models")
    model("elsewhere/models")
    write(here, {"output/input-tag-to-image-hash-list.json": b'{"dogs": []}',
                 "elsewhere/input-image-hash-to-tag-list.json": b'{"0": ["cats"]}'})  # no list of tags
    assert findings_of(capsys, ".") == [{
        "kind": "gone", "path": f"./{path}", "tag": "cats",
        "other": "./output/input-tag-to-image-hash-list.json",
        "detail": "cats is not in ./output/input-tag-to-image-hash-list.json"}]
    model("output/models", counts={"tag_train": 0})
    assert findings_of(capsys, ".") == []


def test_a_model_that_could_run_code_is_refused_unread(here, capsys):
    path = "model-ovr-svm-tag-cats.pkl"
    write(here / "models", {path: b"\x80\x04cposix\nsystem\n(S'touch harm'\ntR."})
    assert findings_of(capsys, "models") == [{
        "kind": "damaged", "path": f"models/{path}",
        "detail": "names posix.system, which no model needs; "
                  "--trust-pickle loads it if you know who made it"}]


def test_broken_metadata_and_tag_lists_are_problems_and_other_json_is_none(here, capsys):
    whole = (here / metadata("photos-metadata.json")).read_bytes()
    write(here, {
        "photos-metadata.json": whole[:-2],
        "input-tag-to-image-hash-list.json": b'{"cats": 1}',
        "theirs.json": b'{"cats": 1}',
    })
    assert findings_of(capsys, ".") == [
        {"kind": "damaged", "path": "./input-tag-to-image-hash-list.json",
         "detail": "is not a tag list of stage 1: it should read {tag: [hash_id, ...]}"},
        {"kind": "damaged", "path": "./photos-metadata.json",
         "detail": "ends in the middle; run stage 1 again"},
        {"kind": "other_file", "path": "./theirs.json", "detail": ""},
    ]


def test_what_runs_leave_behind_is_noted_once_and_not_taken_for_pictures(here, capsys):
    write(here / "output", {
        ".partial-abcd_123": b"half",
        ".scored.partial-0123abcd/pictures/1.png": png(1),
        ".scored.partial-0123abcd/pictures/2.png": png(1),
        ".scored.partial-0123abcd.lock": b"",
        ".run.lock": b"",
        ".hidden": b"x",
    })
    assert findings_of(capsys, "output") == [
        {"kind": "leftover", "path": "output/.partial-abcd_123", "detail": ""},
        {"kind": "leftover", "path": "output/.scored.partial-0123abcd", "detail": ""},
        {"kind": "leftover", "path": "output/.scored.partial-0123abcd.lock", "detail": ""},
        {"kind": "hidden", "path": "output/.hidden", "detail": ""},
    ]


def test_what_has_gone_since_it_was_told_from_a_picture_is_no_finding(here):
    write(here / "photos", {"kept/1.png": png(1)})
    [picture] = images("photos")
    assert OwnFiles("photos").examine(SetAside(picture.file, "unread")) == []


def test_a_picture_is_a_picture_even_under_the_name_of_a_database(here, capsys):
    names = ["1.sqlite", "model-x-tag-y.pkl", "3.png-wal", "3.png"]
    write(here / "photos", {f"cats/{name}": png(number) for number, name in enumerate(names)})
    assert report(capsys, "photos") == (0, "4 pictures\n\nno problems, nothing to note\n")
