"""A run of stage 2: what it writes, prints and refuses, and that the same input gives the same files."""
import io
import json
import os
import re
import shutil
import sys
from functools import partial
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest

from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, list_models, load_model
from cache.progress import PATIENCE
from cache.refusal import Refused
from stage2 import train
from stage2.report import pictures, reports
from stage2.train import command, main
from tests.bundles import without_stamps
from tests.drawing import tree
from tests.stage2.datasets import LOW_AND_HIGH, dataset


def test_both_classifiers_of_every_tag_are_written_with_card_and_report(trained):
    types = (LOGISTIC_REGRESSION, SVM)
    names = [f"{model_type}-tag-{tag}" for model_type in types for tag in ("cats", "dogs")]
    assert list_models(trained) == [f"./output/models/model-{name}.pkl" for name in names]
    assert sorted(os.listdir("output/reports")) == [
        "index.html", "label-audit.json", "label-check.json", *(f"model-report-{name}.txt" for name in names)]
    card = json.loads(open_text("output/models/model-ovr-svm-tag-cats.json"))
    assert list(card) == [
        "model_type", "tag_name", "model", "width", "preprocessing", "counts", "learnt_from", "base_rate",
        "metrics", "cross_validation", "among_strangers", "calibration", "thresholds", "training_list",
        "versions", "created", "sha256"]
    assert list(card["cross_validation"]) == ["average_precision", "roc_auc", "f1", "calibration_error"]
    assert (card["base_rate"], card["thresholds"]) == (0.5, None)
    assert card["counts"] == {"tag_train": 5, "tag_test": 1, "other_train": 5, "other_test": 1}
    assert card["learnt_from"] == {"tag": 6, "other": 6}
    assert (card["width"], card["metrics"]["accuracy"]) == (16, 1.0)
    assert set(card["versions"]) == {"image-tagging-tools", "joblib", "numpy", "scikit-learn"}


def open_text(path: str) -> str:
    with open(path) as file:
        return file.read()


def test_the_python_call_gives_the_figures_of_both_worlds_that_are_on_the_cards(here):
    tens = {f"from {start}": list(range(start, start + 10)) for start in range(0, 40, 10)}
    for model_type, by_tag in main(*dataset(tens), test_per=0).items():
        for tag, figures in by_tag.items():
            card = json.loads(Path(f"output/models/model-{model_type}-tag-{tag}.json").read_text())
            for name, on_card in (("out_of_fold", "cross_validation"), ("among_strangers",) * 2):
                assert figures[name] == {metric: of["value"] for metric, of in card[on_card].items()}
            assert 0 < figures["among_strangers"]["average_precision"] <= 1


def test_class_0_is_the_tag(here):
    main(*dataset())
    low, high = np.zeros((2, 1, 6))
    high[0, 0] = 100
    for model_type in (LOGISTIC_REGRESSION, SVM):
        estimator = load_model(f"output/models/model-{model_type}-tag-low.pkl").estimator
        assert estimator.classes_.tolist() == [0, 1]
        assert estimator.predict_proba(low)[0, 0] > 0.5 > estimator.predict_proba(high)[0, 0]


def test_the_same_input_gives_the_same_files_but_for_the_time_in_the_cards(trained, here):
    first = tree(here / "output")
    for folder in ("models", "reports"):
        shutil.rmtree(here / "output" / folder)
    main("./output/input-metadata.json", "./output/input-tag-to-image-hash-list.json", test_per=0.2)
    second = tree(here / "output")
    assert first.keys() == second.keys()
    for name in first:
        if name.endswith(".json") and name.startswith("models"):
            before, after = json.loads(first[name]), json.loads(second[name])
            assert before.pop("created") <= after.pop("created")
            assert before == after
        elif name.endswith(".safetensors"):
            common = without_stamps(here / "output" / name)
            assert first[name][:len(common)] == common
        elif not name.endswith((".sqlite", ".db")):
            assert first[name] == second[name], name


def test_a_clip_cache_gives_the_same_models_as_the_metadata(trained, here):
    main("./output/clip_cache.sqlite", "./output/input-tag-to-image-hash-list.json", "again", 0.2)
    assert tree(here / "again" / "reports") == tree(here / "output" / "reports")


