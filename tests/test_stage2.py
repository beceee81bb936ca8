"""Stage 2: who is trained on what, what the reports say, and that the same input gives the same files."""
import json
import os
import shutil

import numpy as np
import pytest

from cache.metadata import Metadata, write_json_object
from cache.refusal import Refused
from cache.tag_models import LOGISTIC_REGRESSION, SVM, list_models, load_model
from stage2.model_report import Evaluation, report_text
from stage2.train import TaggedRows, command, main, split_rows
from tests.drawing import tree


def dataset(tags: dict[str, list[int]], count: int = 40, width: int = 6) -> tuple[str, str]:
    """A metadata JSON of `count` vectors and a tag list; the first feature of the later half is larger by far."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(count, width)).astype(np.float32)
    vectors[count // 2:, 0] += 100
    record = {"model": "M", "pretrained": "p"}
    write_json_object("metadata.json", [(f"h{number}", {**record, "embeddings_vector": vectors[number]}) for number in range(count)])
    write_json_object("tags.json", [(tag, [f"h{number}" for number in numbers]) for tag, numbers in tags.items()])
    return "metadata.json", "tags.json"


def rows_of(tags: dict[str, list[str]], count: int = 10) -> TaggedRows:
    return TaggedRows(tags, Metadata("M:p", {f"h{number}": number for number in range(count)}, np.zeros((count, 2), np.float32)))


def test_the_negatives_of_a_tag_are_all_images_that_do_not_carry_it():
    tagged = rows_of({"b": ["h1", "h2"], "a": ["h0", "h1"], "gone": ["h99"], "other-validation": ["h5", "h1"]})
    assert tagged.tags() == ["a", "b", "gone"]
    assert tagged.of("b").tolist() == [1, 2]
    assert tagged.negatives("a").tolist() == [2]
    assert tagged.negatives("b").tolist() == [0]
    assert tagged.outside("a").tolist() == [5]
    assert tagged.without_vector == 1


def test_other_training_replaces_the_negatives():
    tagged = rows_of({"a": ["h0", "h1"], "b": ["h2"], "other-training": ["h5", "h6", "h1"]})
    assert tagged.tags() == ["a", "b"]
    assert tagged.negatives("a").tolist() == [5, 6]
    assert tagged.outside("a") is None


def test_a_split_is_seeded_stratified_and_whole():
    positives, negatives = np.arange(20), np.arange(20, 100)
    split = split_rows("cats", positives, negatives, 0.1)
    assert split.counts() == {"tag_train": 18, "tag_test": 2, "other_train": 72, "other_test": 8}
    assert sorted([*split.tag_train, *split.tag_test]) == positives.tolist()
    assert sorted([*split.other_train, *split.other_test]) == negatives.tolist()
    again, other = split_rows("cats", positives, negatives, 0.1), split_rows("dogs", positives, negatives, 0.1)
    assert np.array_equal(split.other_test, again.other_test)
    assert not np.array_equal(split.other_test, other.other_test)


@pytest.mark.parametrize(("images", "share", "expected"), [(2, 0.5, (2, 0)), (3, 0.5, (2, 1)), (10, 0, (10, 0)), (10, 0.99, (2, 8))])
def test_a_split_leaves_enough_to_train_on(images, share, expected):
    split = split_rows("cats", np.arange(images), np.arange(images, 2 * images), share)
    assert (len(split.tag_train), len(split.tag_test)) == (len(split.other_train), len(split.other_test)) == expected


def test_both_classifiers_of_every_tag_are_written_with_card_and_report(trained):
    assert list_models(trained) == [f"./output/models/model-{model_type}-tag-{tag}.pkl" for model_type in (
        LOGISTIC_REGRESSION, SVM) for tag in ("cats", "dogs")]
    assert sorted(os.listdir("output/reports")) == [f"model-report-{model_type}-tag-{tag}.txt" for model_type in (
        LOGISTIC_REGRESSION, SVM) for tag in ("cats", "dogs")]
    card = json.loads(open_text("output/models/model-ovr-svm-tag-cats.json"))
    assert list(card) == ["model_type", "tag_name", "model", "width", "counts", "metrics", "versions", "created"]
    assert card["counts"] == {"tag_train": 5, "tag_test": 1, "other_train": 5, "other_test": 1}
    assert (card["width"], card["metrics"]["accuracy"]) == (16, 1.0)
    assert set(card["versions"]) == {"image-tagging-tools", "joblib", "numpy", "scikit-learn"}


def open_text(path: str) -> str:
    with open(path) as file:
        return file.read()


def test_class_0_is_the_tag(here):
    main(*dataset({"low": list(range(20)), "high": list(range(20, 40))}))
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
        elif not name.endswith((".sqlite", ".db")):
            assert first[name] == second[name], name


def test_a_clip_cache_gives_the_same_models_as_the_metadata(trained, here):
    main("./output/clip_cache.sqlite", "./output/input-tag-to-image-hash-list.json", "again", 0.2)
    assert tree(here / "again" / "reports") == tree(here / "output" / "reports")


def test_the_report_is_a_page_a_person_can_read():
    evaluation = Evaluation("cats", np.array([0.95, 1.0, 0.2]), np.array([0.0, 0.05, 0.1, 0.62]), np.array([0.3]))
    counts = {"tag_train": 20, "tag_test": 3, "other_train": 40, "other_test": 4}
    assert report_text("ovr-svm", "M:p", 512, counts, evaluation) == """\
