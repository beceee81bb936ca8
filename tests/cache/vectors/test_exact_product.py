"""Products whose every entry hangs on its row and its column alone: right, and the same bits in any order
and company."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.vectors.exact_product import ExactProduct, _sliced, exact_product

SLICES = [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]


def factors(inner: int, rows: int = 20, columns: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """With rows and columns of very different sizes, and entries of very different sizes within each."""
    random = np.random.default_rng(seed)
    shapes = (rows, inner), (inner, columns)
    left, right = (random.normal(size=shape) * np.exp(random.normal(size=shape)) for shape in shapes)
    left *= 10.0 ** random.integers(-30, 30, (rows, 1))
    right *= 10.0 ** random.integers(-30, 30, (1, columns))
    return left, right


def products_in_fractions(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    def product(row: np.ndarray, column: np.ndarray) -> float:
        terms = (Fraction(a) * Fraction(b) for a, b in zip(row.tolist(), column.tolist(), strict=True))
        return float(sum(terms))

    return np.array([[product(row, column) for column in right.T] for row in left])


@pytest.mark.parametrize("inner", [1, 2, 3, 100, 513])
@pytest.mark.parametrize(("slices", "bits"), [((1, 1), 44), ((2, 1), 58), ((2, 2), 88), ((3, 3), 88)])
def test_a_product_is_right_to_the_bits_of_its_slices(inner, slices, bits):
    left, right = factors(inner, rows=6, columns=4)
    largest = np.abs(left).max(axis=1)[:, None] * np.abs(right).max(axis=0)
    errors = np.abs(ExactProduct(right, *slices)(left) - products_in_fractions(left, right))
    assert (errors <= largest * inner * 2.0 ** (10 - bits // 2)).all()


@pytest.mark.parametrize("slices", SLICES)
def test_the_order_of_the_terms_changes_nothing(slices):
    """So no library can, however it cuts its products and on however many threads."""
    left, right = factors(700)
    product = ExactProduct(right, *slices)(left)
    random = np.random.default_rng(1)
    for _ in range(5):
        order = random.permutation(700)
        assert np.array_equal(ExactProduct(right[order], *slices)(left[:, order]), product)
    assert not np.array_equal(left[:, order] @ right[order], left @ right), "the plain product passes, too"


@pytest.mark.parametrize("slices", SLICES)
def test_neither_the_other_rows_nor_the_other_columns_change_anything(slices):
    left, right = factors(130, rows=40, columns=9)
    product = ExactProduct(right, *slices)(left)
    for row in range(40):
        assert np.array_equal(ExactProduct(right, *slices)(left[row:row + 1]), product[row:row + 1])
    for column in range(9):
        assert np.array_equal(ExactProduct(right[:, [column]], *slices)(left), product[:, [column]])


@given(
    st.lists(st.lists(st.floats(-1e250, 1e250), min_size=4, max_size=4), min_size=1, max_size=5),
    st.integers(1, 3), st.integers(5, 26))
def test_slices_are_whole_numbers_of_few_bits_that_add_up_to_their_row(rows, count, bits):
    matrix = np.array(rows)
    slices, units = _sliced(matrix, count, bits)
    assert np.array_equal(slices, np.rint(slices))
    assert np.abs(slices).max() <= 2**bits
    for number, row in enumerate(rows):
        unit = Fraction(units[number])
        for place, value in enumerate(row):
            steps = [unit / 2 ** (depth * (bits + 1)) for depth in range(count)]
            wholes = map(Fraction, slices[:, number, place])
            parts = sum(whole * step for whole, step in zip(wholes, steps, strict=True))
            assert abs(parts - Fraction(value)) <= steps[-1] / 2


def test_what_is_not_finite_spoils_its_own_row_or_column_only():
    left, right = np.ones((4, 3)), np.ones((3, 4))
    left[1, 0], left[2, 2], right[1, 3] = np.nan, np.inf, -np.inf
    product = exact_product(left, right)
    finite = np.isfinite(product)
    assert finite.tolist() == [[True] * 3 + [False], [False] * 4, [False] * 4, [True] * 3 + [False]]
    assert (product[finite] == 3).all()


@pytest.mark.parametrize(("left", "right", "product"), [
    (1e300, 1e-280, 1e20),
    (1e300, 1e5, 1e305),
    (1e-280, 1e-20, 1e-300),
    (5e-324, 1.0, 0.0),
    (0.0, 1e300, 0.0),
])
def test_very_large_and_very_small_numbers(left, right, product):
    computed = exact_product(np.array([[left]]), np.array([[right]]))
    assert computed == pytest.approx(product, rel=1e-12, abs=1e-315)


def test_a_product_too_large_for_a_float_is_infinite():
    assert exact_product(np.array([[1e300]]), np.array([[1e300, -1e300]])).tolist() == [[np.inf, -np.inf]]


def test_empty_factors():
    assert exact_product(np.empty((0, 3)), np.ones((3, 2))).shape == (0, 2)
    assert exact_product(np.ones((4, 3)), np.empty((3, 0))).shape == (4, 0)
    assert exact_product(np.empty((4, 0)), np.empty((0, 2))).tolist() == [[0.0, 0.0]] * 4
