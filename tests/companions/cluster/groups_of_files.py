"""A folder of files, the result of a run over it, and its originals moved into ./out."""
import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cache.reader.source_file import disk_stamp
from cache.text import printable
from companions.cluster.groups import Cluster, Member, Place
from companions.cluster.journal import write_journal
from companions.cluster.move_plan import plan
from companions.cluster.moving import go_on
from companions.cluster.output_folder import OutputFolder
from companions.cluster.placing import Placed
from companions.cluster.result import Result

CONTENT = {
    "photos/birds/a.jpg": b"a bird",
    "photos/birds/b.jpg": b"nearly that bird",
    "photos/cats/a.jpg": b"a cat",
    "photos/cats/its copy.jpg": b"a cat",
    "photos/dogs/a.jpg": b"a dog " * 30_000,
    "photos/dogs/b.jpg": b"another dog",
    "photos/e.jpg": b"an outlier",
}
CLUSTERS = [[["photos/birds/a.jpg"], ["photos/birds/b.jpg"]],
            [["photos/cats/a.jpg", "photos/cats/its copy.jpg"]],
            [["photos/dogs/a.jpg"], ["photos/dogs/b.jpg"]]]
OUTLIERS = [["photos/e.jpg"]]
GROUPED = {  # below the result: the paths below photos
    "cluster_1/a.jpg": "birds/a.jpg",
    "cluster_1/b.jpg": "birds/b.jpg",
    "cluster_2/a.jpg": "cats/a.jpg",
    "cluster_2/its copy.jpg": "cats/its copy.jpg",
    "cluster_3/a.jpg": "dogs/a.jpg",
    "cluster_3/b.jpg": "dogs/b.jpg",
    "outliers/e.jpg": "e.jpg",
}
TIME = 1_400_000_000_123_456_789


def write_files(folder: Path, content: Mapping[str, bytes] = CONTENT) -> None:
    """Each with a time and rights of its own."""
    for number, (name, data) in enumerate(content.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o640 if number % 2 else 0o604)
        os.utime(path, ns=(TIME, TIME + number))


def place_of(path: str) -> Place:
    status = os.stat(path)
    return Place(printable(path), printable(os.path.abspath(path)), False, status.st_size, disk_stamp(status))


def result_of(
    clusters: Sequence[Sequence[Sequence[str | Place]]] = CLUSTERS,
    outliers: Sequence[Sequence[str | Place]] = OUTLIERS,
) -> Result:
    """Each picture is given as its files."""
    members: list[Member] = []

    def numbers_of(pictures: Sequence[Sequence[str | Place]]) -> tuple[int, ...]:
        first = len(members)
        for files in pictures:
            places = tuple(file if isinstance(file, Place) else place_of(file) for file in files)
            members.append(Member(f"{len(members):0128x}", 48, 40, 1.0, places))
        return tuple(range(first, len(members)))

    grouped = [Cluster(numbers_of(pictures), 1.0, 0.0) for pictures in clusters]
    return Result("exact", 1.0, "chain", members, grouped, numbers_of(outliers), [])


def originals(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """{path: (content, time, rights)} of every file below a folder."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in paths
    }


def planned(result: Result | None = None, command: str = "photos") -> Placed:
    with OutputFolder("out") as folder:
        (folder.building / "clusters.json").write_text("{}")
        placed, moves = plan(result or result_of(), "photos", folder.building)
        if moves:
            write_journal(folder.building, command, moves)
        return placed


def moved(result: Result | None = None) -> tuple[Placed, Placed]:
    return planned(result), go_on("out")


def two_devices(monkeypatch) -> None:
    rename = os.rename

    def within_one_device(start, end) -> None:
        if ("/photos/" in str(start)) != ("/photos/" in str(end)):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(start, end)

    monkeypatch.setattr(os, "rename", within_one_device)
