"""What pyproject.toml cannot say: the extras, one a companion and `all`, from the companions' own lists."""
from pathlib import Path

from setuptools import setup

COMPANIONS = Path(__file__).parent / "companions"


def extras() -> dict[str, list[str]]:
    named = {path.parent.name: _requirements(path) for path in sorted(COMPANIONS.glob("*/requirements.txt"))}
    return {**named, "all": sorted({requirement for listed in named.values() for requirement in listed})}


def _requirements(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


setup(extras_require=extras())
