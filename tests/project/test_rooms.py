"""The arrows between the rooms, read off the import statements, so that a wrong one fails here. docs/design.md draws the same house."""
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# From below to above. A room imports itself and what is below it; rooms of one floor do not know each other.
FLOORS = [
    ["cache", "cache.text", "cache.refusal", "cache.progress", "cache.vectors"],
    ["cache.files", "cache.decoder"],
    ["cache.reader", "cache.encoders", "cache.models"],
    ["cache.stores", "cache.pages"],
    ["cache.cache_file", "cache.cache_clip", "cache.cache_tag", "cache.serving", "cache.command_line"],
    ["cache.results"],
    ["cache.compare", "cache.doctor"],
    ["cache.__main__"],
    ["stage1", "stage2", "stage3", "stage4", "companions", "distributed"],
    ["web_api"],
    ["itt"],
    ["benchmarks", "examples", "tests"],
]
STAGE_2 = [
    ["stage2", "stage2.metrics", "stage2.flags"],
    ["stage2.learning"],
    ["stage2.judging"],
    ["stage2.run"],
    ["stage2.report"],
    ["stage2.train"],
]
SQL = {"cache/stores"}  # and in a companion's one *_table.py
STARTED_BY_HAND = {  # these may be started as a file, and therefore add the root to the search path
    "stage1/ImageDatasetProcessor.py", "stage2/train.py", "stage3/classify.py", "stage4/classify_zip.py",
    "cache/cache_file.py", "cache/cache_clip.py", "cache/cache_tag.py",
}
HEAVY = {"torch", "torchvision", "open_clip", "timm", "sklearn", "matplotlib"}
HOUSE = sorted({room.split(".")[0] for floor in FLOORS for room in floor} - {"tests"})


def modules() -> Iterator[Path]:
    return (path for room in HOUSE for path in [*sorted((ROOT / room).rglob("*.py")), ROOT / f"{room}.py"] if path.is_file())


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported when the file is) for every import of a file."""
    tree = ast.parse(path.read_text())
    at_once = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: every import names its room"
            assert node.module is not None
            yield from ((_full_name(node.module, alias.name), id(node) in at_once) for alias in node.names)


def _full_name(module: str, name: str) -> str:
    """Of a module of ours that is imported out of its room, else of the room."""
    inside = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inside.with_suffix(".py").is_file() or (inside / "__init__.py").is_file() else module


def room_of(module: str, floors: list[list[str]]) -> tuple[int, str] | None:
    """Floor and name of the innermost room that a module lies in."""
    rooms = [(room, number) for number, floor in enumerate(floors) for room in floor
             if module == room or module.startswith(f"{room}.")]
    room, number = max(rooms, key=lambda named: len(named[0]), default=("", -1))
    return (number, room) if room else None


def wrong_arrows(path: Path, floors: list[list[str]]) -> list[str]:
    here = room_of(name_of(path), floors)
    arrows = [(module, room_of(module, floors)) for module, _ in imported(path)]
    return [] if here is None else [
        module for module, there in arrows if there is not None and there[1] != here[1] and there[0] >= here[0]
        and not there[1].startswith(f"{here[1]}.")]


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_runs_upwards_or_sideways(path):
    assert wrong_arrows(path, FLOORS) + wrong_arrows(path, STAGE_2) == []


def test_every_file_lies_in_a_room():
    """The public modules of the cache are rooms of their own; a new file beside them would escape the arrows."""
    loose = [name_of(path) for path in modules() if name_of(path).startswith(("cache.", "stage2."))
             and (room_of(name_of(path), FLOORS + STAGE_2) or (0, ""))[1] in ("cache", "stage2")]
    assert loose == []


def test_no_circle_not_even_of_types():
    """Also within a room, and among imports that only type checkers follow."""
    names = {name_of(path) for path in modules()}
    below = {name_of(path): {module for module, _ in imported(path)} & names for path in modules()}
    while ends := [name for name, needs in below.items()
                   if not needs & below.keys() or not any(name in other for other in below.values())]:
        for name in ends:
            del below[name]
    assert sorted(below) == []


def test_no_companion_imports_another():
    for path in sorted((ROOT / "companions").rglob("*.py")):
        others = {module for module, _ in imported(path) if module.startswith("companions.")}
        own = ".".join(name_of(path).split(".")[:2])
        assert [module for module in others if not f"{module}.".startswith(f"{own}.")] == []


def test_sql_is_spoken_in_the_stores_only():
    speaking = {str(path.relative_to(ROOT)) for path in modules() if any(module == "sqlite3" for module, _ in imported(path))}
    assert {place for place in speaking if str(Path(place).parent) not in SQL
            and not (place.startswith("companions/") and place.endswith("_table.py"))} == set()


def test_the_scripts_that_are_started_by_hand_share_one_line_and_nothing_else_touches_the_search_path():
    lines = {}
    for path in modules():
        touching = [line for line in path.read_text().splitlines() if "sys.path" in line]
        if touching:
            lines[str(path.relative_to(ROOT))] = touching
    assert set(lines) == STARTED_BY_HAND
    assert len({line for touching in lines.values() for line in touching}) == 1


def test_heavy_libraries_are_imported_where_they_are_used():
    eager = {str(path.relative_to(ROOT)) for path in modules() for module, at_once in imported(path)
             if at_once and module.split(".")[0] in HEAVY}
    assert eager == {"cache/encoders/embedded_encoder.py", "cache/encoders/open_clip_encoder.py", "stage2/report/plots.py"}


def test_a_decoder_process_needs_no_more_than_pillow_and_numpy():
    for path in [*(ROOT / "cache/decoder").glob("*.py"), ROOT / "cache/refusal.py", ROOT / "cache/text.py", ROOT / "cache/__init__.py"]:
        outside = {module.split(".")[0] for module, _ in imported(path)}
        assert {module for module in outside if module not in sys.stdlib_module_names} <= {"PIL", "numpy", "pillow_heif", "cache"}


def test_every_room_says_what_it_is():
    rooms = [path for path in modules() if path.name == "__init__.py"]
    assert [str(path.relative_to(ROOT)) for path in rooms if not ast.get_docstring(ast.parse(path.read_text()))] == []
