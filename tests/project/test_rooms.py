"""The arrows between the rooms, read off the import statements. docs/design.md draws the same house."""
import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# From below to above. A room imports itself and what is below it; rooms of one floor do not know each other.
FLOORS = [
    ["cache", "cache.text", "cache.refusal", "cache.progress", "cache.limits", "cache.vectors"],
    ["cache.files", "cache.argument_parser", "cache.pixels"],
    ["cache.formats"],
    ["cache.decoder"],
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
TIMES_SQL = Path("benchmarks/caches.py")  # a statement of its own beside those of the stores
STARTED_BY_HAND = {  # these may be started as a file, and therefore add the root to the search path
    "stage1/ImageDatasetProcessor.py", "stage2/train.py", "stage3/classify.py", "stage4/classify_zip.py",
    "cache/cache_file.py", "cache/cache_clip.py", "cache/cache_tag.py",
}
HEAVY = {"torch", "torchvision", "open_clip", "timm", "sklearn", "matplotlib"}
IMPORTED_LATE = {  # these import heavy libraries when they are imported, and are imported where they are used
    "cache/encoders/embedded_encoder.py",
    "cache/encoders/open_clip_encoder.py",
    "companions/cluster/autoencoder.py",
    "stage2/report/plots.py",
}
# Who is below and still a stranger: stages meet through files, the web app shows what others have.
KNOWN = {
    **{stage: {stage, "cache"} for stage in ("stage1", "stage2", "stage3", "stage4")},
    "companions": {"companions", "cache"},
    "distributed": {"distributed", "cache"},
    "web_api": {"web_api", "companions", "cache"},
}
HOUSE = sorted({room.split(".")[0] for floor in FLOORS for room in floor} - {"tests"})


def modules() -> Iterator[Path]:
    for room in HOUSE:
        paths = [*sorted((ROOT / room).rglob("*.py")), ROOT / f"{room}.py"]
        yield from (path for path in paths if path.is_file())


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
    is_ours = inside.with_suffix(".py").is_file() or (inside / "__init__.py").is_file()
    return f"{module}.{name}" if is_ours else module


def room_of(module: str, floors: list[list[str]]) -> tuple[int, str] | None:
    """Floor and name of the innermost room that a module lies in."""
    rooms = [
        (number, room)
        for number, floor in enumerate(floors)
        for room in floor
        if module == room or module.startswith(f"{room}.")
    ]
    return max(rooms, key=lambda of_a_floor: len(of_a_floor[1]), default=None)


def wrong_arrows(name: str, modules_imported: Iterable[str], floors: list[list[str]]) -> list[str]:
    """What a module imports and may not: rooms of its own floor or above, but for those inside its own."""
    here = room_of(name, floors)
    if here is None:
        return []
    floor, room = here
    wrong = []
    for module in modules_imported:
        there_floor, there_room = room_of(module, floors) or (-1, "")
        is_own = f"{there_room}.".startswith(f"{room}.")
        if there_floor >= floor and not is_own:
            wrong.append(module)
    return wrong


def strangers(name: str, modules_imported: Iterable[str]) -> list[str]:
    """What a module imports of rooms that lie below its own and still are none of its business."""
    known = KNOWN.get(name.split(".")[0])
    tops = {module: module.split(".")[0] for module in modules_imported}
    return [module for module, top in tops.items() if known is not None and top in HOUSE and top not in known]


def others_companions(name: str, modules_imported: Iterable[str]) -> list[str]:
    """What a companion imports of another one."""
    own = ".".join(name.split(".")[:2])
    is_companion = name.startswith("companions.")
    return [module for module in modules_imported
            if is_companion and module.startswith("companions.") and not f"{module}.".startswith(f"{own}.")]


def faults(name: str, modules_imported: Iterable[str]) -> list[str]:
    modules_imported = list(modules_imported)
    arrows = wrong_arrows(name, modules_imported, FLOORS) + wrong_arrows(name, modules_imported, STAGE_2)
    return arrows + strangers(name, modules_imported) + others_companions(name, modules_imported)


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_runs_upwards_sideways_or_to_strangers(path):
    assert faults(name_of(path), (module for module, _ in imported(path))) == []


@pytest.mark.parametrize(("name", "module", "is_wrong"), [
    ("cache.decoder.pool", "cache.text", False),
    ("cache.decoder.pool", "cache.formats.signatures", False),
    ("cache.decoder.pool", "cache.reader.source_file", True),  # upwards
    ("cache.reader.batches", "cache.encoders.clip_encoder", True),  # sideways
    ("cache.results.scoring", "stage3.classify", True),
    ("stage2.learning.newton", "stage2.judging.results", True),
    ("stage2.report.reports", "stage2.judging.results", False),
    ("stage3.classify", "stage2.train", True),
    ("web_api.home", "companions", False),
    ("web_api.home", "stage2.train", True),
    ("companions.label.pages", "cache.serving.roots", False),
    ("companions.label.pages", "companions.label.answers", False),
    ("companions.label.pages", "companions.tags", True),
    ("companions.label.pages", "web_api.guard", True),
])
def test_planted_arrows_are_told_apart(name, module, is_wrong):
    assert bool(faults(name, [module])) is is_wrong


def test_every_file_lies_in_a_room():
    """The public modules of the cache are rooms of their own; a new one there would escape the arrows."""
    names = [name_of(path) for path in modules() if name_of(path).startswith(("cache.", "stage2."))]
    rooms = {name: room_of(name, FLOORS + STAGE_2) for name in names}
    assert [name for name, room in rooms.items() if room is None or room[1] in ("cache", "stage2")] == []


def test_no_circle_not_even_of_types():
    """Also within a room, and among imports that only type checkers follow."""
    names = {name_of(path) for path in modules()}
    below = {name_of(path): {module for module, _ in imported(path)} & names for path in modules()}
    while ends := [name for name in below if _is_an_end(name, below)]:
        for name in ends:
            del below[name]
    assert sorted(below) == []


def _is_an_end(name: str, below: dict[str, set[str]]) -> bool:
    """Whether a module imports none of those that are left, or none of them imports it."""
    return not below[name] & below.keys() or not any(name in imports for imports in below.values())


def test_sql_is_spoken_in_the_stores_only():
    assert [str(path) for path in speaking_sql() if not may_speak_sql(path)] == []


def speaking_sql() -> Iterator[Path]:
    """Also through the connection of a table, for which nothing is imported."""
    for path in modules():
        if any(module == "sqlite3" for module, _ in imported(path)) or reaches_into_a_database(path):
            yield path.relative_to(ROOT)


def reaches_into_a_database(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text()))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return not attributes.isdisjoint(("connection", "execute", "executemany", "executescript"))


