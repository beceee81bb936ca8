"""The kernel that SVMs are fitted on."""
import numpy as np
import pytest

from stage2.learning import radial_kernel
from stage2.learning.radial_kernel import RadialKernel, parts


@pytest.mark.parametrize(("precision", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_the_kernel_is_the_exponential_of_the_squared_distance(precision, tolerance):
    random = np.random.default_rng(0)
    left, right = random.normal(size=(7, 5)).astype(precision), random.normal(size=(4, 5)).astype(precision)
    wanted = np.exp(-0.3 * ((left[:, None].astype(float) - right[None]) ** 2).sum(2))
    values = RadialKernel(right, 0.3).of(left)
    assert (values.dtype, np.abs(values - wanted).max() < tolerance) == (precision, True)


def test_rows_are_computed_some_at_a_time(monkeypatch):
    monkeypatch.setattr(radial_kernel, "KERNEL_ROWS", 3)
    assert list(parts(7)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(parts(0)) == []
