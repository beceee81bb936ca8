"""The arrows between the rooms: stages -> cache -> libraries. Read off the import statements, so that a wrong one fails here."""
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

ROOMS = ["stage1", "stage2", "stage3", "stage4", "cache", "web_api", "companions", "benchmarks"]
STARTED_BY_HAND = {  # these may be started as a file, and therefore add the root to the search path
    "stage1/ImageDatasetProcessor.py", "stage2/train.py", "stage3/classify.py", "stage4/classify_zip.py",
    "cache/cache_file.py", "cache/cache_clip.py", "cache/cache_tag.py",
}
HEAVY = {"torch", "torchvision", "open_clip", "timm", "sklearn", "matplotlib"}
DECODER = ["decoder_worker", "image_decoder", "image_limits", "__init__"]


def modules() -> Iterator[Path]:
    return (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported when the file is) for every import of a file."""
    tree = ast.parse(path.read_text())
    at_once = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: every import names its room"
            yield node.module, id(node) in at_once


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_runs_the_wrong_way(path):
    room = path.relative_to(ROOT).parts[0]
    foreign = {module for module, _ in imported(path) if module.split(".")[0] in ROOMS} - {"cache"}
    allowed = {"cache": {"cache"}, "benchmarks": set(ROOMS)}.get(room, {"cache", room})  # what measures stages has to call them
    assert {module.split(".")[0] for module in foreign} <= allowed, f"{path.relative_to(ROOT)} imports {foreign}"


def test_only_the_cache_speaks_sql():
    speaking = [str(path.relative_to(ROOT)) for path in modules() if path.parent.name != "cache" and any(
        module.split(".")[0] == "sqlite3" for module, _ in imported(path))]
    assert speaking == []


def test_the_scripts_that_are_started_by_hand_share_one_line_and_nothing_else_touches_the_search_path():
    lines = {}
    for path in modules():
        found = [line for line in path.read_text().splitlines() if "sys.path" in line]
        if found:
            lines[str(path.relative_to(ROOT))] = found
    assert set(lines) == STARTED_BY_HAND
    assert len({line for found in lines.values() for line in found}) == 1


def test_heavy_libraries_are_imported_where_they_are_used():
    eager = {str(path.relative_to(ROOT)): module for path in modules() for module, at_once in imported(path)
             if at_once and module.split(".")[0] in HEAVY}
    assert set(eager) == {"cache/embedded_encoder.py", "cache/open_clip_encoder.py", "stage2/plots.py"}


def test_a_decoder_process_needs_no_more_than_pillow_and_numpy():
    for name in DECODER:
        outside = {module.split(".")[0] for module, _ in imported(ROOT / "cache" / f"{name}.py")}
        assert {module for module in outside if module not in sys.stdlib_module_names} <= {"PIL", "numpy", "pillow_heif", "cache"}
