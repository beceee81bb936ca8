"""All models of a folder in one file: what loads with it is what loads without it, whatever happened to the
.pkl files and cards since."""
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cache.models import bundle_writer, tag_models
from cache.models.bundle import bundle_path, file_digest, read_bundle
from cache.models.bundle_file import read_arrays
from cache.models.bundle_writer import BundleWriter
from cache.models.score_forms import Form, form_of
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, load_models, model_paths, save_model
from cache.models.tag_scores import ModelSet
from tests.bundles import without_stamps
from tests.cache.models.test_tag_scores import CLASSES, VECTORS, calibrated_svm

SCALER = StandardScaler().fit(VECTORS)
CARD = {"model": "M:p", "width": 8, "thresholds": {"yes_from": 0.75, "no_below": 0.25}}
OTHER_SCALER = StandardScaler().fit(VECTORS[:30])


def regression(turn: int = 0):
    return make_pipeline(SCALER, LogisticRegression()).fit(VECTORS, np.roll(CLASSES, turn))


def machine(turn: int = 0, **options: object):
    return calibrated_svm(np.roll(CLASSES, turn), **options)


ESTIMATORS = {
    (SVM, "cats"): machine(),
    (SVM, "dogs"): machine(7),
    (SVM, "of another scaling"): machine(3, scaler=OTHER_SCALER, gamma=0.5),
    (SVM, "no kernel of ours"): machine(kernel="poly"),
    (LOGISTIC_REGRESSION, "cats"): regression(),
    (LOGISTIC_REGRESSION, "dogs"): LogisticRegression().fit(VECTORS, CLASSES),
}
CATS = "models/model-ovr-svm-tag-cats.pkl"
CARD_OF_CATS = "models/model-ovr-svm-tag-cats.json"


def train(folder: str = "models", estimators: dict = ESTIMATORS) -> None:
    writer = BundleWriter(folder)
    for (model_type, tag), estimator in estimators.items():
        writer.add(save_model(folder, model_type, tag, estimator, CARD), estimator)
    writer.write()


def loaded(folder: str = "models") -> tuple[list, list[str], list]:
    """All that load_models() says: the models without their estimators, the refusals, the scores."""
    models, refusals = load_models(folder, "M:p", 8)
    scores = ModelSet([model.estimator for model in models]).score(VECTORS)
    return [replace(model, estimator=None) for model in models], list(map(str, refusals)), scores.tolist()


def loaded_without(folder: str = "models") -> tuple[list, list[str], list]:
    os.rename(bundle_path(folder), "aside")
    try:
        return loaded(folder)
    finally:
        os.rename("aside", bundle_path(folder))


@pytest.fixture
def unpickled(monkeypatch) -> list[str]:
    """The files that were unpickled, by name."""
    names: list[str] = []
    classifier = tag_models._classifier

    def watched(path: str, trust_pickle: bool) -> object:
        names.append(os.path.basename(path))
        return classifier(path, trust_pickle)

    monkeypatch.setattr(tag_models, "_classifier", watched)
    return names


def test_models_load_out_of_the_bundle_as_they_do_out_of_their_files_to_the_last_bit(here, unpickled, capsys):
    train()
    unpickled.clear()
    wanted = loaded_without()
    assert len(unpickled) == len(wanted[0]) == 6
    unpickled.clear()
    assert loaded() == wanted
    assert unpickled == ["model-ovr-svm-tag-no kernel of ours.pkl"]
    assert capsys.readouterr().err == ""


def test_a_support_vector_stands_in_the_bundle_once_in_half_the_bytes(here):
    train(estimators={(SVM, str(turn)): machine(turn) for turn in range(5)})
    arrays = read_arrays(bundle_path("models"))
    assert len(arrays["radial0.support"]) <= 60 < len(arrays["radial0.places"])
    # What StandardScaler makes of float32 is float32.
    assert arrays["radial0.support"].dtype == np.float32
    assert sorted(arrays) == ["entries", *(f"radial0.{part}" for part in (
        "coefficients", "ends", "gammas", "mean", "offsets", "places", "scale", "support")), "stamps"]


