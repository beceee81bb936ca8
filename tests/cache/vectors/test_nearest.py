"""The nearest of many vectors, whatever the part of the stream they come in."""
import numpy as np
import pytest

from cache.vectors import nearest as module
from cache.vectors.nearest import cosines, nearest

QUERY = np.float32([3, 4])


def test_the_most_alike_come_first_and_other_widths_are_passed_over():
    vectors = {"same": [6, 8], "turned": [-4, 3], "near": [4, 3], "against": [-3, -4], "wide": [3, 4, 0]}
    named = ((name, np.float32(vector)) for name, vector in vectors.items())
    assert nearest(QUERY, named, 3) == [
        (pytest.approx(1), "same"), (pytest.approx(0.96), "near"), (pytest.approx(0, abs=1e-7), "turned")]
    assert nearest(QUERY, iter([]), 3) == []


@pytest.mark.parametrize("at_once", [1, 7, 4096])
def test_the_answer_does_not_depend_on_the_parts(monkeypatch, at_once):
    vectors = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", at_once)
    names = [name for _, name in nearest(QUERY, ((str(row), vectors[row]) for row in range(50)), 10)]
    exact = vectors.astype(float) @ QUERY / np.linalg.norm(vectors.astype(float), axis=1)
    assert names == [str(row) for row in np.argsort(-exact)[:10]]


def test_a_vector_without_length_is_like_nothing():
    assert cosines(np.float32([[0, 0], [3, 4]]), QUERY).tolist() == [0, pytest.approx(1)]
    assert cosines(np.float32([[3, 4]]), np.zeros(2, np.float32)).tolist() == [0]
