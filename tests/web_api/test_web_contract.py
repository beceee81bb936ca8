"""schemathesis asks a real server everything /openapi.json describes, with arguments nobody would think of.

With --full (`make fuzz`) a hundred questions of each kind, otherwise five.
"""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cache import FileCache
from tests.conftest import serving

SCHEMATHESIS = shutil.which("schemathesis", path=Path(sys.executable).parent)


@pytest.mark.skipif(SCHEMATHESIS is None, reason="schemathesis is in requirements-dev.txt")
def test_every_described_call_answers_as_described_and_never_with_500(photos, full):
    FileCache.add_folder_to_file_cache(photos)
    with serving() as address:
        done = subprocess.run([
            SCHEMATHESIS, "run", f"{address}/openapi.json",
            "--checks", "not_a_server_error,status_code_conformance",
            "--phases", "fuzzing",
            "--request-timeout", "60",
            "--max-examples", "100" if full else "5",
            "--generation-deterministic",
            "--no-color",
        ], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Tested: 42" in done.stdout
