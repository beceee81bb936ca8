"""What the plots show, as numbers: curves keep their area, thinned lines their shape, bins every image."""
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from stage2.report import curves


@st.composite
def scored(draw) -> tuple[np.ndarray, np.ndarray]:
    """Labels of both kinds, and probabilities with ties."""
    number = st.sampled_from([0, 0.1, 0.3, 0.7, 1]) | st.floats(0, 1)
    probabilities = draw(st.lists(number, min_size=2, max_size=60))
    labels = draw(st.lists(st.booleans(), min_size=len(probabilities), max_size=len(probabilities)))
    labels[:2] = [True, False]
    return np.array(labels), np.array(probabilities, float)


@given(scored())
def test_the_area_under_the_curve_of_precision_and_recall_is_the_average_precision(drawn):
    is_tag, probabilities = drawn
    recall, precision = curves.precision_recall(is_tag, probabilities).T
    area = np.trapezoid(precision, recall)
    assert area == pytest.approx(average_precision_score(is_tag, probabilities), abs=curves.TOLERANCE)
    assert (recall[0], recall[-1]) == (0, 1)


@given(st.integers(0, 10_000), st.integers(3, 3000), st.integers(3, 250))
def test_a_thinned_line_keeps_its_ends_and_runs_past_every_point_that_it_leaves_out(seed, count, most):
    random = np.random.default_rng(seed)
    points = np.stack([np.sort(random.random(count)), random.normal(size=count).cumsum() / 30], 1)
    thin = curves.thinned(points, most)
    places = np.searchsorted(points[:, 0], thin[:, 0])
    assert len(thin) <= most
    assert np.array_equal(points[places], thin)
    assert (places[0], places[-1]) == (0, count - 1)
    if len(thin) < most:
        farthest = max(_distance(points[place], thin) for place in random.integers(0, count, 20))
        assert farthest <= curves.TOLERANCE + 1e-12


def _distance(point: np.ndarray, line: np.ndarray) -> float:
    shares = np.linspace(0, 1, 401)[:, None]
    distances = []
    for start, end in pairwise(line):
        to_points_between = np.linalg.norm(start + shares * (end - start) - point, axis=1)
        half_a_step = np.linalg.norm(end - start) / 800
        distances.append(to_points_between.min() - half_a_step)
    return min(distances)


def test_a_long_curve_is_thinned_to_what_can_be_seen(tmp_path):
    random = np.random.default_rng(0)
    is_tag = random.random(10_000) < 0.2
    probabilities = random.random(10_000) ** (2 - is_tag)
    recall, precision = curves.precision_recall(is_tag, probabilities).T
    assert len(recall) <= curves.MOST_CORNERS
    area = np.trapezoid(precision, recall)
    assert area == pytest.approx(average_precision_score(is_tag, probabilities), abs=curves.TOLERANCE)


@given(scored())
def test_bins_of_plots_hold_every_image_once(drawn):
    is_tag, probabilities = drawn
    said, was, counts = curves.reliability(is_tag, probabilities).T
    assert counts.sum() == len(is_tag) == curves.histogram(probabilities).sum()
    assert counts @ was == pytest.approx(is_tag.sum())
    assert counts @ said == pytest.approx(probabilities.sum())