def test_the_same_models_make_the_same_bytes_but_for_the_stamps_in_whatever_order_they_were_learnt(here):
    train()
    train("again", dict(reversed(ESTIMATORS.items())))
    first, second = (Path(bundle_path(folder)) for folder in ("models", "again"))
    assert without_stamps(first) == without_stamps(second)
    assert first.read_bytes() != second.read_bytes()


def retrained() -> None:
    joblib.dump(machine(20), CATS)
    os.remove(CARD_OF_CATS)


def forgotten() -> None:
    os.remove(CATS)
    os.remove(CARD_OF_CATS)


def edited(**facts: object) -> Callable[[], object]:
    def edit() -> None:
        card = json.loads(Path(CARD_OF_CATS).read_text())
        Path(CARD_OF_CATS).write_text(json.dumps({**card, **facts}))
    return edit


def touched() -> None:
    Path(CATS).write_bytes(Path(CATS).read_bytes())
    os.utime(CATS, (0, 0))


def renamed_over() -> None:
    os.replace("models/model-ovr-svm-tag-dogs.pkl", CATS)


CHANGES: dict[str, tuple[Callable[[], object], list[str]]] = {
    "one replaced": (retrained, ["model-ovr-svm-tag-cats.pkl"]),
    "one deleted": (forgotten, []),
    "one added": (lambda: joblib.dump(machine(9), "models/model-svm-tag-new.pkl"), ["model-svm-tag-new.pkl"]),
    "one touched": (touched, []),
    "one in the place of another": (renamed_over, []),
    "one cut short": (lambda: os.truncate(CATS, 2000), []),
    "one that is a folder": (lambda: (os.remove(CATS), os.mkdir(CATS)), []),
    "one that links to nothing": (lambda: (os.remove(CATS), os.symlink("nothing", CATS)), []),
    "a card without thresholds": (edited(thresholds=None), []),
    "a card with others": (edited(thresholds={"yes_from": 0.9, "no_below": None}), []),
    "a card with impossible ones": (edited(thresholds={"yes_from": 2, "no_below": None}), []),
    "a card of another training": (edited(sha256="0" * 64), []),
    "a card of another encoder": (edited(model="N:q"), []),
    "a card of another tag": (edited(tag_name="dogs"), []),
    "a card that is broken": (lambda: Path(CARD_OF_CATS).write_text("{"), []),
    "a card that is gone": (lambda: os.remove(CARD_OF_CATS), []),
}


@pytest.mark.parametrize(("change", "read_again"), CHANGES.values(), ids=CHANGES)
def test_what_changed_since_counts_with_the_bundle_as_without_it(here, unpickled, change, read_again):
    train()
    before = loaded()
    change()
    unpickled.clear()
    with_bundle = loaded()
    assert unpickled == sorted([*read_again, "model-ovr-svm-tag-no kernel of ours.pkl"])
    assert with_bundle == loaded_without()
    assert (with_bundle == before) == (change is touched)


def test_a_copied_folder_is_as_quick_to_unpickle(here, unpickled):
    """Nothing: its files have other stamps, but the same digests."""
    train()
    shutil.copytree("models", "copy")
    assert {Path(path).read_bytes() for path in model_paths("copy")} == {
        Path(path).read_bytes() for path in model_paths("models")}
    wanted = loaded_without("copy")
    unpickled.clear()
    assert loaded("copy") == wanted
    assert unpickled == ["model-ovr-svm-tag-no kernel of ours.pkl"]


def test_one_model_asked_for_by_its_name_needs_no_bundle(here, unpickled):
    train()
    unpickled.clear()
    [model] = load_models(CATS, "M:p", 8)[0]
    assert model.tag_name == "cats"
    assert unpickled == ["model-ovr-svm-tag-cats.pkl"]


