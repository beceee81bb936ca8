"""Both classifiers of a tag, also of one with very few images."""
import numpy as np
import pytest

from cache.models.tag_scores import ModelSet
from stage2.learning.training import shrunk_scaler
from tests.stage2.datasets import models, tagged


def test_the_variances_of_few_pictures_are_drawn_towards_their_average():
    vectors = np.random.default_rng(0).normal(size=(10, 3)) * [0, 1e-6, 2]
    average = vectors.var(0).mean()
    assert np.allclose(shrunk_scaler(vectors).scale_ ** 2, (10 * vectors.var(0) + 30 * average) / 40)
    assert shrunk_scaler(np.ones((5, 3))).scale_.tolist() == pytest.approx([30 ** 0.5 / 35 ** 0.5] * 3)


@pytest.mark.parametrize("seed", range(3))
def test_two_images_of_a_tag_never_turn_its_svm_round(here, seed):
    vectors = np.random.default_rng(seed).normal(size=(6, 64)).astype(np.float32)
    rows = tagged({"a": [0, 1], "b": [2, 3], "c": [4, 5]}, vectors)
    for model in models(rows, vectors, held_out=0.1):
        scores = ModelSet([model.estimator]).score(vectors)[:, 0]
        tags, others = scores[rows.of(model.tag)], scores[rows.negatives(model.tag)]
        assert tags.min() > others.max(), (model.model_type, model.tag)


@pytest.mark.parametrize("images", range(1, 11))
def test_a_tag_with_few_images_is_learnt(here, images):
    random = np.random.default_rng(images)
    vectors = random.normal(size=(60, 32)).astype(np.float32)
    vectors[:20, 0] += 6  # what makes the tag; the person has labelled some, and the rest are somewhere else
    learnt = vectors[[*range(images), *range(20, 60)]]
    rows = tagged({"few": range(images), "others": range(images, images + 40)}, learnt)
    for model in models(rows, learnt):
        scores = ModelSet([model.estimator]).score(vectors)[:, 0]
        ranks = np.argsort(np.argsort(-scores))
        wanted = slice(10, 20) if model.tag == "few" else slice(20, 60)  # the ten that nobody has labelled
        assert np.median(ranks[wanted]) < 30, (model.tag, model.model_type)
        assert (model.calibration.unseen is None) == (images == 1)


def test_a_tag_with_folds_and_one_without_are_not_judged_together():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(7, 16)).astype(np.float32)
    rows = tagged({"a": [0, 1], "m": [2, 3, 4, 5], "z": [6]}, vectors)
    unseen = [(model.tag, model.calibration.unseen) for model in models(rows, vectors)]
    assert [tag for tag, probabilities in unseen if probabilities is None] == ["z", "z"]
    assert all(np.isfinite(probabilities).all() for _, probabilities in unseen if probabilities is not None)
