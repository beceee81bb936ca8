"""A kernel kept as one matrix and one that is computed when it is needed have the same values."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from stage2.learning import radial_kernel
from stage2.learning.kernel_values import StreamedKernel, WholeKernel

GAMMA = 0.1


@pytest.mark.parametrize("kernel_of", [WholeKernel, StreamedKernel])
def test_values_between_rows_and_their_products_are_those_of_the_formula(kernel_of, monkeypatch):
    monkeypatch.setattr(radial_kernel, "KERNEL_ROWS", 4)
    random = np.random.default_rng(0)
    features = random.normal(size=(20, 5)).astype(np.float32)
    whole = np.exp(-GAMMA * ((features[:, None].astype(float) - features) ** 2).sum(2))
    rows, asked = np.array([1, 4, 5, 9, 18]), np.array([0, 3, 4, 19])
    coefficients = random.normal(size=(5, 2))
    with ThreadPoolExecutor(2) as threads:
        kernel = kernel_of(features, GAMMA, threads)
        square = np.empty((5, 5))
        kernel.square(rows, square)
        products = kernel.times(rows, coefficients.astype(np.float32), asked)
    assert kernel.count == 20
    assert np.abs(square - whole[np.ix_(rows, rows)]).max() < 1e-6
    assert np.abs(products - whole[np.ix_(asked, rows)] @ coefficients).max() < 1e-5
