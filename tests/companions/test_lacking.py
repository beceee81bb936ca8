"""What a companion lacks of its requirements.txt, judged as pip would."""
from importlib import metadata

import pytest
from packaging.requirements import InvalidRequirement

import companions
from tests.drawing import write

URL = "https://example.org/none.zip#sha256=ab"


@pytest.fixture
def lacking(tmp_path, monkeypatch):
    """What a companion lacks that requires these lines."""
    monkeypatch.setattr(companions, "__path__", [str(tmp_path)])

    def of(*lines: str) -> list[str]:
        required = "\n".join(lines).encode()
        write(tmp_path, {"sleep/__main__.py": b"", "sleep/requirements.txt": required})
        return companions.lacking("sleep")

    return of


@pytest.mark.parametrize("line", [
    "flask",
    "Flask>=3.0,<999  # why",
    f"flask @ {URL}",
    "no-such-package; python_version < '3'",
    "flask>=999; sys_platform == 'none'",
    "# no-such-package",
    "",
])
def test_a_line_that_is_met_or_meant_for_others(lacking, line):
    assert lacking(line) == []


@pytest.mark.parametrize("line", [
    "no-such-package",
    "flask>=999",
    "flask<3",
    f"no-such-package @ {URL}",
    "no-such-package; python_version >= '3'",
    "flask>=999; python_version >= '3'",
])
def test_a_line_that_nothing_installed_meets(lacking, line):
    assert lacking("flask", f"{line}  # why", "jinja2") == [line]


def test_an_installed_version_before_a_release_counts(lacking, monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "2.5.0.dev1+cu118")
    assert lacking("torch>=2.4", "torch>=2.5", "torch>=2.6") == ["torch>=2.5", "torch>=2.6"]


def test_a_line_that_is_no_requirement(lacking):
    with pytest.raises(InvalidRequirement):
        lacking("-r more.txt")


def test_without_a_list_nothing_is_lacking(tmp_path, monkeypatch):
    write(tmp_path, {"sleep/__main__.py": b""})
    monkeypatch.setattr(companions, "__path__", [str(tmp_path)])
    assert companions.lacking("sleep") == []
