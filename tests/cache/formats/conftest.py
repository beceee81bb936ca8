"""The tests of the decoder start it as everybody does."""
import pytest

from cache.decoder import decoder_process
from tests.forked_decoder import REAL_START


@pytest.fixture(autouse=True)
def real_decoders(monkeypatch) -> None:
    monkeypatch.setattr(decoder_process, "_started", REAL_START)
