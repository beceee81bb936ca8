"""Two results that agree."""
import pytest

from tests.cache.compare.results import CATS, record, result


@pytest.fixture
def two_results(here) -> list[str]:
    return [result(name, {"1": record("a.png", (CATS, 0.5))}) for name in ("first", "second")]
