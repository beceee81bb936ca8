"""What a fitted model is said to be worth, in either world."""
import numpy as np
import pytest

from stage2.flags import STRANGERS
from stage2.judging.judge import Judge
from stage2.judging.results import ModelResult
from tests.stage2.datasets import metadata_of, models, tagged


def results(tags: dict[str, range], vectors: np.ndarray, held_out: float = 0) -> list[ModelResult]:
    rows = tagged(tags, vectors)
    judge = Judge(metadata_of(vectors), rows, (0.9, 0.9), STRANGERS)
    return [judge.result(fitted) for fitted in models(rows, vectors, held_out)]


@pytest.fixture(scope="module")
def alike_beside_others() -> tuple[np.ndarray, dict[str, range]]:
    """60 cats and 60 dogs, which hardly differ, and 150 pictures of anything else."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(270, 8)).astype(np.float32)
    vectors[:120, 0] += 12
    vectors[60:120, 1] += 0.5
    return vectors, {"cats": range(60), "dogs": range(60, 120), "other-training": range(120, 270)}


def test_with_other_training_pictures_of_other_tags_are_the_strangers(alike_beside_others):
    vectors, tags = alike_beside_others
    for result in results(tags, vectors):
        assert result.closed.metrics["average_precision"].value > 0.99, "among others there are no dogs"
        assert result.closed.promises.yes_from is not None
        assert result.strangers.metrics["average_precision"].value < 0.8
        assert result.strangers.promises.yes_from is None


def test_of_a_single_tag_beside_other_training_these_stand_for_strangers(alike_beside_others):
    vectors, tags = alike_beside_others
    for result in results({"cats": tags["cats"], "other-training": tags["other-training"]}, vectors):
        assert result.strangers.metrics == result.closed.metrics
        assert result.strangers.promises.yes_from is not None