model type   ovr-svm
tag          cats
encoder      M:p, 512 features

images              of the tag       other
trained on                  20          40
held out                     3           4

at 0.5              scored tag  scored other
is tag                       2             1
is other                     1             3

accuracy              0.7143
true positive rate    0.6667
false negative rate   0.3333
false positive rate   0.2500
true negative rate    0.7500
average precision     0.9167

              precision    recall  f1-score   support

         tag     0.6667    0.6667    0.6667         3
       other     0.7500    0.7500    0.7500         4

    accuracy                         0.7143         7
   macro avg     0.7083    0.7083    0.7083         7
weighted avg     0.7143    0.7143    0.7143         7

in distribution: the 3 held-out images of the tag, by probability of the tag
  0.0 - 0.1        0
  0.1 - 0.2        1  ####################
  0.2 - 0.3        0
  0.3 - 0.4        0
  0.4 - 0.5        0
  0.5 - 0.6        0
  0.6 - 0.7        0
  0.7 - 0.8        0
  0.8 - 0.9        0
  0.9 - 1.0        2  ########################################

out of distribution: the 1 images of other-validation, by probability of the tag
  0.0 - 0.1        0
  0.1 - 0.2        0
  0.2 - 0.3        1  ########################################
  0.3 - 0.4        0
  0.4 - 0.5        0
  0.5 - 0.6        0
  0.6 - 0.7        0
  0.7 - 0.8        0
  0.8 - 0.9        0
  0.9 - 1.0        0
"""


def test_without_held_out_images_the_report_says_so():
    nothing = np.empty(0)
    text = report_text("ovr-svm", "M:p", 2, {"tag_train": 2, "tag_test": 0, "other_train": 2, "other_test": 0},
                       Evaluation("cats", nothing, nothing, None))
    assert "accuracy              no held-out image\n" in text
    assert "precision    recall" not in text


def test_a_tag_with_too_few_images_is_skipped_and_named(here, capsys):
    results = main(*dataset({"many": list(range(20)), "more": list(range(20, 40)), "one": [39]}))
    assert capsys.readouterr().err == "skipped tag one: 1 images with a vector, 2 are needed\n"
    assert list(results[SVM]) == ["many", "more"]


@pytest.mark.parametrize(("tags", "message"), [
    ({"only": list(range(10))}, "no negatives: every image carries every tag; add a second tag, or a folder other-training"),
    ({"one": [1], "two": [2]}, "no tag of tags.json has 2 images with a vector in metadata.json"),
    ({}, "no negatives: every image carries every tag; add a second tag, or a folder other-training"),
])
def test_what_cannot_be_learnt_is_refused(here, tags, message):
    with pytest.raises(Refused) as caught:
        main(*dataset(tags))
    assert str(caught.value) == message
    assert not (here / "output").exists()


def test_two_files_of_different_datasets_are_recognised(here):
    metadata, tags = dataset({"a": [90, 91], "b": [92, 93]})
    with pytest.raises(Refused, match="no image of tags.json has a vector in metadata.json: these two files are not of one dataset"):
        main(metadata, tags)


def test_models_left_by_an_earlier_run_are_named(here, capsys):
    main(*dataset({"old": list(range(20)), "kept": list(range(20, 40))}))
    capsys.readouterr()
    main(*dataset({"new": list(range(20)), "kept": list(range(20, 40))}))
    assert capsys.readouterr().err == "".join(
        f"still there from an earlier run: ./output/models/model-{model_type}-tag-old.pkl; delete it if its tag is gone\n"
        for model_type in (LOGISTIC_REGRESSION, SVM))


def test_images_without_a_vector_are_counted(here, capsys):
    metadata, tags = dataset({"a": [*range(10), 90, 91], "b": list(range(20, 40))})
    main(metadata, tags)
    assert "2 images of tags.json have no vector in metadata.json\n" in capsys.readouterr().err


def test_the_command_line_shows_how_good_each_model_is_on_the_images_held_out(here, capsys):
    metadata, tags = dataset({"low": list(range(20)), "high": list(range(20, 40))})
    assert command(["--metadata-json", metadata, "--tag_to_hash_json", tags, "--test_per", "0.2"]) == 0
    assert capsys.readouterr().out == (
        "average precision on held-out images  of the tag of others  ovr-logistic-regression  ovr-svm\n"
        "high                                           4         4                   1.0000   1.0000\n"
        "low                                            4         4                   1.0000   1.0000\n"
        "trained 4 models of 2 tags\n"
        "processed 40, unchanged 0, skipped 0\n")
    assert command(["--metadata_json", metadata, "--tag_to_hash_json", tags, "--test_per", "1"]) == 2
    assert capsys.readouterr().err == "error: --test_per 1.0 is not a share of the images, between 0 and 1\n"
