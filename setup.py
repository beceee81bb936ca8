"""What pyproject.toml cannot say: the extras, of companions (from their own lists), of formats, and `all`."""
from pathlib import Path

from setuptools import setup

COMPANIONS = Path(__file__).parent / "companions"
OF_FORMATS = {
    "raw": ["rawpy>=0.25"],  # raw photographs; LibRaw, 7 MB that most people's pictures do not need
    "jxl": ["pillow-jxl-plugin>=1.3.8"],  # JPEG XL, until Pillow reads it itself
}


def extras() -> dict[str, list[str]]:
    lists = sorted(COMPANIONS.glob("*/requirements.txt"))
    named = {**{path.parent.name: _requirements(path) for path in lists}, **OF_FORMATS}
    return {**named, "all": sorted({requirement for listed in named.values() for requirement in listed})}


def _requirements(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


setup(extras_require=extras())
