"""Model files: their names, the JSON beside them, and what may be unpickled."""

import json
import os
import pickle
import shutil
from hashlib import sha256
from pathlib import Path
from unicodedata import normalize

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from cache.models.tag_models import (
    LOGISTIC_REGRESSION,
    SVM,
    generate_model_path,
    list_models,
    load_model,
    load_models,
    safe_name,
    save_model,
)
from cache.models.tag_scores import ModelSet
from cache.refusal import Refused
from cache.stores.metadata import Metadata
from stage2.learning.split import Split
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Training

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(60, 8)).astype(np.float32) * 5
CLASSES = (VECTORS[:, 0] + VECTORS[:, 1] < 0).astype(int)
CARD = {"model": "M:p", "width": 8}


class Payload:
    def __reduce__(self):
        return os.system, ("touch marker",)


def fitted(model_type: str = LOGISTIC_REGRESSION):
    tag, other = np.flatnonzero(CLASSES == 0), np.flatnonzero(CLASSES == 1)
    metadata = Metadata("M:p", {str(number): number for number in range(60)}, VECTORS)
    tagged = TaggedRows({"cats": [str(row) for row in tag], "others": [str(row) for row in other]}, metadata)
    models = Training(metadata, {"cats": Split(tag, tag[:0], other, other[:0])}, tagged, {}).models(
        lambda count=1: None
    )
    return next(model.estimator for model in models if model.model_type == model_type)


def test_a_model_is_saved_with_its_card_and_loaded_with_both(here):
    path = save_model("models", SVM, "cats", fitted(SVM), CARD).path
    assert path == generate_model_path("models", SVM, "cats") == "models/model-ovr-svm-tag-cats.pkl"
    assert sorted(os.listdir("models")) == ["model-ovr-svm-tag-cats.json", "model-ovr-svm-tag-cats.pkl"]
    assert json.loads((here / "models/model-ovr-svm-tag-cats.json").read_text()) == {
        "model_type": SVM,
        "tag_name": "cats",
        **CARD,
        "sha256": sha256(Path(path).read_bytes()).hexdigest(),
    }
    model = load_model(path)
    assert (model.path, model.model_type, model.tag_name, model.width, model.encoder) == (
        path,
        SVM,
        "cats",
        8,
        "M:p",
    )
    assert np.array_equal(model.estimator.predict_proba(VECTORS), joblib.load(path).predict_proba(VECTORS))


@given(st.text(min_size=1, max_size=300))
def test_any_tag_makes_one_safe_part_of_a_path(tag):
    tag = tag.encode("utf-8", "replace").decode()
    name = safe_name(tag)
    assert os.path.basename(name) == name
    assert name not in ("", ".", "..")
    assert len(name.encode()) <= 150
    assert not set(name) & set('/\\:*?"<>|\0\n')


@pytest.mark.parametrize("tag", ["a/b", "..", "50% off", "ü-ö", 'he said "no"', "-tag-", "new\nline"])
def test_an_odd_tag_survives_its_file_name_even_without_a_card(here, tag):
    path = save_model("models", LOGISTIC_REGRESSION, tag, fitted(), CARD).path
    assert os.listdir(".") == ["models"]
    assert load_model(path).tag_name == tag
    os.remove(path.removesuffix(".pkl") + ".json")
    assert load_model(path).tag_name == tag


def test_tags_that_are_too_long_for_a_file_name_stay_apart(here):
    long = ["x" * 300 + "1", "x" * 300 + "2"]
    paths = [save_model("models", SVM, tag, fitted(SVM), CARD).path for tag in long]
    assert [load_model(path).tag_name for path in paths] == long


def test_a_tag_has_one_file_and_one_name_in_either_spelling(here):
    composed, taken_apart = (normalize(form, "Vögel") for form in ("NFC", "NFD"))
    path = save_model("models", SVM, taken_apart, fitted(SVM), {**CARD, "thresholds": None}).path
    assert path == generate_model_path("models", SVM, composed) == f"models/model-ovr-svm-tag-{composed}.pkl"
    card = path.removesuffix("pkl") + "json"
    assert json.loads(Path(card).read_text())["tag_name"] == load_model(path).tag_name == composed
    os.remove(card)
    older = f"models/model-ovr-svm-tag-{taken_apart}.pkl"
    os.rename(path, older)
    assert load_model(older).tag_name == composed


