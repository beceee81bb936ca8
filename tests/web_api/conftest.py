"""A client of the web app, without a server."""
import pytest

from web_api.cache_web_api import create_app


@pytest.fixture
def client(photos, tiny, monkeypatch):
    """A client of an app whose root is the clean directory; the environment names the tiny encoder."""
    monkeypatch.setenv("ITT_CLIP_MODEL", tiny["clip_model"])
    monkeypatch.setenv("ITT_PRETRAINED", tiny["pretrained"])
    return create_app().test_client()
