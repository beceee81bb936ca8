"""A machine found from few rows is the one that scikit-learn finds from all."""
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.svm import SVC

from stage2.learning import active_set
from stage2.learning.active_set import EXACT, LOOSE, ActiveSets, C, Care, Machine, Search
from stage2.learning.kernel_values import KernelValues, StreamedKernel, WholeKernel

ROWS, GAMMA = 400, 0.1


@pytest.fixture(autouse=True)
def _small_fields(monkeypatch):
    monkeypatch.setattr(active_set, "FIRST_FIELD", 60)
    monkeypatch.setattr(active_set, "FEWEST_OF_A_CLASS", 10)


def drawn(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 6) and signs (n,)."""
    random = np.random.default_rng(1)
    count = 50 if kind == "fewer rows than a search begins with" else ROWS
    features = random.normal(size=(count, 6)).astype(np.float32)
    signs = np.where(features[:, 0] + features[:, 1] > 0, 1, -1)
    if kind == "unbalanced":
        signs = np.where(features[:, 0] > 2, 1, -1)
    if kind == "one row of the tag":
        signs = np.where(np.arange(count) == 7, 1, -1)
    if kind == "separable":
        features[:, 0] += 10 * signs
    if kind == "noisy":
        signs = np.where(random.random(count) < 0.2, -signs, signs)
    if kind == "duplicates":
        features[:] = features[np.arange(count) // 4]
        signs = np.where(features[:, 0] > 0, 1, -1)
        signs[::8] *= -1
    if kind == "rows not learnt from":
        signs[::3] = 0
    return features, signs


def found(
    features: np.ndarray, *searches: Search, threads: int = 2, care: Care = EXACT,
    kernel_of: Callable[..., KernelValues] = WholeKernel,
) -> list[Machine]:
    with ThreadPoolExecutor(threads) as pool:
        ActiveSets(kernel_of(features, GAMMA, pool), pool, lambda count: None).find(searches, care)
    return [search.machine for search in searches]


def said(machine: Machine, features: np.ndarray, asked: np.ndarray) -> np.ndarray:
    squares = ((asked[:, None].astype(float) - features[machine.support]) ** 2).sum(2)
    return np.exp(-GAMMA * squares) @ machine.coefficients + machine.offset


def furthest_apart(machine: Machine, features: np.ndarray, signs: np.ndarray) -> float:
    """From what scikit-learn's machine of the rows learnt from says of other rows."""
    learnt, asked = signs != 0, np.random.default_rng(2).normal(size=(100, 6))
    alone = SVC(C=C, gamma=GAMMA).fit(features[learnt].astype(float), signs[learnt])
    return np.abs(said(machine, features, asked) - alone.decision_function(asked)).max()


@pytest.mark.parametrize("kind", [
    "halves", "unbalanced", "one row of the tag", "separable", "noisy", "duplicates", "rows not learnt from",
    "fewer rows than a search begins with"])
def test_the_machine_of_few_rows_is_that_of_all(kind):
    features, signs = drawn(kind)
    machine, = found(features, Search(signs))
    assert furthest_apart(machine, features, signs) < 5e-3
    assert (np.diff(machine.support) > 0).all()
    assert (np.sign(machine.coefficients) == signs[machine.support]).all()
    assert abs(machine.coefficients.sum()) < 1e-6


def test_of_many_rows_few_are_ever_fitted_together(monkeypatch):
    features, signs = drawn("separable")
    sizes, fit = [], Search.fit
    monkeypatch.setattr(Search, "fit", lambda self, square, tolerance: (
        sizes.append(len(square)), fit(self, square, tolerance)))
    found(features, Search(signs))
    assert (max(sizes) < ROWS / 2, len(sizes) <= 4) == (True, True)


@pytest.mark.parametrize("kind", ["halves", "noisy", "rows not learnt from"])
def test_a_search_that_finds_no_end_is_one_of_all_rows(kind, monkeypatch):
    monkeypatch.setattr(active_set, "MOST_ROUNDS", 1)
    features, signs = drawn(kind)
    search = Search(signs)
    machine, = found(features, search)
    assert search.active.tolist() == np.flatnonzero(signs).tolist()
    assert furthest_apart(machine, features, signs) < 5e-3


@pytest.mark.parametrize("kind", ["halves", "unbalanced", "noisy"])
def test_a_search_that_starts_from_the_support_vectors_of_more_rows_ends_at_the_same_machine(kind):
    features, signs = drawn(kind)
    all_rows = Search(signs)
    found(features, all_rows)
    some = np.where(np.arange(ROWS) % 5 == 0, 0, signs)
    warm, = found(features, Search(some, all_rows.near))
    assert furthest_apart(warm, features, some) < 5e-3


def test_a_start_without_one_of_the_classes_gets_some_of_it():
    features, signs = drawn("unbalanced")
    machine, = found(features, Search(signs, np.flatnonzero(signs == -1)[:20]))
    assert furthest_apart(machine, features, signs) < 5e-3


def test_machines_are_the_same_bytes_whatever_the_threads_and_the_order_of_the_searches():
    features, signs = drawn("noisy")
    signs_of = [signs, -signs, np.where(features[:, 2] > 1, 1, -1)]
    one, many = ([Search(signs) for signs in signs_of] for _ in range(2))
    machines = [found(features, *one, threads=1), found(features, *many[::-1], threads=4)[::-1]]
    as_bytes = [
        [(machine.support.tobytes(), machine.coefficients.tobytes(), machine.offset) for machine in of_run]
        for of_run in machines]
    assert as_bytes[0] == as_bytes[1]


def test_every_machine_is_reported_once():
    features, signs = drawn("halves")
    counts = []
    with ThreadPoolExecutor(2) as pool:
        sets = ActiveSets(WholeKernel(features, GAMMA, pool), pool, counts.append)
        sets.find([Search(signs), Search(np.where(np.arange(ROWS) < 3, 1, -1))], EXACT)
    assert sum(counts) == 2


def test_without_the_last_care_every_row_has_been_looked_at_once():
    features, signs = drawn("halves")
    machine, = found(features, Search(signs), care=LOOSE, kernel_of=StreamedKernel)
    exact, = found(features, Search(signs))
    nearly, exactly = said(machine, features, features), said(exact, features, features)
    assert np.corrcoef(nearly, exactly)[0, 1] > 0.99
    assert (signs * nearly > 0).mean() > 0.98


def test_a_search_learns_from_no_more_rows_when_their_support_vectors_are_too_many(monkeypatch):
    monkeypatch.setattr(active_set, "MOST_ACTIVE", 120)
    monkeypatch.setattr(active_set, "MOST_SUPPORT", 50)
    features, signs = drawn("noisy")
    machine, = found(features, Search(signs), care=LOOSE, kernel_of=StreamedKernel)
    assert 50 < len(machine.support) <= 120
