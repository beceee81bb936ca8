"""Small file systems in memory; where the tests may not mount them, they are skipped."""
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """8 MiB of their own, in which the test stands."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("no file system can be mounted here: there is no command for it")
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    here = os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(here)
    subprocess.run(["umount", "-l", folder], check=True)
