"""The server as it is started: the classic ways, and many requests at once."""
import json

import pytest

from tests.conftest import ROOT, run_python


@pytest.mark.parametrize(("app", "folder"), [
    ("web_api/cache_web_api.py", ROOT),
    ("cache_web_api.py", ROOT / "web_api"),
])
def test_the_classic_ways_to_start_it_find_the_app(app, folder):
    done = run_python("-m", "flask", "routes", cwd=folder, FLASK_APP=app)
    assert done.returncode == 0
    assert "add_folder_to_file_cache" in done.stdout


def test_a_short_soak_meets_no_unexpected_answer_and_grows_no_memory(here):
    done = run_python("-m", "benchmarks.soak", "--requests", "500", cwd=ROOT)
    assert (done.returncode, json.loads(done.stdout)["unexpected"]) == (0, []), done.stdout + done.stderr
