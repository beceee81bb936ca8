"""Every table beside a plain Python model of it: whatever is done to both, both hold and answer the same."""
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.promises.store_models.clips import Clips
from tests.promises.store_models.dataset import Dataset
from tests.promises.store_models.files import Files
from tests.promises.store_models.scores import Stage3, Stage4
from tests.promises.store_models.tags import Tags


@pytest.mark.parametrize("machine", [Files, Tags, Clips, Dataset, Stage3, Stage4])
def test_a_table_holds_and_answers_what_a_plain_model_of_it_does(machine, full, here):
    examples = 200 if full else 8
    run_state_machine_as_test(machine, settings=settings(
        max_examples=examples, stateful_step_count=30, deadline=None, derandomize=not full, database=None))