def may_speak_sql(path: Path) -> bool:
    is_table_of_a_companion = path.parts[0] == "companions" and path.name.endswith("_table.py")
    return str(path.parent) in SQL or is_table_of_a_companion or path == TIMES_SQL


def test_the_scripts_that_are_started_by_hand_share_one_line_and_nothing_else_touches_the_search_path():
    lines = {}
    for path in modules():
        touching = [line for line in path.read_text().splitlines() if "sys.path" in line]
        if touching:
            lines[str(path.relative_to(ROOT))] = touching
    assert set(lines) == STARTED_BY_HAND
    assert len({line for touching in lines.values() for line in touching}) == 1


def test_heavy_libraries_are_imported_where_they_are_used():
    eager = {
        str(path.relative_to(ROOT))
        for path in modules()
        for module, at_once in imported(path)
        if at_once and module.split(".")[0] in HEAVY
    }
    assert eager == IMPORTED_LATE


def test_a_decoder_process_needs_no_more_than_pillow_small_decoders_and_numpy():
    below = [ROOT / "cache" / name for name in ("limits.py", "refusal.py", "text.py", "__init__.py")]
    rooms = [ROOT / "cache" / room for room in ("decoder", "formats", "pixels")]
    for path in [*below, *(path for room in rooms for path in room.glob("*.py"))]:
        at_once = {module.split(".")[0] for module, is_at_once in imported(path) if is_at_once}
        assert at_once - sys.stdlib_module_names <= {"PIL", "numpy", "pi_heif", "simplejpeg", "cache"}


def test_every_room_says_what_it_is():
    rooms = [path for path in modules() if path.name == "__init__.py"]
    silent = [path for path in rooms if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
