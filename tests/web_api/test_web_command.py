"""The command that serves: what it says of itself, and what it refuses before a port is opened."""
import os

import pytest

from cache import __version__
from tests.conftest import ROOT, run_python
from web_api.__main__ import main


def test_the_help_names_the_door_that_led_to_it(capsys, monkeypatch):
    for prog, named in ((None, "python -m web_api"), ("itt serve", "itt serve")):
        with pytest.raises(SystemExit) as ended:
            main(["--help"], prog)
        output = capsys.readouterr().out
        assert ended.value.code == 0
        assert output.startswith(f"usage: {named} [-h]")
        assert f"\n  {named} --root photos --root output\n" in output


def test_the_help_needs_no_flask():
    done = run_python("-X", "importtime", "-m", "web_api", "--help", cwd=ROOT)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "flask" in line or "torch" in line] == []


def test_the_version_is_that_of_the_tools(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"image-tagging-tools {__version__}\n")


def test_of_two_flags_that_resemble_a_typing_error_as_much_the_one_that_begins_like_it_was_meant(capsys):
    with pytest.raises(SystemExit):
        main(["--prot", "1"])
    message = "--prot is not a flag; did you mean --port? (--help lists them)"
    assert capsys.readouterr().err == f"error: {message}\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_what_is_no_port_is_refused(capsys, port):
    with pytest.raises(SystemExit) as ended:
        main(["--port", port])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: --port: {port!r} is not a port from 0 to 65535\n"


def test_a_server_for_others_needs_a_token(here, capsys):
    assert main(["--host", "0.0.0.0", "--token", ""]) == 2
    assert capsys.readouterr().err == "error: --token is empty, and so no token at all; name one\n"
    assert main(["--host", "0.0.0.0"]) == 2
    assert capsys.readouterr().err == (
        "error: --host 0.0.0.0 is not loopback; name a --token, or anybody there could read and write\n")
    assert os.listdir(here) == []
