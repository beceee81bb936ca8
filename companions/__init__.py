"""What people do before, beside and after tagging: a folder for each verb, which imports `cache` and no
other companion.

`python -m companions.<verb>` is its command; what the web app shows of it stands in its pages.py.
"""
import re
from importlib import metadata
from pathlib import Path

COMMENT = re.compile(r"(^|\s)#.*")  # as pip reads it: a # inside a URL begins none


def folders() -> dict[str, Path]:
    """The companions that there are, by their verbs in alphabetical order."""
    candidates = sorted(folder for place in __path__ for folder in Path(place).iterdir())
    return {folder.name: folder for folder in candidates if (folder / "__main__.py").is_file()}


def lacking(verb: str) -> list[str]:
    """The lines of the companion's requirements.txt that count here and that no installed package meets.

    Raises InvalidRequirement, a ValueError, for a line that is none.
    """
    path = folders()[verb] / "requirements.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    required = [COMMENT.sub("", line).strip() for line in lines]
    return [line for line in required if line and not _is_met(line)]


def _is_met(line: str) -> bool:
    from packaging.requirements import Requirement  # as much time as the whole list of verbs takes

    requirement = Requirement(line)
    if requirement.marker and not requirement.marker.evaluate():
        return True  # meant for another system, or for another Python
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)  # as pip judges what is installed
