"""What several tests of the report start from."""
import numpy as np
import pytest

from stage2.judging.results import TagResult
from tests.stage2.report.drawn_results import ROWS, every, tag_result, unmeasured_result


@pytest.fixture
def three_tags() -> list[TagResult]:
    """A bad one, a good one, and one of which nothing can be measured."""
    return [
        tag_result("bad", every(0), 0.5, targets=True),
        tag_result("good", every(1), 8, targets=True),
        unmeasured_result("one", np.arange(ROWS) == 5)]
