"""Stage 2: who is trained on what, what the reports say, and that the same input gives the same files."""
import json
import os
import shutil

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.svm import SVC

from cache.files.json_file import write_json_object
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, list_models, load_model
from cache.models.tag_scores import ModelSet
from cache.refusal import Refused
from cache.stores.metadata import Metadata
from stage2.judging.held_out import HeldOut
from stage2.judging.model_text import report_text
from stage2.judging.results import ModelResult
from stage2.learning import kernel_svm, logistic_regression, newton
from stage2.learning.calibration import SIGMOID, Calibration
from stage2.learning.newton import Regressions
from stage2.learning.radial_kernel import RadialKernel
from stage2.learning.split import Split
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.task import Task, folds_within
from stage2.learning.training import Training, shrunk_scaler
from stage2.metrics import Estimate
from stage2.train import command, main
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
    """No two pictures are alike."""
    return TaggedRows(tags, Metadata("M:p", {f"h{number}": number for number in range(count)}, np.eye(count, dtype=np.float32)))


def test_the_negatives_of_a_tag_are_all_images_that_do_not_carry_it():
    tagged = rows_of({"b": ["h1", "h2"], "a": ["h0", "h1"], "gone": ["h99"], "other-validation": ["h5", "h1", "h2"]})
    assert tagged.tags() == ["a", "b", "gone"]
    assert tagged.of("b").tolist() == [1, 2]
    assert tagged.negatives("a").tolist() == [2]
    assert tagged.negatives("b").tolist() == [0]
    assert tagged.outside.tolist() == [5]
    assert tagged.without_vector == 1


def test_other_training_replaces_the_negatives():
    tagged = rows_of({"a": ["h0", "h1"], "b": ["h2"], "other-training": ["h5", "h6", "h1"]})
    assert tagged.tags() == ["a", "b"]
    assert tagged.negatives("a").tolist() == [5, 6]
    assert tagged.outside is None


def test_the_images_held_out_are_the_same_for_all_tags_and_the_same_share_of_each():
    tagged = rows_of({"a": [f"h{n}" for n in range(20)], "b": [f"h{n}" for n in range(20, 100)], "other-validation": ["h0", "h100"]}, 101)
    held_out = tagged.hold_out(0.1)
    assert (held_out[:20].sum(), held_out[20:100].sum(), held_out[100]) == (2, 8, False)
    assert np.array_equal(held_out, tagged.hold_out(0.1))
    split = tagged.split("a", held_out)
    assert split.counts() == {"tag_train": 18, "tag_test": 2, "other_train": 72, "other_test": 8}
    assert sorted([*split.tag_train, *split.tag_test]) == list(range(20))
    assert np.array_equal(tagged.split("b", held_out).tag_test, split.other_test)
    rows, classes = split.training()
    assert rows.tolist() == sorted([*split.tag_train, *split.other_train])
    assert np.array_equal(rows[classes == 0], split.tag_train)


@pytest.mark.parametrize(("images", "share", "expected"), [(2, 0.5, (2, 0)), (3, 0.5, (2, 1)), (10, 0, (10, 0)), (10, 0.99, (2, 8))])
def test_a_split_leaves_enough_to_train_on(images, share, expected):
    tagged = rows_of({"a": [f"h{n}" for n in range(images)], "b": [f"h{n}" for n in range(images, 2 * images)]}, 20)
    split = tagged.split("a", tagged.hold_out(share))
    assert (len(split.tag_train), len(split.tag_test)) == (len(split.other_train), len(split.other_test)) == expected


def test_images_of_several_tags_count_for_each_of_them():
    tagged = rows_of({"all": [f"h{n}" for n in range(10)], "some": ["h0", "h1", "h2", "h3"]})
    held_out = tagged.hold_out(0.25)
    assert (held_out.sum(), held_out[:4].sum()) == (2, 1)


def test_a_tag_that_would_lose_its_last_other_images_is_trained_on_all_of_them():
    split = rows_of({"a": ["h0", "h1", "h2"], "b": ["h1", "h2", "h3", "h4"]}).split("a", np.arange(10) == 4)
    assert split.counts() == {"tag_train": 3, "tag_test": 0, "other_train": 2, "other_test": 0}


