"""A library changes no setting of the program that uses it."""
import json

from tests.conftest import ROOT, run_python
from tests.drawing import tag_folders, write


def test_a_program_finds_its_own_settings_as_they_were_after_every_step(here, tiny_checkpoint):
    write(here / "photos", tag_folders())
    done = run_python("-m", "tests.cache.globals_of_a_program", tiny_checkpoint, cwd=here,
                      PYTHONPATH=str(ROOT), HF_HUB_OFFLINE="1", HF_HOME=str(here / "empty"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "import_everything": [], "use_the_caches": [], "be_refused": [], "run_the_stages": []}