def test_vectors_of_images_without_a_tag_change_nothing(here):
    metadata, tags = dataset()
    main(metadata, tags, "first")
    record = {"model": "M", "pretrained": "p", "embeddings_vector": [1e30] * 6}
    add_line(metadata, f'"outlier": {json.dumps(record)}')
    main(metadata, tags, "second")
    assert tree(here / "second" / "reports") == tree(here / "first" / "reports")


def test_a_picture_listed_twice_in_the_metadata_counts_once(here):
    metadata, tags = dataset()
    add_line(metadata, open_text(metadata).splitlines()[1].rstrip(","))
    assert main(metadata, tags)[SVM]["low"]["tag_train"] == 18


def add_line(path: str, line: str) -> None:
    """One more member of the JSON object."""
    *first, last, end = open_text(path).splitlines()
    Path(path).write_text("\n".join([*first, f"{last},", line, end]) + "\n")


def test_a_tag_without_a_vector_is_skipped_and_named(here, capsys):
    results = main(*dataset({**LOW_AND_HIGH, "gone": [99], "all": list(range(40))}))
    assert capsys.readouterr().err == (
        "1 image of tags.json has no vector in metadata.json\n"
        "skipped tag all: no image without it that has a vector\n"
        "skipped tag gone: no image with a vector\n")
    assert list(results[SVM]) == ["high", "low"]


@pytest.mark.parametrize(("tags", "message"), [
    ({"only": list(range(10))},
     "no negatives: every image carries every tag; add a second tag, or a folder other-training"),
    ({"one": [90], "two": [91]},
     "no image of tags.json has a vector in metadata.json: these two files are not of one dataset"),
    ({"a": [90, 91], "b": [92, 93]},
     "no image of tags.json has a vector in metadata.json: these two files are not of one dataset"),
    ({},
     "no tag of tags.json has an image with a vector in metadata.json"),
])
def test_what_cannot_be_learnt_is_refused(here, tags, message):
    with pytest.raises(Refused) as caught:
        main(*dataset(tags))
    assert str(caught.value) == message
    assert not (here / "output").exists()


def test_a_path_stands_in_a_message_as_it_is_called(here, capsys):
    """Also one that reads like a part of the sentence."""
    metadata, tags = dataset({"a": [*range(10), 90], "b": list(range(20, 40)), "c": [90]})
    (here / "we have no doubt").mkdir()
    tags = shutil.move(tags, "we have no doubt/tags.json")
    main(metadata, tags)
    assert capsys.readouterr().err == (
        "1 image of we have no doubt/tags.json has no vector in metadata.json\n"
        "skipped tag c: no image with a vector\n")
    Path(tags).write_text('{"a": ["h90"], "b": ["h91"]}')
    with pytest.raises(Refused) as caught:
        main(metadata, tags)
    assert str(caught.value) == (
        "no image of we have no doubt/tags.json has a vector in metadata.json: "
        "these two files are not of one dataset")


def test_two_spellings_of_a_tag_in_an_older_list_are_one_tag(here):
    composed, taken_apart = (normalize(form, "Vögel") for form in ("NFC", "NFD"))
    whole = main(*dataset({composed: list(range(20)), "others": list(range(20, 40))}), output_dir="whole")
    halves = {taken_apart: list(range(12)), "others": list(range(20, 40)), composed: list(range(10, 20))}
    assert main(*dataset(halves), output_dir="halves") == whole
    models = sorted(os.listdir("halves/models"))
    assert models == sorted(os.listdir("whole/models"))
    assert f"model-ovr-svm-tag-{composed}.pkl" in models
    assert [name for name in models if taken_apart in name] == []


def test_images_without_a_vector_are_counted(here, capsys):
    metadata, tags = dataset({"a": [*range(10), 90, 91], "b": list(range(20, 40))})
    main(metadata, tags)
    assert "2 images of tags.json have no vector in metadata.json\n" in capsys.readouterr().err


