"""Both classifiers of a tag, also of one with very few images."""
import numpy as np
import pytest

from cache.models.tag_scores import ModelSet
from cache.stores.metadata import Metadata
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Training, shrunk_scaler
from tests.stage2.datasets import tagged


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


def test_a_tag_with_folds_and_one_without_are_not_judged_together():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(7, 16)).astype(np.float32)
    rows = tagged({"a": [0, 1], "m": [2, 3, 4, 5], "z": [6]}, vectors)
    splits = {tag: rows.split(tag, rows.hold_out(0)) for tag in rows.tags()}
    metadata = Metadata("M:p", {f"h{number}": number for number in range(7)}, vectors)
    unseen = {(model.tag, model.model_type): model.calibration.unseen
              for model in Training(metadata, splits, rows, {}).models(lambda count=1: None)}
    assert {tag for (tag, _), found in unseen.items() if found is None} == {"z"}
    assert all(np.isfinite(found).all() for found in unseen.values() if found is not None)
