"""What the doctor says of a path, and that it leaves no trace."""
import json
from pathlib import Path

from cache.__main__ import main
from tests.drawing import tree


def report(capsys, *arguments: str) -> tuple[int, str]:
    code = main(["doctor", *arguments])
    return code, capsys.readouterr().out


def findings_of(capsys, path: str) -> list[dict]:
    """Problems and notes; the doctor is not to leave a trace in the folder it stands in. What it says of tags
    has a test of its own."""
    before = tree(Path.cwd())
    code, text = report(capsys, path, "--json")
    assert tree(Path.cwd()) == before
    told = json.loads(text)
    assert code == (3 if told["problems"] else 0)
    findings = told["problems"] + told["notes"]
    return [finding for finding in findings if finding["kind"] not in ("untagged", "few")]