def test_a_second_training_keeps_the_models_of_the_first_and_drops_those_that_are_gone(here, unpickled):
    train()
    forgotten()
    joblib.dump(machine(9), "models/model-svm-tag-by hand.pkl")
    joblib.dump([1, 2], "models/model-svm-tag-no model.pkl")
    unpickled.clear()
    train(estimators={(SVM, "birds"): machine(11), (SVM, "dogs"): machine(13)})
    assert unpickled == [
        "model-ovr-svm-tag-no kernel of ours.pkl", "model-svm-tag-by hand.pkl", "model-svm-tag-no model.pkl"]
    wanted = loaded_without()
    unpickled.clear()
    assert loaded() == wanted
    assert unpickled == ["model-ovr-svm-tag-no kernel of ours.pkl", "model-svm-tag-no model.pkl"]
    assert len(read_bundle(bundle_path("models"))) == 6


def test_a_model_that_was_just_saved_is_not_read_again_for_its_digest(here, monkeypatch):
    with monkeypatch.context() as nobody:
        nobody.setattr(bundle_writer, "file_digest", None)
        train(estimators={(SVM, "cats"): machine()})
    digests = [json.loads(Path(CARD_OF_CATS).read_text())["sha256"], file_digest(CATS)]
    assert [read_bundle(bundle_path("models")).model_of(CATS).sha256] * 2 == digests


def test_a_run_that_was_killed_before_it_wrote_the_bundle_is_not_taken_for_the_one_before(here, unpickled):
    train()
    save_model("models", SVM, "cats", machine(20), CARD)
    assert loaded() == loaded_without()


def with_huge_coefficients() -> object:
    estimator = machine()
    [pair] = estimator[1].calibrated_classifiers_
    pair.estimator.dual_coef_ = pair.estimator.dual_coef_ * 1e308
    return estimator


def with_infinite_weights() -> object:
    scaler = StandardScaler().fit(VECTORS)
    scaler.scale_ = np.full(8, 1e-320)
    return make_pipeline(scaler, LogisticRegression().fit(VECTORS, CLASSES))


@pytest.mark.parametrize("made", [with_huge_coefficients, with_infinite_weights])
def test_what_may_give_no_number_is_left_to_its_own_file(here, made):
    with np.errstate(all="ignore"):
        train(estimators={(SVM, "odd"): made(), (SVM, "cats"): machine()})
    bundle = read_bundle(bundle_path("models"))
    assert bundle.model_of("models/model-ovr-svm-tag-odd.pkl") is None
    assert bundle.model_of(CATS) is not None


def test_support_vectors_that_float32_does_not_hold_stay_float64(here):
    vectors = VECTORS.astype(np.float64) / 3
    scaler = StandardScaler().fit(vectors)
    estimator = machine()
    estimator.steps[0] = ("standardscaler", scaler)
    pair = estimator[1].calibrated_classifiers_[0]
    pair.estimator.support_vectors_ = pair.estimator.support_vectors_ / 3
    train(estimators={(SVM, "cats"): estimator})
    assert read_arrays(bundle_path("models"))["radial0.support"].dtype == np.float64
    assert loaded() == loaded_without()


def numbers_of(form: Form) -> list:
    parts = vars(form).values() if hasattr(form, "__dict__") else form
    return [np.asarray(part).tolist() for part in parts]


def test_a_form_is_the_same_numbers_after_the_file(here):
    train(estimators={(SVM, "cats"): ESTIMATORS[SVM, "cats"], (LOGISTIC_REGRESSION, "cats"): regression()})
    bundle = read_bundle(bundle_path("models"))
    for model_type in (SVM, LOGISTIC_REGRESSION):
        path = f"models/model-{model_type}-tag-cats.pkl"
        bundled = bundle.model_of(path)
        assert bundled is not None
        assert numbers_of(bundled.form) == numbers_of(form_of(joblib.load(path)))
