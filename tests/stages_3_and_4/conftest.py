"""The fixture that all tests of stages 3 and 4 take."""
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture
