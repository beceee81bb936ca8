"""What people do before, beside and after tagging: a folder for each verb, which imports `cache` and no
other companion.

`python -m companions.<verb>` is its command; what the web app shows of it stands in its pages.py.
"""
import re
from importlib import metadata
from pathlib import Path

PACKAGE = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")  # at the start of a line of requirements.txt


def folders() -> dict[str, Path]:
    """The companions that there are, by their verbs in alphabetical order."""
    candidates = sorted(folder for place in __path__ for folder in Path(place).iterdir())
    return {folder.name: folder for folder in candidates if (folder / "__main__.py").is_file()}


def lacking(verb: str) -> list[str]:
    """The lines of the companion's requirements.txt whose package is not installed."""
    path = folders()[verb] / "requirements.txt"
    lines = path.read_text().splitlines() if path.is_file() else []
    required = [(line.partition("#")[0].strip(), PACKAGE.match(line)) for line in lines]
    return [line for line, package in required if package and not _is_installed(package[1])]


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True
