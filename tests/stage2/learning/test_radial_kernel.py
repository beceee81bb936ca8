"""The kernel that SVMs are fitted on."""
import numpy as np
import pytest

from stage2.learning import radial_kernel
from stage2.learning.radial_kernel import RadialKernel


@pytest.mark.parametrize(("precision", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_the_kernel_is_the_exponential_of_the_squared_distance(precision, tolerance, monkeypatch):
    monkeypatch.setattr(radial_kernel, "KERNEL_ROWS", 3)
    random = np.random.default_rng(0)
    left, right = random.normal(size=(7, 5)).astype(precision), random.normal(size=(4, 5)).astype(precision)
    wanted = np.exp(-0.3 * ((left[:, None].astype(float) - right[None]) ** 2).sum(2))
    kernel = RadialKernel(right, 0.3)
    assert np.abs(kernel.matrix(left) - wanted).max() < tolerance
    coefficients = random.normal(size=(4, 2))
    assert np.abs(kernel.times(left, coefficients) - wanted @ coefficients).max() < 10 * tolerance
    assert kernel.times(left[:0], coefficients).shape == (0, 2)