def test_each_tag_is_spread_over_the_folds():
    tagged = rows_of({"a": [f"h{n}" for n in range(7)], "b": [f"h{n}" for n in range(5, 27)], "c": ["h27", "h28"], "d": ["h29"]}, 30)
    folds = tagged.folds(5)
    assert sorted(np.bincount(folds[:7], minlength=5)) == [1, 1, 1, 2, 2]
    assert sorted(np.bincount(folds[5:27], minlength=5)) == [4, 4, 4, 5, 5]
    assert len({*folds[27:30]}) == 3
    assert np.array_equal(folds, tagged.folds(5))


def test_a_tag_gets_folds_of_its_own_where_the_common_ones_leave_it_without_a_class():
    rows, classes, alone = np.arange(6), np.array([0, 0, 1, 1, 1, 1]), np.arange(6)
    assert folds_within(rows, classes, np.array([0, 1, 0, 1, 0, 1]), alone).tolist() == [0, 1, 0, 1, 0, 1]
    assert folds_within(rows, classes, np.array([2, 2, 0, 1, 0, 1]), alone).tolist() == [0, 1, 0, 1, 0, 1]
    assert folds_within(rows, classes, np.array([3, 3, 3, 3, 3, 3]), alone).tolist() == [0, 1, 0, 1, 0, 1]
    assert folds_within(rows, classes, np.array([3, 3, 3, 3, 3, 3]), np.array([0, 1, 2, 2, 3, 3])).tolist() == [0, 1, 0, 0, 1, 1]


