"""Every test of the encoders begins in a process that has loaded none."""
import pytest

from cache.encoders.clip_encoder import forget_encoders


@pytest.fixture(autouse=True)
def nothing_loaded():
    forget_encoders()
    yield
    forget_encoders()
