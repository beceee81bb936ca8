"""What a hostile case is: something laid between two good pictures, and what the reader has to say of each
path."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cache.reader.source_file import Archive, Item, Picture
from tests.drawing import png

Outcomes = dict[str, str | tuple[str, ...]]
NEIGHBOURS = ("!first.png", "~last.png")
MARKER = "marker"  # the file that malicious content would make


@dataclass(frozen=True)
class Case:
    """`outcomes`: path below the case's own folder -> the format of a picture, "zip", or a reason.

    Several where versions of a library differ. A ZIP that was read and then refused has both under its path,
    joined by a comma."""

    name: str  # also that of its folder, and so of its tag
    lay: Callable[[Path], None]
    outcomes: Outcomes
    archive: str | None = None  # the path that is a ZIP

    def build(self, root: Path) -> None:
        """Lay it into `root`/`name` between two good pictures, which no other case has."""
        folder = root / self.name
        folder.mkdir(parents=True)
        for position, neighbour in enumerate(NEIGHBOURS):
            (folder / neighbour).write_bytes(png(zlib.crc32(self.name.encode()) + position))
        self.lay(folder)

    def expected(self) -> Outcomes:
        return {**dict.fromkeys(NEIGHBOURS, "png"), **self.outcomes}

    def expected_of_loose_pictures(self) -> Outcomes:
        """Where ZIPs are left alone, as in stage 3."""
        expected = self.expected()
        if self.archive is None:
            return expected
        return {
            **{path: outcome for path, outcome in expected.items() if not path.startswith(self.archive)},
            self.archive: "archive",
        }

    def expected_of_archives(self) -> Outcomes:
        """Where only ZIPs are read, as in stage 4."""
        expected = self.expected()
        for path, outcome in expected.items():
            in_archive = self.archive is not None and path.startswith(self.archive)
            if outcome not in ("unreadable", "hidden") and not in_archive:
                expected[path] = "not_in_archive"
        return expected

    def differences(self, outcomes: dict[str, str], expected: Outcomes) -> list[str]:
        """What is not as it has to be; [] if all is well. outcomes: what outcomes_of() says of the folder of
        this case."""
        lines = []
        for path in sorted({*expected, *outcomes}):
            wanted = expected.get(path, "nothing of that name")
            if outcomes.get(path, "not mentioned") not in ((wanted,) if isinstance(wanted, str) else wanted):
                lines.append(f"{self.name}: {path} is {outcomes.get(path, 'not mentioned')}, not {wanted}")
        return lines


def file_case(name: str, file_name: str, data: Callable[[], bytes], *outcomes: str) -> Case:
    """One file. data() draws its content when it is needed."""
    return Case(
        name,
        lambda folder: (folder / file_name).write_bytes(data()),
        {file_name: outcomes if len(outcomes) > 1 else outcomes[0]},
    )


def outcomes_of(items: Iterable[Item], root: str) -> dict[str, str]:
    """{path below `root`: format, "zip" or reason} of a stream."""
    outcomes: dict[str, str] = {}
    for item in items:
        path, outcome = _outcome_of(item)
        path = path.removeprefix(f"{root}/")
        outcomes[path] = f"{outcomes[path]},{outcome}" if path in outcomes else outcome
    return outcomes


def _outcome_of(item: Item) -> tuple[str, str]:
    match item:
        case Picture():
            return item.file.file_path, item.type
        case Archive():
            return item.file.file_path, "zip"
    return item.file_path, item.reason
