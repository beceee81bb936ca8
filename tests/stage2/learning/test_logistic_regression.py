"""The regressions of all tags together are those that scikit-learn finds one by one."""
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from stage2.learning import logistic_regression, newton
from stage2.learning.newton import Regressions
from stage2.learning.task import HELD_OUT, Task, Trial
from tests.stage2.datasets import clouds


@pytest.mark.parametrize("count", [300, 8])
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_the_regressions_of_all_tags_are_those_that_scikit_learn_finds_one_by_one(C, count):
    features, tags = clouds()
    each_has_one = np.arange(count)[:, None] == [0, 1, 2]
    features, tags = features[:count], tags[:count] | each_has_one
    used = (np.random.default_rng(2).random(tags.shape) < 0.9) | tags
    regressions = Regressions(features)
    no_prior = np.zeros(tags.shape, np.float32)
    solution = regressions.solve(tags.astype(np.float32), used.astype(np.float32), np.full(3, C), no_prior)
    for column, (weights, offset) in enumerate(regressions.on_features(solution)):
        rows = used[:, column]
        alone = LogisticRegression(C=C, tol=1e-8, max_iter=1000)
        alone.fit(features[rows].astype(float), tags[rows, column])
        assert np.abs(features @ weights + offset - alone.decision_function(features)).max() < 0.02


def task(tag: str, is_tag: np.ndarray, folds: int = 5) -> Task:
    rows = np.arange(len(is_tag))
    return Task(tag, rows, 1 - is_tag.astype(int), rows % folds)


def test_regressions_are_fitted_in_blocks_of_the_same_products(monkeypatch):
    blocks, solve = [], Regressions.solve

    def watched(self, tags, *rest, **more):
        blocks.append(tags.shape)
        return solve(self, tags, *rest, **more)

    monkeypatch.setattr(Regressions, "solve", watched)
    monkeypatch.setattr(newton, "NUMBERS_AT_ONCE", 700)  # two tags at once, then the third
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 0)
    features, tags = clouds()
    fits = []
    tasks = [task(str(column), tags[:, column]) for column in range(3)]
    list(logistic_regression.fit_all(features, np.ones(10), tasks, lambda count=1: fits.append(count)))
    assert blocks == [(300, 2)] * 6 + [(300, 1)] * 6
    assert sum(fits) == 3 * 6


def test_what_a_fold_is_said_to_score_comes_from_a_regression_of_the_other_folds(monkeypatch):
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 0)
    features, tags = clouds()
    spread = np.linspace(1, 3, 10)
    [(_, fit)] = logistic_regression.fit_all(features, spread, [task("a", tags[:, 0])], lambda count=1: None)
    factors = spread ** 0.5 / np.sqrt(spread.mean())
    for fold in range(5):
        here = np.arange(300) % 5 == fold
        alone = LogisticRegression(C=0.03, tol=1e-8).fit(features[~here] * factors, tags[~here, 0])
        scores = alone.decision_function(features[here] * factors)
        assert np.abs(scores - fit.scores.folds[here]).max() < 0.02


def test_a_trial_asks_a_regression_that_has_learnt_from_its_rows_alone(monkeypatch):
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 0)
    features, tags = clouds()
    numbers = np.arange(300)
    strangers = Trial(learnt=(numbers % 3 > 0) & (numbers < 270), asked=(numbers % 3 == 0) & (numbers < 270))
    folds = np.where(numbers < 270, numbers % 5, HELD_OUT)
    task = Task("a", numbers, 1 - tags[:, 0].astype(int), folds, strangers=lambda: [strangers], kinds=3)
    [(_, fit)] = logistic_regression.fit_all(features, np.ones(10), [task], lambda count=1: None)
    held_out = Trial(learnt=numbers < 270, asked=numbers >= 270)
    for trial, scores in ((strangers, fit.scores.strangers), (held_out, fit.scores.held_out)):
        alone = LogisticRegression(C=0.03, tol=1e-8).fit(features[trial.learnt], tags[trial.learnt, 0])
        assert np.abs(alone.decision_function(features[trial.asked]) - scores[trial.asked]).max() < 0.02
        assert np.isnan(scores[~trial.asked]).all()
    alone = LogisticRegression(C=0.03, tol=1e-8).fit(features, tags[:, 0])
    assert np.abs(alone.decision_function(features) - fit.scores.learnt).max() < 0.02


def test_of_the_trials_of_many_tags_one_of_each_is_there_at_a_time(monkeypatch):
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 0)
    features, tags = clouds()
    numbers, told, solve = np.arange(300), [], Regressions.solve

    def strangers(tag: str) -> Iterator[Trial]:
        for number in range(3):
            told.append(f"{tag} {number}")
            yield Trial(numbers % 3 != number, numbers % 3 == number)

    monkeypatch.setattr(Regressions, "solve", lambda *given, **more: (
        told.append("solved"), solve(*given, **more))[1])
    tasks = [
        replace(task(tag, tags[:, column], folds=2), strangers=partial(strangers, tag), kinds=3)
        for column, tag in enumerate("ab")]
    list(logistic_regression.fit_all(features, np.ones(10), tasks, lambda count=1: None))
    of_strangers = ["a 0", "b 0", "solved", "a 1", "b 1", "solved", "a 2", "b 2", "solved"]
    assert told == ["solved", *["solved"] * 2, *of_strangers]


def test_a_tag_with_few_images_gets_the_penalty_that_is_best_out_of_fold(monkeypatch):
    features, tags = clouds()
    asked, fit = [], logistic_regression._fit

    def watched(features, deviations, tasks, penalty, *fitted):
        fits = list(fit(features, deviations, tasks, penalty, *fitted))
        asked.append((penalty, {task.tag: fit.precision for task, fit in zip(tasks, fits, strict=True)}))
        return iter(fits)

    monkeypatch.setattr(logistic_regression, "_fit", watched)
    monkeypatch.setattr(logistic_regression, "FEW_IMAGES", 100)
    tasks = [task("many", tags[:, 0]), task("few", tags[:, 2])]
    deviations = np.linspace(0.1, 3, 10)
    fitted = logistic_regression.fit_all(features, deviations, tasks, lambda count=1: None)
    fits = {task.tag: fit for task, fit in fitted}
    assert [(penalty, list(precisions)) for penalty, precisions in asked] == [
        (logistic_regression.USUAL, ["many", "few"]),
        *((penalty, ["few"]) for penalty in logistic_regression.OF_FEW_IMAGES)]
    assert fits["few"].precision == max(precisions["few"] for _, precisions in asked)
