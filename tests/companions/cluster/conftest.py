"""What the tests of placed and moved files share."""
import pytest

from tests.companions.cluster.groups_of_files import originals, two_devices, write_files


@pytest.fixture
def before(here) -> dict:
    write_files(here)
    return originals(here / "photos")


@pytest.fixture(params=["one device", "two devices"])
def devices(request, monkeypatch) -> None:
    """Where there is one, renames between the input and the output answer as if there were two."""
    if request.param == "one device":
        return
    two_devices(monkeypatch)
