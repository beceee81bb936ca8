"""What `python -m benchmarks.label_errors` plants and counts."""
import numpy as np

from benchmarks.label_errors import Dataset, found, rows_of_table
from tests.stage2.datasets import hashes, metadata_of


def drawn() -> Dataset:
    """Sixty pictures of three tags that lie apart, one of two tags, and one without a vector."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(61, 8)) + 6 * np.repeat(np.eye(3, 8), [20, 20, 21], axis=0)
    tags = {"a": range(20), "b": [*range(20, 40), 60], "c": [*range(40, 61), 99]}
    return Dataset(
        metadata_of(vectors.astype(np.float32)), {tag: hashes(numbers) for tag, numbers in tags.items()})


def test_a_twentieth_of_the_pictures_of_one_tag_get_another_one():
    dataset = drawn()
    assert np.bincount(dataset.labels).tolist() == [20, 20, 20]
    wrong = [np.flatnonzero(dataset.spoilt(seed) != dataset.labels).tolist() for seed in (0, 1)]
    assert [len(rows) for rows in wrong] == [3, 3]
    assert wrong[0] != wrong[1]


def test_the_first_are_as_many_as_were_planted_and_those_listed_are_counted_apart():
    wrong = np.array([True, False, True, False])
    assert found(np.array([4.0, 3, 2, 1]), [0, 1, 2], wrong) == (2, 0.5, 3, 2)


def test_the_table_has_the_means_of_all_draws(monkeypatch):
    monkeypatch.setattr("benchmarks.label_errors.find_spec", lambda name: None)
    head, row = rows_of_table(drawn(), 2)
    assert head.split() == ["mean", "of", "2", "planted", "first", "k", "listed", "right"]
    assert row.split()[:5] == ["labels", "to", "check", "3.0", "1.000"]
