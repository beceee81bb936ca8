"""What to label next: uncertain images that stand for others, and none that is nearly the same as another."""
from dataclasses import replace

import numpy as np
import pytest

from cache.stores.metadata import Metadata
from stage2.judging import label_queue
from stage2.judging.label_queue import suggestions
from stage2.judging.results import Suggestion
from tests.stage2.datasets import metadata_of

TAGS = ["cats", "dogs"]


def corners(*probabilities: tuple[float, float]) -> tuple[Metadata, np.ndarray]:
    """Images h0, h1, ... in directions of their own, and what two models say of them."""
    return metadata_of(10 * np.eye(len(probabilities), dtype=np.float32)), np.array(probabilities)


def queue(
    metadata: Metadata, probabilities: np.ndarray, labelled=(), find_paths=lambda hash_ids: {},
    count: int = 50,
) -> list[Suggestion]:
    """The model looks a vector up among all."""
    def score(vectors: np.ndarray) -> np.ndarray:
        return np.stack([probabilities[(metadata.matrix == vector).all(1).argmax()] for vector in vectors])

    return suggestions(metadata, score, TAGS, labelled, find_paths=find_paths, count=count)


def hashes(listed: list[Suggestion]) -> list[str]:
    return [suggestion.hash_id for suggestion in listed]


def test_where_all_images_are_unlike_each_other_the_most_uncertain_come_first():
    asked = []

    def find_paths(hash_ids) -> dict[str, str]:
        asked.extend(hash_ids)
        return {"h1": "/new/1.png"}

    listed = queue(*corners((0.9, 0.01), (0.1, 0.5), (1, 0.3), (0.99, 0.99)), find_paths=find_paths, count=3)
    assert asked == ["h1", "h2", "h0"]
    rounded = [
        replace(one, uncertainty=round(one.uncertainty, 6), novelty=round(one.novelty, 5)) for one in listed]
    away = 1.33333  # seen from their mean, corners look away from each other
    assert rounded == [
        Suggestion("h1", "/new/1.png", "dogs", 0.5, 1.0, 1.0),
        Suggestion("h2", None, "dogs", 0.3, 0.6, away),
        Suggestion("h0", None, "cats", 0.9, 0.2, away)]


def test_images_labelled_already_are_left_out():
    metadata, probabilities = corners((0.5, 0), (0.4, 0), (0.3, 0))
    assert hashes(queue(metadata, probabilities, labelled={"h0", "elsewhere"})) == ["h1", "h2"]
    assert queue(metadata, probabilities, labelled={"h0", "h1", "h2"}) == []


def test_of_near_duplicates_only_the_most_uncertain_is_suggested():
    random = np.random.default_rng(0)
    apart = random.normal(size=(6, 40)).astype(np.float32)
    metadata = metadata_of(np.concatenate([apart, apart + np.float32(0.001)]))
    probabilities = np.column_stack([np.linspace(0.2, 0.5, 12), np.zeros(12)])
    assert sorted(hashes(queue(metadata, probabilities))) == ["h10", "h11", "h6", "h7", "h8", "h9"]


def two_clouds() -> tuple[Metadata, np.ndarray]:
    """Thirty images of one kind, which are a little surer than ten of another, and an odd one that is the
    least sure of all."""
    random = np.random.default_rng(1)
    kinds = np.repeat(np.eye(3, 64), [30, 10, 1], axis=0) * 10
    vectors = (kinds + random.normal(size=kinds.shape)).astype(np.float32)
    uncertainty = np.repeat([0.8, 0.9, 0.95], [30, 10, 1])
    return metadata_of(vectors), np.column_stack([1 - uncertainty / 2, np.zeros(41)])


def test_an_image_that_stands_for_many_uncertain_ones_comes_before_an_odd_one():
    rows = [int(suggestion.hash_id[1:]) for suggestion in queue(*two_clouds(), count=2)]
    assert np.searchsorted([30, 40], sorted(rows), side="right").tolist() == [0, 1]


def test_a_sure_image_is_not_suggested_for_the_sake_of_its_uncertain_neighbours():
    middle, sides = np.eye(1, 4), np.array([[1, 1, 0, 0], [1, -1, 0, 0], [1, 0, 1, 0], [1, 0, -1, 0]])
    kind = np.concatenate([middle, sides]).astype(np.float32)
    metadata = metadata_of(np.concatenate([kind, -kind]))
    listed = queue(metadata, np.tile([[0.9, 0.0], *[[0.55, 0.0]] * 4], (2, 1)), count=4)
    assert not {"h0", "h5"} & set(hashes(listed))


def test_novelty_is_measured_from_the_nearest_image_suggested_before():
    metadata, probabilities = two_clouds()
    listed = queue(metadata, probabilities, count=5)
    seen = metadata.matrix[[int(suggestion.hash_id[1:]) for suggestion in listed]] - metadata.matrix.mean(0)
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    expected = [1.0, *(1 - (seen[:place] @ seen[place]).max() for place in range(1, 5))]
    assert [suggestion.novelty for suggestion in listed] == pytest.approx(expected, abs=1e-6)


def test_scores_are_asked_for_in_blocks_and_give_the_same_queue(monkeypatch):
    metadata, probabilities = two_clouds()
    whole = queue(metadata, probabilities, count=9)
    monkeypatch.setattr(label_queue, "ROWS_AT_ONCE", 7)
    assert queue(metadata, probabilities, count=9) == whole


def test_only_the_most_uncertain_are_candidates(monkeypatch):
    monkeypatch.setattr(label_queue, "CANDIDATES", 2)
    metadata, probabilities = corners(*((0.5 - row / 100, 0.0) for row in range(10)))
    assert hashes(queue(metadata, probabilities, count=2)) == ["h0", "h1"]
    monkeypatch.setattr(label_queue, "CANDIDATES", 1)
    assert set(hashes(queue(*two_clouds(), count=11))) == {f"h{row}" for row in range(30, 41)}


def test_images_that_all_look_the_same_are_one():
    metadata = Metadata("M:p", {"a": 0, "b": 1}, np.ones((2, 4), np.float32))
    listed = hashes(queue(metadata, np.array([[0.5, 0.1], [0.5, 0.1]])))
    assert listed == ["a", "b"], "at their mean, where nobody knows how like each other they are"
