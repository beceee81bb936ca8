"""Every test of the encoders begins in a process that has loaded none."""
import pytest

from cache.encoders import clip_encoder


@pytest.fixture(autouse=True)
def nothing_loaded():
    clip_encoder._load.cache_clear()
    yield
    clip_encoder._load.cache_clear()