def test_of_two_models_of_one_tag_the_one_spelled_as_today_counts(here):
    composed, taken_apart = (normalize(form, "Vögel") for form in ("NFC", "NFD"))
    path = save_model("models", SVM, composed, fitted(SVM), CARD).path
    older = f"models/model-ovr-svm-tag-{taken_apart}.pkl"
    shutil.copy(path, older)
    models, refusals = load_models("models", "M:p", 8)
    assert [model.path for model in models] == [path]
    assert list(map(str, refusals)) == [f"{older} is of the same type and tag as {path}"]


def test_the_list_of_models_is_printed_and_returned_sorted(here, capsys):
    for name in ("model-b-tag-x.pkl", "model-a-tag-x.pkl", "model-a-tag-x.json", ".partial-1.pkl"):
        (here / name).touch()
    assert list_models(".") == ["./model-a-tag-x.pkl", "./model-b-tag-x.pkl"]
    assert capsys.readouterr().out == "./model-a-tag-x.pkl\n./model-b-tag-x.pkl\n"


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "dump",
    [joblib.dump, lambda model, path: Path(path).write_bytes(pickle.dumps(model))],
    ids=["joblib", "pickle"],
)
def test_models_of_older_tools_score_without_a_card(here, dump):
    for name, model in {"logistic": LogisticRegression(), "svm": SVC(probability=True)}.items():
        dump(model.fit(VECTORS, CLASSES), f"model-{name}-tag-cats.pkl")
        loaded = load_model(f"model-{name}-tag-cats.pkl")
        assert (loaded.model_type, loaded.tag_name, loaded.width, loaded.encoder) == (name, "cats", 8, None)
        assert (
            np.abs(
                ModelSet([loaded.estimator]).score(VECTORS)[:, 0] - model.predict_proba(VECTORS)[:, 0]
            ).max()
            < 1e-6
        )


@pytest.mark.parametrize(
    "hide", [lambda payload: payload, lambda payload: [payload]], ids=["bare", "in a list"]
)
def test_a_model_file_that_would_run_code_is_refused(here, hide):
    joblib.dump(hide(Payload()), "model-svm-tag-cats.pkl")
    with pytest.raises(Refused) as caught:
        load_model("model-svm-tag-cats.pkl")
    assert str(caught.value) == (
        "model-svm-tag-cats.pkl names posix.system, which no model needs; "
        "--trust-pickle loads it if you know who made it"
    )
    assert not (here / "marker").exists()


@pytest.mark.parametrize(
    "hide",
    [
        lambda: np.array([Payload()], dtype=object),  # its content is a pickle of its own
        lambda: BuiltFromPointers(),
        lambda: DtypeWithFields(),
    ],
    ids=["array of objects", "array of raw pointers", "record dtype"],
)
def test_arrays_whose_bytes_could_be_taken_for_pointers_are_refused(here, hide):
    model = LogisticRegression().fit(VECTORS, CLASSES)
    model.n_features_in_ = hide()
    joblib.dump(model, "model-svm-tag-cats.pkl")
    with pytest.raises(Refused, match="which no model needs"):
        load_model("model-svm-tag-cats.pkl")
    assert not (here / "marker").exists()


class BuiltFromPointers:
    def __reduce__(self):
        return np.ndarray, ((), np.dtype("O"), b"A" * 8)


class DtypeWithFields:
    def __reduce__(self):
        return np.dtype, ("f8", False, True), (3, "<", None, ("a",), {"a": (np.dtype("f8"), 0)}, 8, 1, 0)


def test_a_compressed_model_file_is_named_as_such(here):
    joblib.dump(LogisticRegression().fit(VECTORS, CLASSES), "model-svm-tag-cats.pkl", compress=3)
    with pytest.raises(
        Refused, match="model-svm-tag-cats.pkl is compressed or no pickle; save it again uncompressed"
    ):
        load_model("model-svm-tag-cats.pkl")
    assert load_model("model-svm-tag-cats.pkl", trust_pickle=True).width == 8


def test_a_payload_hidden_in_a_real_estimator_is_refused(here):
    model = LogisticRegression().fit(VECTORS, CLASSES)
    model.extra = Payload()
    joblib.dump(model, "model-svm-tag-cats.pkl")
    with pytest.raises(Refused, match="names posix.system"):
        load_model("model-svm-tag-cats.pkl")
    assert not (here / "marker").exists()