def clouds(count: int = 300, width: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Standardised vectors, and three tags that overlap: bool (count, 3)."""
    random = np.random.default_rng(1)
    tags = random.random((count, 3)) < np.array([0.5, 0.2, 0.05])
    vectors = random.normal(size=(count, width)) + tags @ random.normal(size=(3, width))
    return ((vectors - vectors.mean(0)) / vectors.std(0)).astype(np.float32), tags


@pytest.mark.parametrize("count", [300, 8])
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_the_regressions_of_all_tags_are_those_that_scikit_learn_finds_one_by_one(C, count):
    features, tags = clouds()
    features, tags = features[:count], tags[:count] | (np.arange(count)[:, None] == [0, 1, 2])
    used = (np.random.default_rng(2).random(tags.shape) < 0.9) | tags
    regressions = Regressions(features)
    solution = regressions.solve(*(values.astype(np.float32) for values in (tags, used)), np.full(3, C), np.zeros(tags.shape, np.float32))
    for column, (weights, offset) in enumerate(regressions.on_features(solution)):
        rows = used[:, column]
        alone = LogisticRegression(C=C, tol=1e-8, max_iter=1000).fit(features[rows].astype(float), tags[rows, column])
        assert np.abs(features @ weights + offset - alone.decision_function(features)).max() < 0.02


def task(tag: str, is_tag: np.ndarray, folds: int = 5) -> Task:
    rows = np.arange(len(is_tag))
    return Task(tag, rows, 1 - is_tag.astype(int), rows % folds)


def test_regressions_are_fitted_in_blocks_of_the_same_products(monkeypatch):
    blocks, solve = [], Regressions.solve
    monkeypatch.setattr(Regressions, "solve", lambda self, tags, *rest, **more: (
        blocks.append(tags.shape), solve(self, tags, *rest, **more))[1])
    monkeypatch.setattr(newton, "NUMBERS_AT_ONCE", 700)  # two tags at once, then the third
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 0)
    features, tags = clouds()
    fits = []
    list(logistic_regression.fit_all(features, np.ones(10), [task(str(column), tags[:, column]) for column in range(3)],
                                     lambda count=1: fits.append(count)))
    assert blocks == [(300, 2)] * 6 + [(300, 1)] * 6
    assert sum(fits) == 3 * 6


def test_what_a_fold_is_said_to_score_comes_from_a_regression_of_the_other_folds(monkeypatch):
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 0)
    features, tags = clouds()
    spread = np.linspace(1, 3, 10)
    [(_, fit)] = logistic_regression.fit_all(features, spread, [task("a", tags[:, 0])], lambda count=1: None)
    factors = spread ** 0.5 / np.sqrt(spread.mean())
    scores, folds = np.empty(300), np.arange(300) % 5
    for fold in range(5):
        there = folds != fold
        alone = LogisticRegression(C=0.03, tol=1e-8).fit(features[there] * factors, tags[there, 0])
        scores[~there] = alone.decision_function(features[~there] * factors)
    calibrations = [np.polyfit(scores[folds == fold], logit(fit.calibration.unseen[folds == fold]), 1) for fold in range(5)]
    for fold, (slope, offset) in enumerate(calibrations):  # each fold with a sigmoid of its own, which the other folds gave
        assert np.abs(slope * scores[folds == fold] + offset - logit(fit.calibration.unseen[folds == fold])).max() < 0.05
    assert len({round(float(slope), 6) for slope, _ in calibrations}) == 5


def logit(probabilities: np.ndarray) -> np.ndarray:
    return np.log(probabilities / (1 - probabilities))


def test_a_tag_with_few_images_gets_the_penalty_that_is_best_out_of_fold(monkeypatch):
    features, tags = clouds()
    asked, fit = [], logistic_regression._fit

    def watched(features, deviations, tasks, penalty, *fitted):
        found = list(fit(features, deviations, tasks, penalty, *fitted))
        asked.append((penalty, [(task.tag, each.precision) for task, each in zip(tasks, found, strict=True)]))
        return iter(found)

    monkeypatch.setattr(logistic_regression, "_fit", watched)
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 100)
    tasks = [task("many", tags[:, 0]), task("few", tags[:, 2])]
    found = dict(logistic_regression.fit_all(features, np.linspace(0.1, 3, 10), tasks, lambda count=1: None))
    assert [(penalty, [tag for tag, _ in precisions]) for penalty, precisions in asked] == [
        (logistic_regression.USUAL, ["many", "few"]), *((penalty, ["few"]) for penalty in logistic_regression.OF_FEW_IMAGES)]
    assert found["few"].precision == max(precisions[-1][1] for _, precisions in asked)


@pytest.mark.parametrize("largest", [kernel_svm.LARGEST_KERNEL, 100])
def test_the_svms_of_all_tags_are_those_that_scikit_learn_finds_one_by_one(largest, monkeypatch):
    monkeypatch.setattr(kernel_svm, "LARGEST_KERNEL", largest)
    features, tags = clouds()
    rows, folds, fits = np.arange(20, 300), np.arange(280) % 5, []
    tasks = [Task(str(column), rows, 1 - tags[rows, column].astype(int), folds) for column in range(3)]
    machines = {tag: machine for tag, machine, _ in kernel_svm.fit_all(features, tasks, lambda: fits.append(1))}
    assert (list(machines), len(fits)) == (["0", "1", "2"], 3 * 6)
    same_folds = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(5)]
    for task in tasks:
        alone = CalibratedClassifierCV(SVC(C=kernel_svm.C, gamma=1 / (10 * float(features.var()))), ensemble=False, cv=same_folds)
        alone.fit(features[rows].astype(float), task.classes)
        assert np.abs(machines[task.tag].predict_proba(features) - alone.predict_proba(features)).max() < 0.005


def test_tags_that_learn_from_the_same_images_share_the_kernel_matrix(monkeypatch):
    features, tags = clouds()
    matrices = []

    class Watched(RadialKernel):
        def matrix(self, rows: np.ndarray) -> np.ndarray:
            matrices.append(len(rows))
            return super().matrix(rows)

    monkeypatch.setattr(kernel_svm, "RadialKernel", Watched)
    rows = np.arange(300)
    tasks = [Task(str(column), rows, 1 - tags[:, column].astype(int), rows % 5) for column in range(3)]
    list(kernel_svm.fit_all(features, tasks, lambda: None))
    assert matrices == [240] * 5 + [300]


def test_the_variances_of_few_pictures_are_drawn_towards_their_average():
    vectors = np.random.default_rng(0).normal(size=(10, 3)) * [0, 1e-6, 2]
    average = vectors.var(0).mean()
    assert np.allclose(shrunk_scaler(vectors).scale_ ** 2, (10 * vectors.var(0) + 30 * average) / 40)
    assert shrunk_scaler(np.ones((5, 3))).scale_.tolist() == pytest.approx([30 ** 0.5 / 35 ** 0.5] * 3)


@pytest.mark.parametrize("seed", range(3))
def test_two_images_of_a_tag_never_turn_its_svm_round(here, seed):
    vectors = np.random.default_rng(seed).normal(size=(6, 64)).astype(np.float32)
    metadata = Metadata("M:p", {f"h{number}": number for number in range(6)}, vectors)
    tagged = TaggedRows({"a": ["h0", "h1"], "b": ["h2", "h3"], "c": ["h4", "h5"]}, metadata)
    splits = {tag: tagged.split(tag, tagged.hold_out(0.1)) for tag in tagged.tags()}
    for fitted in Training(metadata, splits, tagged, {}).models(lambda count=1: None):
        scores = ModelSet([fitted.estimator]).score(vectors)[:, 0]
        assert scores[tagged.of(fitted.tag)].min() > scores[tagged.negatives(fitted.tag)].max(), (fitted.model_type, fitted.tag)


def test_vectors_of_images_without_a_tag_change_nothing(here):
    tags = {"low": list(range(20)), "high": list(range(20, 40))}
    main(*dataset(tags), "first")
    names, tag_list = dataset(tags)
    record = {"model": "M", "pretrained": "p", "embeddings_vector": [1e30] * 6}
    lines = [*open_text(names).splitlines()[:-2], open_text(names).splitlines()[-2] + ",", f'"outlier": {json.dumps(record)}', "}"]
    (here / "more.json").write_text("\n".join(lines) + "\n")
    main("more.json", tag_list, "second")
    assert tree(here / "second" / "reports") == tree(here / "first" / "reports")


def test_a_picture_listed_twice_in_the_metadata_counts_once(here):
    names, tag_list = dataset({"low": list(range(20)), "high": list(range(20, 40))})
    lines = open_text(names).splitlines()
    (here / "twice.json").write_text("\n".join([*lines[:-2], lines[-2] + ",", lines[1].rstrip(","), "}"]) + "\n")
    assert main("twice.json", tag_list)[SVM]["low"]["tag_train"] == 18


def test_the_table_of_the_report_is_that_of_scikit_learn():
    for found, false_alarms in (([0.9, 0.8, 0.1], [0.2, 0.7]), ([0.1], [0.2, 0.3]), ([0.9], []), ([], [0.9, 0.2])):
        evaluation = HeldOut(np.array(found), np.array(false_alarms), None)
        wanted = classification_report(evaluation.is_tag(), evaluation.scores() >= 0.5, labels=[True, False], target_names=["tag", "other"],
                                       digits=4, zero_division=0).rstrip()
        assert strip_lines(wanted) in report_of(evaluation)


def report_of(evaluation: HeldOut, train: tuple[int, int] = (1, 1)) -> str:
    """The report of a model that was measured out of fold, too."""
    parts = [np.arange(count) for count in (train[0], len(evaluation.tag_scores), train[1], len(evaluation.other_scores))]
    estimate = Estimate(0.75, 0.5, 0.98765)
    metrics = {"average_precision": estimate, "roc_auc": Estimate(0.8, None, None), "f1": estimate, "calibration_error": estimate}
    calibration = Calibration(SIGMOID, 2.0, 0.1, np.zeros(3), 0.2, 0.1)
    return report_text("M:p", 512, "cats", Split(*parts), ModelResult("ovr-svm", calibration, metrics, evaluation, None))


def strip_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_both_classifiers_of_every_tag_are_written_with_card_and_report(trained):
    assert list_models(trained) == [f"./output/models/model-{model_type}-tag-{tag}.pkl" for model_type in (
        LOGISTIC_REGRESSION, SVM) for tag in ("cats", "dogs")]
    assert sorted(os.listdir("output/reports")) == ["index.html", "label-audit.json", *(
        f"model-report-{model_type}-tag-{tag}.txt" for model_type in (LOGISTIC_REGRESSION, SVM) for tag in ("cats", "dogs"))]
    card = json.loads(open_text("output/models/model-ovr-svm-tag-cats.json"))
    assert list(card) == ["model_type", "tag_name", "model", "width", "preprocessing", "counts", "base_rate", "metrics", "cross_validation",
                          "calibration", "thresholds", "training_list", "versions", "created", "sha256"]
    assert list(card["cross_validation"]) == ["average_precision", "roc_auc", "f1", "calibration_error"]
    assert (card["base_rate"], card["thresholds"]) == (0.5, None)
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
    evaluation = HeldOut(np.array([0.95, 1.0, 0.2]), np.array([0.0, 0.05, 0.1, 0.62]), np.array([0.3]))
    assert report_of(evaluation, (20, 40)) == """\
model type   ovr-svm
tag          cats
encoder      M:p, 512 features

images              of the tag       other
trained on                  20          40
held out                     3           4

out of fold              value   95 % interval
average precision       0.7500   0.5000 - 0.9877
ROC AUC                 0.8000
F1                      0.7500   0.5000 - 0.9877
calibration error       0.7500   0.5000 - 0.9877
base rate               0.3333   the average precision of chance
calibration           by a sigmoid (error 0.2000 without, 0.1000 with it)

held out, at 0.5    scored tag  scored other
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
    text = report_of(HeldOut(nothing, nothing, None))
    assert "accuracy              no held-out image\n" in text
    assert "precision    recall" not in text


def test_a_tag_without_a_vector_is_skipped_and_named(here, capsys):
    results = main(*dataset({"many": list(range(20)), "more": list(range(20, 40)), "gone": [99], "all": list(range(40))}))
    assert capsys.readouterr().err == (
        "1 images of tags.json have no vector in metadata.json\n"
        "skipped tag all: no image without it that has a vector\n"
        "skipped tag gone: no image with a vector\n")
    assert list(results[SVM]) == ["many", "more"]


@pytest.mark.parametrize("images", range(1, 11))
def test_a_tag_with_few_images_is_learnt(here, images):
    random = np.random.default_rng(images)
    vectors = random.normal(size=(60, 32)).astype(np.float32)
    vectors[:20, 0] += 6  # what makes the tag; the person has labelled some, and the rest are somewhere else
    learnt = [*range(images), *range(20, 60)]
    metadata = Metadata("M:p", {f"h{place}": place for place in range(len(learnt))}, vectors[learnt])
    tags = {"few": [f"h{n}" for n in range(images)], "others": [f"h{n}" for n in range(images, images + 40)]}
    tagged = TaggedRows(tags, metadata)
    splits = {tag: tagged.split(tag, tagged.hold_out(0)) for tag in tagged.tags()}
    for fitted in Training(metadata, splits, tagged, {}).models(lambda count=1: None):
        scores = ModelSet([fitted.estimator]).score(vectors)[:, 0]
        ranks = np.argsort(np.argsort(-scores))
        wanted = slice(10, 20) if fitted.tag == "few" else slice(20, 60)  # the ten that nobody has labelled
        assert np.median(ranks[wanted]) < 30, (fitted.tag, fitted.model_type)
        assert (fitted.calibration.unseen is None) == (images == 1)


@pytest.mark.parametrize(("tags", "message"), [
    ({"only": list(range(10))}, "no negatives: every image carries every tag; add a second tag, or a folder other-training"),
    ({"one": [90], "two": [91]}, "no image of tags.json has a vector in metadata.json: these two files are not of one dataset"),
    ({}, "no tag of tags.json has an image with a vector in metadata.json"),
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


def test_the_command_line_shows_how_good_each_model_is_on_unseen_images(here, capsys):
    metadata, tags = dataset({"low": list(range(20)), "high": list(range(20, 40)), "one": [3]})
    assert command(["--metadata-json", metadata, "--tag_to_hash_json", tags, "--test_per", "0.2"]) == 0
    assert capsys.readouterr().out == (
        "                        average precision on unseen images (95 % interval)\n"
        "tag   images base rate  ovr-logistic-regression  ovr-svm\n"
        "high      16    0.5000  1.000 (0.631-1.000)      1.000 (0.631-1.000)\n"
        "low       16    0.5000  1.000 (0.664-1.000)      1.000 (0.664-1.000)\n"
        "one        1    0.0312  -                        -\n"
        "-: nothing to measure on, which takes two images of the tag and two others\n"
        "trained 6 models of 3 tags; look at ./output/reports/index.html\n"
        "processed 40, unchanged 0, skipped 0\n")
    assert command(["--metadata_json", metadata, "--tag_to_hash_json", tags, "--test_per", "1"]) == 2
    assert capsys.readouterr().err == "error: --test_per 1.0 is not a share of the images, between 0 and 1\n"
