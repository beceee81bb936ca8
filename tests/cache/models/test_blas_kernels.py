"""Scores under other BLAS kernels and numbers of threads, each kernel in a process of its own: the very
bits of this process, whose scores the tests beside this one compare with those of scikit-learn."""
import os
import pickle
import platform
import signal
import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info

from cache.models.tag_scores import ModelSet
from tests.cache.models.scores_of_a_process import digest
from tests.cache.models.test_tag_scores import many_models
from tests.conftest import ROOT

KERNELS = ["Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX"]  # the last wants AVX-512


def has_kernels_to_choose_from() -> bool:
    libraries = {library["internal_api"] for library in threadpool_info() if library["user_api"] == "blas"}
    return libraries == {"openblas"} and platform.machine() in ("x86_64", "AMD64")


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> tuple[str, str]:
    """A file of models and vectors, fitted once, since fits differ between kernels; and the digest of
    their scores."""
    vectors, estimators = many_models()
    model_set = ModelSet(estimators)
    path = tmp_path_factory.mktemp("models") / "models.pickle"
    path.write_bytes(pickle.dumps((model_set, vectors)))
    return str(path), digest(model_set, vectors)


@pytest.mark.skipif(not has_kernels_to_choose_from(), reason="NumPy comes without OpenBLAS for x86 here")
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_same_bits_come_out_under_every_kernel_and_number_of_threads(models, kernel):
    path, expected = models
    scored = subprocess.run(
        [sys.executable, "-m", "tests.cache.models.scores_of_a_process", path],
        cwd=ROOT, text=True, capture_output=True,
        env={**os.environ, "OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": "2"},
    )
    if scored.returncode == -signal.SIGILL:
        pytest.skip(f"this processor lacks the instructions of {kernel}")
    assert scored.stdout.splitlines() == [expected, expected], scored.stderr