def test_a_model_that_this_scikit_learn_cannot_run_is_refused_when_it_is_loaded(here):
    model = SVC().fit(VECTORS, CLASSES)
    model.predict_proba = None
    joblib.dump(model, "model-svm-tag-cats.pkl")
    with pytest.raises(
        Refused,
        match=r"model-svm-tag-cats.pkl does not work with this scikit-learn \(TypeError: .*\); train again",
    ):
        load_model("model-svm-tag-cats.pkl")


def test_a_class_off_the_list_loads_only_when_trusted(here):
    from sklearn.naive_bayes import GaussianNB

    joblib.dump(GaussianNB().fit(VECTORS, CLASSES), "model-bayes-tag-cats.pkl")
    with pytest.raises(Refused, match=r"names sklearn.naive_bayes.GaussianNB, which no model needs"):
        load_model("model-bayes-tag-cats.pkl")
    assert load_model("model-bayes-tag-cats.pkl", trust_pickle=True).width == 8


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model-svm-tag-cut.pkl", b"\x80\x04\x95", "model-svm-tag-cut.pkl is not a readable model file"),
        ("model-svm-tag-text.pkl", b"hello", "model-svm-tag-text.pkl is compressed or no pickle"),
        (
            "model-svm-tag-list.pkl",
            pickle.dumps([1, 2]),
            "model-svm-tag-list.pkl is not a classifier of two classes with probabilities",
        ),
        (
            "mine.pkl",
            pickle.dumps([1, 2]),
            "mine.pkl has no JSON beside it and is not named model-<type>-tag-<tag>.pkl: its tag is unknown",
        ),
    ],
)
def test_files_that_are_no_models_are_refused(here, name, content, message):
    (here / name).write_bytes(content)
    with pytest.raises(Refused) as caught:
        load_model(name)
    assert str(caught.value).startswith(message)


def test_a_broken_card_is_named(here):
    path = save_model(".", SVM, "cats", fitted(SVM), CARD).path
    for text, message in (
        ("{", "is not readable JSON"),
        ('{"a": 1}', "is not a model card of stage 2; remove it, or train again"),
    ):
        (here / "model-ovr-svm-tag-cats.json").write_text(text)
        with pytest.raises(Refused, match=message):
            load_model(path)


def test_a_model_and_the_card_of_another_training_are_not_taken_for_one(here):
    """A run of stage 2 that is killed between the two leaves the new card beside the old model."""
    path = save_model(".", SVM, "cats", fitted(SVM), CARD).path
    joblib.dump(fitted(LOGISTIC_REGRESSION), path)
    with pytest.raises(
        Refused,
        match="model-ovr-svm-tag-cats.pkl and the JSON beside it are not of one training; train again",
    ):
        load_model(path)
    os.remove("model-ovr-svm-tag-cats.json")
    assert load_model(path).width == 8


def test_models_of_another_encoder_or_width_are_left_out_and_named(here):
    save_model("models", SVM, "good", fitted(SVM), CARD)
    save_model("models", SVM, "other encoder", fitted(SVM), {**CARD, "model": "N:q"})
    joblib.dump(LogisticRegression().fit(VECTORS[:, :5], CLASSES), "models/model-lr-tag-narrow.pkl")
    models, refusals = load_models("models", "M:p", 8)
    assert [model.tag_name for model in models] == ["good"]
    assert [str(refusal) for refusal in refusals] == [
        "models/model-lr-tag-narrow.pkl takes vectors of 5 features, these have 8; train with this metadata",
        "models/model-ovr-svm-tag-other encoder.pkl was trained on vectors of N:q, these are of M:p; "
        "train with this metadata",
    ]
    with pytest.raises(
        Refused, match=r"^models/model-ovr-svm-tag-good.pkl was trained on vectors of M:p, these are of X:y"
    ):
        load_models("models/model-ovr-svm-tag-good.pkl", "X:y", 8)
    with pytest.raises(
        Refused, match="no usable model in models: models/model-lr-tag-narrow.pkl takes vectors of 5"
    ):
        load_models("models", "X:y", 8)


def test_a_folder_without_models_and_no_folder_at_all_are_refused(here):
    (here / "empty").mkdir()
    with pytest.raises(Refused, match="no usable model in empty; stage 2 makes them"):
        load_models("empty", "M:p", 8)
    with pytest.raises(Refused, match="no such model file or folder: nowhere; stage 2 makes one"):
        load_models("nowhere", "M:p", 8)
