"""What stage 2 may be asked for besides: promises, a quality gate, what to label next, tags known by a
text."""
import json
import os
import shutil
from functools import partial
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest

from cache.models.score_forms import linear_row
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, list_models, load_model
from cache.refusal import Refused
from cache.stores.metadata import read_metadata
from stage2.flags import TrainSettings, gate
from stage2.train import command, main
from stage3.classify import command as classify
from tests.drawing import drawn, encoded, tag_folders, write
from tests.stage2.datasets import LOW_AND_HIGH, dataset

METADATA, TAG_LIST = "output/input-metadata.json", "output/input-tag-to-image-hash-list.json"
PATHS = ["--metadata_json", METADATA, "--tag_to_hash_json", TAG_LIST]


def card(model_type: str, tag: str) -> dict:
    return json.loads(Path(f"output/models/model-{model_type}-tag-{tag}.json").read_text())


def test_promises_stand_in_the_card_and_stage_3_decides_by_them(here, stage1, tiny_checkpoint):
    write(here / "photos", tag_folders(40))
    stage1()
    assert command([*PATHS, "--target_precision", "0.9", "--world", "closed", "--test_per", "0"]) == 0
    for model_type in (LOGISTIC_REGRESSION, SVM):
        thresholds = card(model_type, "cats")["thresholds"]
        assert (thresholds["target_precision"], thresholds["target_recall"]) == (0.9, 0.9)
        assert (thresholds["world"], list(thresholds["worlds"])) == ("closed", ["strangers", "closed"])
        assert thresholds["tried_on"] is None
        assert thresholds["worlds"]["strangers"]["precision"]["outcome"] == "no strangers to try it on"
        assert 0 < thresholds["no_below"] <= thresholds["yes_from"] < 1
    write(here / "new", {"cat.png": encoded(drawn(900)), "dog.png": encoded(drawn(901, "dogs"))})
    assert classify(["--directory", "new", "--output", "scored", "--pretrained", tiny_checkpoint]) == 0
    decisions = {
        (record["file_path"], output["model_type"], output["tag_name"]): output["decision"]
        for record in json.loads(Path("scored/output.json").read_text()).values()
        for output in record["classifiers_output"]
    }
    assert decisions == {
        (f"new/{picture}.png", model_type, tag): "yes" if tag.startswith(picture) else "no"
        for picture in ("cat", "dog")
        for model_type in (LOGISTIC_REGRESSION, SVM)
        for tag in ("cats", "dogs")
    }


@pytest.mark.parametrize(("fourth", "tried_on"), [("the rest", "tags"), ("other-training", "other-training")])
def test_the_card_says_whose_pictures_stood_for_strangers(here, fourth, tried_on):
    names = ["a", "b", "c", fourth]
    tags = {name: list(range(10 * place, 10 * place + 10)) for place, name in enumerate(names)}
    main(*dataset(tags), target_precision=0.9)
    for model_type in (LOGISTIC_REGRESSION, SVM):
        thresholds = card(model_type, "a")["thresholds"]
        assert (thresholds["world"], thresholds["tried_on"]) == ("strangers", tried_on)


def test_too_few_examples_for_a_promise_are_told_in_numbers(trained, capsys):
    assert command([*PATHS, "--target_precision", "0.95", "--target_recall", "0.9", "--world", "closed",
                    "--test_per", "0"]) == 0
    assert "yes: about 53 more images needed, no: about 23 more images needed\n" in capsys.readouterr().out
    thresholds = card(SVM, "cats")["thresholds"]
    assert (thresholds["yes_from"], thresholds["no_below"]) == (None, None)
    assert thresholds["precision"]["outcome"] == "not enough examples"
    assert thresholds["precision"]["more_needed"] == 53


