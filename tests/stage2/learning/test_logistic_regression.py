"""The regressions of all tags together are those that scikit-learn finds one by one."""
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from stage2.learning import logistic_regression, newton
from stage2.learning.newton import Regressions
from stage2.learning.task import Task
from tests.stage2.datasets import clouds


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
