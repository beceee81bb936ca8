"""The doctor as a command: how it is called, what it refuses, and how it ends."""
import os
import subprocess
import sys

import pytest

from cache.__main__ import main
from cache.doctor import command as doctor
from tests.conftest import ROOT, run_python
from tests.drawing import png, write

NOTHING_TO_SAY = "1 picture\n\nno problems, nothing to note\n"
HELP_AND_WHAT_IT_IMPORTS = """
import runpy, sys
sys.argv = ["cache", "doctor", "--help"]
try:
    runpy.run_module("cache", run_name="__main__")
except SystemExit as end:
    print(end.code, sorted({"torch", "sklearn", "joblib", "tqdm"} & set(sys.modules)))
"""


def test_a_missing_path_is_refused(here, capsys):
    assert main(["doctor", "nowhere"]) == 2
    assert capsys.readouterr() == ("", "error: no such file or folder: nowhere\n")


def test_an_interrupt_says_nothing_but_that(here, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "images", interrupted)
    assert main(["doctor", "."]) == 130
    assert capsys.readouterr() == ("", "interrupted; nothing was changed\n")


def test_without_a_command_the_commands_are_shown(here, capsys):
    assert main([]) == 2
    assert "doctor    look before a run: what would be skipped and why" in capsys.readouterr().out


def test_as_a_command_of_its_own_it_does_the_same_and_its_help_says_how_it_was_called(here, capsys):
    write(here / "photos", {"1.png": png(1)})
    assert doctor.main(["photos", "--num-threads", "1"]) == 0
    assert capsys.readouterr().out == NOTHING_TO_SAY
    with pytest.raises(SystemExit):
        doctor.main(["--help"], prog="itt doctor")
    help_text = capsys.readouterr().out
    assert help_text.startswith("usage: itt doctor ")
    assert "example:\n  itt doctor photos\n" in help_text


def test_help_is_there_without_torch_or_scikit_learn(here):
    done = run_python("-c", HELP_AND_WHAT_IT_IMPORTS, cwd=here, PYTHONPATH=str(ROOT))
    assert done.stdout.splitlines()[-1] == "0 []"
    assert done.stdout.startswith("usage: python -m cache doctor ")


def test_it_ends_quietly_when_nobody_reads_on(here):
    write(here / "photos", {"1.png": b"x"})
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "cache", "doctor", here / "photos"]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (3, b"")


def test_it_is_started_as_a_module(here):
    write(here / "photos", {"1.png": png(1)})
    done = run_python("-m", "cache", "doctor", "photos", cwd=here, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout, done.stderr) == (0, NOTHING_TO_SAY, "")


def test_a_name_that_the_encoding_of_the_terminal_lacks_is_written_in_escapes(here):
    write(here / "photos", {"cats/图.png": b"", "dogs/1.png": png(1)})
    latin = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    done = run_python("-m", "cache", "doctor", "photos", cwd=here, **latin)
    assert (done.returncode, done.stderr) == (3, "")
    assert "  photos/cats/\\u56fe.png  empty\n" in done.stdout