def test_models_left_by_an_earlier_run_are_named(here, capsys):
    main(*dataset({"old": list(range(20)), "kept": list(range(20, 40))}))
    capsys.readouterr()
    main(*dataset({"new": list(range(20)), "kept": list(range(20, 40))}))
    regression, svm = (f"./output/models/model-{name}-tag-old.pkl" for name in (LOGISTIC_REGRESSION, SVM))
    assert capsys.readouterr().err == (
        f"still there from an earlier run: {regression}; delete it if its tag is gone\n"
        f"still there from an earlier run: {svm}; delete it if its tag is gone\n")
    main(*dataset({"newest": list(range(20)), "kept": list(range(20, 40))}))
    first, second, third, more = capsys.readouterr().err.splitlines()
    assert [first.split("-tag-")[1], second.split("-tag-")[1], third.split("-tag-")[1], more] == [
        *(f"{tag}.pkl; delete it if its tag is gone" for tag in ("new", "old", "new")),
        "... and 1 more model from earlier runs"]


def test_the_command_line_shows_how_good_each_model_is_on_unseen_images(here, capsys):
    metadata, tags = dataset({**LOW_AND_HIGH, "one": [3]})
    assert command(["--metadata-json", metadata, "--tag_to_hash_json", tags, "--test_per", "0.2"]) == 0
    assert capsys.readouterr().out == (
        "                        average precision on unseen images (95 % interval)\n"
        "tag   images base rate  ovr-logistic-regression  ovr-svm\n"
        "high      16    0.5000  1.000 (0.631-1.000)      1.000 (0.631-1.000)\n"
        "low       16    0.5000  1.000 (0.664-1.000)      1.000 (0.664-1.000)\n"
        "one        1    0.0312  -                        -\n"
        "-: nothing to measure on, which takes two images of the tag and two others\n"
        "not tried among strangers, pictures of kinds that nobody has taught\n"
        "add tags (4 are enough), a folder other-training of anything\n"
        "trained 6 models of 3 tags; look at ./output/reports/index.html\n"
        "processed 40, unchanged 0, skipped 0\n")
    assert command(["--metadata_json", metadata, "--tag_to_hash_json", tags, "--test_per", "1"]) == 2
    assert capsys.readouterr().err == "error: --test_per 1.0 is not a share of the images, between 0 and 1\n"


class CountingBar:
    """In the place of tqdm's."""

    def __init__(
        self, opened: list, total: int | None, unit: str, description: str | None = None, delay: float = 0,
    ):
        self.name, self.delay, self.total = description or unit, delay, total
        self.done, self.is_open = 0, True
        opened.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.is_open = False

    def update(self, count: int = 1) -> None:
        self.done += count


def test_a_run_says_how_far_it_is_from_the_beginning_to_the_end(here, monkeypatch):
    bars, open_meanwhile = [], []
    for module in (train, reports):
        monkeypatch.setattr(module, "progress_bar", partial(CountingBar, bars))
    monkeypatch.setattr(
        pictures, "page_pictures",
        lambda *_: open_meanwhile.extend(bar.name for bar in bars if bar.is_open) or {})
    metadata, tags = dataset({"low": list(range(18)), "high": list(range(20, 38))})
    main(metadata, tags, unlabelled=metadata)
    blocks, regressions, sections = 1, 54, 2
    fits = 2 * 2 * (1 + 5 + 1)  # two types of two tags: for good, for every fold, for the images held out
    steps = blocks + regressions + sections
    assert [(bar.name, bar.delay, bar.done, bar.total) for bar in bars] == [
        ("reading", PATIENCE, 40, None),
        ("near-duplicates", PATIENCE, 36, 36),
        ("reading", PATIENCE, 40, None),  # what --unlabelled names
        ("fits", 0, fits, fits),
        ("report", PATIENCE, steps, steps)]
    assert open_meanwhile == [], "the thumbnails have a bar of their own"


def test_a_terminal_shows_the_bars_of_a_run_one_after_the_other(here, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    for module in (train, reports):
        monkeypatch.setattr(module, "PATIENCE", 0)
    main(*dataset())
    finished = re.findall(r"\r(\D*)(?:100%\|[^|]*\| )(\d+/\d+) ", terminal.getvalue())
    assert list(dict.fromkeys(finished)) == [
        ("near-duplicates: ", "40/40"), ("", "28/28"), ("report: ", "56/56")]