def test_of_a_single_image_more_are_asked_for_rather_than_strangers(here, capsys):
    metadata, tags = dataset({**LOW_AND_HIGH, "one": [3]})
    paths = ["--metadata_json", metadata, "--tag_to_hash_json", tags]
    assert command([*paths, "--target_precision", "0.9", "--test_per", "0"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.partition("yes: ")[2].partition(",")[0] for line in printed[2:5]] == [
        "no strangers to try it on", "no strangers to try it on", "about 28 more images needed"]


@pytest.mark.parametrize(("flags", "code", "failures"), [
    (["--fail_under", "AP=0.8", "--fail_under", "ECE=0.6"], 0, ""),
    (["--fail_under", "AP=1.0", "--fail_under", "ECE=0.0"], 4, "failed: high: calibration error"),
])
def test_a_quality_gate_fails_with_exit_code_4(here, capsys, flags, code, failures):
    metadata, tags = dataset()
    assert command(["--metadata_json", metadata, "--tag_to_hash_json", tags, *flags]) == code
    assert capsys.readouterr().err.startswith(failures)
    assert len(list_models("output/models")) == 4


def test_a_tag_that_cannot_be_measured_does_not_pass_the_gate(here, capsys):
    metadata, tags = dataset({**LOW_AND_HIGH, "one": [3]})
    assert command(["--metadata_json", metadata, "--tag_to_hash_json", tags, "--fail_under", "AP=0.1"]) == 4
    assert capsys.readouterr().err == "failed: one: no average precision, too few images to measure it on\n"


def test_a_tag_that_was_skipped_does_not_pass_the_gate(here, capsys):
    metadata, tags = dataset({**LOW_AND_HIGH, "gone": [90]})
    assert command(["--metadata_json", metadata, "--tag_to_hash_json", tags, "--fail_under", "AP=0.1"]) == 4
    assert capsys.readouterr().err.splitlines()[-1] == "failed: gone: no average precision, it was skipped"


def test_a_gate_is_a_metric_and_a_value():
    assert gate("ap=0.8") == ("average_precision", 0.8)
    assert gate("ECE=.05") == ("calibration_error", 0.05)
    for wrong in ("AP", "AP=2", "AP=1.5", "AP>0.8", "loss=0.1", "AP=0.8,F1=0.7"):
        with pytest.raises(Exception, match="is not one of AP, AUC, F1, ECE and a value, as in AP=0.8"):
            gate(wrong)


@pytest.mark.parametrize(("settings", "message"), [
    ({"target_precision": 1.0}, "--target_precision 1.0 cannot be promised; name a share between 0 and 1"),
    ({"target_recall": 0.0}, "--target_recall 0.0 cannot be promised; name a share between 0 and 1"),
    ({"tag_to_hash_json": None},
     "nothing to learn: name --tag_to_hash_json, the tag list of stage 1, "
     "or --tags for tags without examples"),
])
def test_settings_without_sense_are_refused(settings, message):
    with pytest.raises(Refused) as caught:
        TrainSettings(**{"metadata_json": "m.json", "tag_to_hash_json": "t.json", **settings})
    assert str(caught.value) == message


def test_what_to_label_next_is_listed_with_its_pictures(trained, here, stage1):
    unlabelled = {
        f"{kind}-{number}.png": encoded(drawn(300 + number, kind))
        for number in range(4) for kind in ("cats", "dogs")
    }
    write(here / "more", unlabelled)
    write(here / "more", {"known.png": (here / "photos/cats/00.png").read_bytes()})
    stage1("more", "./unlabelled", tagged_dataset=False)
    main(METADATA, TAG_LIST,
         unlabelled="unlabelled/clip-cache/more-metadata.json")
    suggestions = list(json.loads(Path("output/reports/label-next.json").read_text()).values())
    names = {Path(suggestion["file_path"]).name for suggestion in suggestions}
    assert names <= unlabelled.keys(), "what has a tag is not asked for"
    first = suggestions[0]
    assert list(first) == ["hash_id", "file_path", "tag", "probability", "uncertainty", "novelty"]
    assert first["uncertainty"] == pytest.approx(1 - abs(2 * first["probability"] - 1))
    assert first["novelty"] == 1


def test_what_to_label_next_does_not_outlive_its_run(trained, here):
    write(here / "output/reports", {"label-next.json": b"{}"})
    main(METADATA, TAG_LIST)
    assert not (here / "output/reports/label-next.json").exists()


def test_a_folder_of_unlabelled_pictures_is_not_yet_vectors(here):
    metadata, tags = dataset()
    (here / "more").mkdir()
    with pytest.raises(Refused) as caught:
        main(metadata, tags, unlabelled="more")
    assert str(caught.value) == (
        "--unlabelled more is a folder; stage 1 makes its vectors (--no-tagged_dataset): "
        "name their metadata JSON")


def test_unlabelled_vectors_of_another_encoder_are_refused(here):
    metadata, tags = dataset()
    text = Path(metadata).read_text()
    Path("other.json").write_text(text.replace('"model":"M"', '"model":"N"'))
    with pytest.raises(Refused) as caught:
        main(metadata, tags, unlabelled="other.json")
    assert str(caught.value) == ("--unlabelled other.json holds vectors of N:p, metadata.json of M:p; "
                                 "run stage 1 over it with the same encoder")
    assert not Path("output").exists()


def test_a_tag_without_an_example_is_known_by_its_text(trained, tiny_checkpoint, capsys):
    by_text = ["--tags", "a bird,cats", "--pretrained", tiny_checkpoint]
    assert command([*PATHS, *by_text, "--output", "with-text"]) == 0
    assert "a bird       0         -  -                        -\n" in capsys.readouterr().out
    paths = list_models("with-text/models")
    assert [Path(path).name for path in paths] == [
        "model-ovr-logistic-regression-tag-a bird.pkl",
        "model-ovr-logistic-regression-tag-cats.pkl",
        "model-ovr-logistic-regression-tag-dogs.pkl",
        "model-ovr-svm-tag-cats.pkl",
        "model-ovr-svm-tag-dogs.pkl"]
    described = json.loads(Path(paths[0]).with_suffix(".json").read_text())
    assert (described["counts"]["tag_train"], described["calibration"]["kind"]) == (0, "from text")


def test_a_tag_that_is_named_twice_in_two_spellings_is_known_by_one_text(trained, tiny_checkpoint):
    composed, taken_apart = (normalize(form, "Vögel") for form in ("NFC", "NFD"))
    by_text = ["--tags", f"{taken_apart},{composed}", "--pretrained", tiny_checkpoint]
    assert command(["--metadata_json", METADATA, *by_text, "--output", "by-text"]) == 0
    assert [Path(path).name for path in list_models("by-text/models")] == [
        f"model-ovr-logistic-regression-tag-{composed}.pkl"]
    assert [name for name in os.listdir("by-text/reports") if name.endswith(".txt")] == [
        f"model-report-ovr-logistic-regression-tag-{composed}.txt"]


def test_tags_without_examples_need_no_tag_list(trained, tiny_checkpoint):
    results = main(METADATA, output_dir="by-text", tags=("cats", "dogs"), checkpoint=tiny_checkpoint)
    assert list(results[LOGISTIC_REGRESSION]) == ["cats", "dogs"]
    assert results[SVM] == {}
    assert len(list_models("by-text/models")) == 2


def test_what_stage_1_left_in_its_usual_place_needs_no_flag(trained):
    before = {path: Path(path).read_bytes() for path in list_models("output/models")}
    assert command(["--test_per", "0.2"]) == 0
    assert {path: Path(path).read_bytes() for path in list_models("output/models")} == before


@pytest.mark.parametrize("kept", [[], ["input-metadata.json"]])
def test_where_stage_1_left_nothing_its_command_is_named(here, capsys, kept):
    write(here / "output", dict.fromkeys(kept, b"{}"))
    missing = "input-tag-to-image-hash-list.json" if kept else "input-metadata.json"
    assert command([]) == 2
    assert capsys.readouterr() == (
        "", f"error: there is no ./output/{missing} yet; "
            "this makes it: python ./stage1/ImageDatasetProcessor.py photos\n")


def test_the_tag_list_is_the_one_beside_the_metadata(trained, capsys):
    """The one in ./output is of another dataset."""
    dataset()
    write(Path("other"), {"input-metadata.json": Path("metadata.json").read_bytes()})
    of_other = ["--metadata_json", "other/input-metadata.json", "--output", "other"]
    assert command(of_other) == 2
    assert capsys.readouterr().err == (
        "error: there is no other/input-tag-to-image-hash-list.json yet; this makes it: "
        "python ./stage1/ImageDatasetProcessor.py photos --output_folder other\n")
    shutil.copy("tags.json", "other/input-tag-to-image-hash-list.json")
    assert command(of_other) == 0
    assert {Path(path).stem.rpartition("-")[2] for path in list_models("other/models")} == {"high", "low"}


def test_a_missing_metadata_json_is_refused_before_the_list_beside_it(here, capsys):
    assert command(["--metadata_json", "gone.json"]) == 2
    assert capsys.readouterr().err == (
        "error: cannot read gone.json: No such file or directory; stage 1 makes it\n")


@pytest.mark.parametrize("metadata", ["output/input-metadata.json", "copy.json"])
def test_with_tags_without_examples_only_a_named_list_is_read(trained, tiny_checkpoint, capsys, metadata):
    shutil.copy(METADATA, "copy.json")
    by_text = ["--metadata_json", metadata, "--tags", "a bird", "--pretrained", tiny_checkpoint]
    assert command([*by_text, "--output", "by-text"]) == 0
    assert [Path(path).name for path in list_models("by-text/models")] == [
        "model-ovr-logistic-regression-tag-a bird.pkl"]
    capsys.readouterr()
    assert command([*by_text, "--tag_to_hash_json", "gone.json"]) == 2
    assert capsys.readouterr().err == (
        "error: cannot read gone.json: No such file or directory; stage 1 makes it\n")


def test_learning_begins_at_what_the_text_says(trained, tiny_checkpoint):
    """The fewer examples there are, the more the text counts: with next to none, the model is the text's."""
    from cache.encoders.text_encoder import text_vectors
    from stage2.learning.text_prior import text_priors

    metadata = read_metadata(METADATA)
    encode = partial(text_vectors, metadata.key, tiny_checkpoint)
    prior = text_priors("a photo of {tag}", ["cats"], metadata.matrix, encode)["cats"]
    main(METADATA, TAG_LIST, output_dir="with", prompt="a photo of {tag}", checkpoint=tiny_checkpoint)

    def cosine_to_the_text(folder: str) -> float:
        model = load_model(f"{folder}/models/model-{LOGISTIC_REGRESSION}-tag-cats.pkl")
        weights, _ = linear_row(model.estimator)
        return weights @ prior.weights / np.linalg.norm(weights) / np.linalg.norm(prior.weights)

    assert cosine_to_the_text("with") > cosine_to_the_text("output")


def test_a_text_needs_a_clip_model(here, capsys):
    metadata, tags = dataset()
    encoder = '"model":"EfficientNet-Lite0-MS","pretrained":"imagenet"'
    Path(metadata).write_text(Path(metadata).read_text().replace('"model":"M","pretrained":"p"', encoder))
    paths = ["--metadata_json", metadata, "--tag_to_hash_json", tags]
    assert command([*paths, "--prompt", "a photo of {tag}"]) == 2
    assert capsys.readouterr().err == (
        "error: EfficientNet-Lite0-MS has no text encoder; "
        "--prompt and --tags need vectors of a CLIP model\n")
