"""The wheel: built from the sdist, installed into an environment of its own, and run as a person would."""
import email
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement

from cache import __version__
from tests.conftest import ROOT
from tests.drawing import png, tag_folders, write

PACKAGED = ["cache", "stage1", "stage2", "stage3", "stage4", "web_api", "companions", "itt.py"]
BUILT_FROM = [
    *PACKAGED, "pyproject.toml", "setup.py", "README.md", "LICENSE", "requirements.txt",
]
EXTRAS_OF_FORMATS = {"raw": {"rawpy"}, "jxl": {"pillow-jxl-plugin"}}
FOR_A_CLONE = {"stage4/requirements.txt"}
A_COMPANION = {
    "companions/sleep/__init__.py": b'"""Counts sheep."""\n',
    "companions/sleep/__main__.py": b"def main(argv, prog):\n    print(prog, *argv)\n    return 0\n",
    "companions/sleep/requirements.txt":
        b"# What it counts.\nsheep>=1.5  # white\nsheep-black>=2; python_version>'3'\n",
}


class Built(NamedTuple):
    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    """From a copy, since building leaves folders behind, with one companion more. --no-isolation needs no
    network."""
    clone, out = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("dist")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, clone / name)
    write(clone, A_COMPANION)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(clone)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(next(out.glob("*.whl")), next(out.glob("*.tar.gz")))


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The bin folder of an environment that holds the wheel. Its dependencies are those of these tests, lent
    by a .pth file: to install them would take minutes and a network."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin/python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(built.wheel)], check=True)
    site_packages = next(environment.glob("lib/python*/site-packages"))
    (site_packages / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True)


def test_the_wheel_holds_every_file_of_the_rooms(built):
    with zipfile.ZipFile(built.wheel) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    paths = [path for name in PACKAGED for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.is_file()]
    expected = {path.relative_to(ROOT).as_posix() for path in paths if path.suffix != ".pyc"}
    assert held == {*expected, *A_COMPANION} - FOR_A_CLONE


def test_every_package_is_typed():
    packages = {path.parent for path in ROOT.glob("*/__init__.py")} - {ROOT / "tests", ROOT / "benchmarks"}
    assert [package.name for package in sorted(packages) if not (package / "py.typed").exists()] == []


def test_the_sdist_holds_the_lists_that_its_metadata_is_read_from(built):
    with tarfile.open(built.sdist) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    lists = {"requirements.txt", "companions/sleep/requirements.txt"}
    assert {*lists, "setup.py", "LICENSE", "README.md"} <= held


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def listed(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("-r ")]


def test_the_metadata_is_written_once(built):
    metadata = metadata_of(built.wheel)
    assert (metadata["Name"], metadata["Version"], metadata["Requires-Python"]) == (
        "image-tagging-tools", __version__, ">=3.10")
    required = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    core = [f"{each.name}{each.specifier}" for each in required if not each.marker]
    assert core == listed(ROOT / "requirements.txt")


def test_companions_and_formats_bring_an_extra_of_their_name_and_all_holds_them_all(built):
    metadata = metadata_of(built.wheel)
    companions = {path.parent.name for path in (ROOT / "companions").glob("*/requirements.txt")}
    assert set(metadata.get_all("Provides-Extra")) == {*companions, "sleep", *EXTRAS_OF_FORMATS, "all"}
    required = [Requirement(line) for line in metadata.get_all("Requires-Dist")]

    def brought_by(extra: str) -> set[str]:
        return {each.name for each in required if each.marker and each.marker.evaluate({"extra": extra})}

    assert brought_by("sleep") == {"sheep", "sheep-black"}
    assert {extra: brought_by(extra) for extra in EXTRAS_OF_FORMATS} == EXTRAS_OF_FORMATS
    assert brought_by("all") == set().union(*map(brought_by, [*companions, "sleep", *EXTRAS_OF_FORMATS]))


def test_what_reads_more_formats_is_there_for_the_tests():
    listed_for_tests = {Requirement(line).name for line in listed(ROOT / "requirements-dev.txt")}
    assert set().union(*EXTRAS_OF_FORMATS.values()) <= listed_for_tests


def test_the_whole_job_runs_from_the_installed_wheel(installed, here):
    """Stages, decoder processes, pages with their styles: all from the environment, none from the clone."""
    write(here / "photos", tag_folders())
    write(here, {"new/one.png": png(500), "new/two.png": png(501, "dogs")})
    where = "import cache, web_api, itt; print(cache.__file__, web_api.__file__, itt.__file__)"
    files = run(installed / "python", "-c", where, cwd=here).stdout.split()
    assert [file.startswith(str(installed.parent)) for file in files] == [True] * 3
    assert "  sleep         Counts sheep\n" in run(installed / "itt", cwd=here).stdout
    assert run(installed / "itt", "sleep", "--well", cwd=here).stdout == "itt sleep --well\n"
    results = [run(installed / "itt", *words, cwd=here) for words in (
        ("embed", "photos", "--clip_model", "EfficientNet-Lite0-MS"), ("train",),
        ("classify", "new", "--output", "sorted"), ("doctor", "photos"))]
    assert [(done.returncode, done.stdout.splitlines()[-1]) for done in results] == [
        (0, "processed 12, unchanged 0, skipped 0"),
        (0, "processed 12, unchanged 0, skipped 0"),
        (0, "processed 2, unchanged 0, skipped 0"),
        (0, "no problems, nothing to note"),
    ], [done.stderr for done in results]
    for page in ("output/reports/index.html", "sorted/index.html"):
        text = Path(page).read_text(encoding="utf-8")
        assert "<style>" in text
        assert text.rstrip().endswith("</html>")


def test_the_installed_server_shows_its_pages(installed, here):
    command = [str(installed / "itt"), "serve", "--port", "0"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(command, cwd=here, env=variables, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().removeprefix("serving on ").strip()
            with urlopen(address) as answer:
                assert (answer.status, "</html>" in answer.read().decode()) == (200, True)
        finally:
            server.terminate()
