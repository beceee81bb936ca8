"""The page a person begins at: tags with a few pictures each, the newest scores, companions, databases.

Of a database it reads a few rows of a few tags, and for its counts an index once from end to end: that grows
with the rows, but never reads the rows themselves.
"""
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

from flask import render_template

from cache.refusal import Refused
from cache.serving.pictures import any_table
from cache.serving.roots import Roots
from cache.serving.served_pages import ServedPages
from cache.stores.databases import databases
from cache.stores.file_table import FileTable
from cache.stores.score_table import ScoreTable
from cache.stores.sqlite_errors import DatabaseError
from cache.stores.tag_table import TagTable
from cache.text import plural
from web_api.companion_pages import LeftOut

MOST_STRIPS = 12  # tags shown of those there are
MOST_TILES = 5  # pictures of each
MOST_FILES = 12  # pictures where none has a tag
SCORES = ("stage3", "stage4")  # the ZIP score cache holds the rows of stage 4 once more

# The page on which a person looks at a database, by the name of its table.
VIEWS = {
    "file_cache": "files",
    "tag_cache": "tags",
    "stage3": "bins",
    "stage4": "bins",
    "zip_score_cache": "bins",
}


@dataclass(frozen=True)
class Database:
    path: str  # relative to the current folder, as a person would name it
    kind: str  # the name of its table
    holds: str  # for people: "12 pictures, 1 archive"
    changed: float  # when it was written last, in seconds since the epoch


@dataclass(frozen=True)
class Tile:
    """One picture."""

    hash_id: str
    name: str
    note: str


@dataclass(frozen=True)
class Strip:
    """Some pictures of one tag."""

    tag: str
    tiles: list[Tile]
    count: int | None = None  # of all files under the tag
    models: tuple[str, ...] = ()  # which scored them


class Home:
    def __init__(self, roots: Roots, companions: Sequence[ServedPages], left_out: Sequence[LeftOut]):
        self._roots, self._companions, self._left_out = roots, companions, left_out

    def page(self) -> str:
        known = list(_databases(self._roots))
        tag_cache, tags = _newest(known, ("tag_cache",), _tag_strips)
        scores, scored = _newest(known, SCORES, _score_strips)
        files, pictures = (None, []) if tags else _newest(known, ("file_cache",), _first_files)
        return render_template(
            "home.html", tag_cache=tag_cache, tags=tags, scores=scores, scored=scored, files=files,
            pictures=pictures, companions=self._companions, left_out=self._left_out, databases=known,
            views=VIEWS, roots=self._roots.folders)


def _databases(roots: Roots) -> Iterator[Database]:
    for root in roots.folders:
        for path, kind in databases(str(root)):
            try:
                yield Database(os.path.relpath(path), kind, _contents(path), _changed(path))
            except (Refused, DatabaseError, OSError):
                continue  # deleted since it was listed, or not what its header says


def _contents(path: str) -> str:
    with any_table(path) as table:
        if isinstance(table, FileTable):
            facts = table.counts()
            return f"{plural(facts['pictures'], 'picture')}, {plural(facts['archives'], 'archive')}"
        if isinstance(table, TagTable):
            return plural(table.tag_count(), "tag")
        return plural(table.row_count(), "row")


def _newest(
    known: Sequence[Database], kinds: Sequence[str], read: Callable[[Any], list],
) -> tuple[Database | None, list]:
    """Of the databases of these kinds that changed last the first in which there is something to show."""
    candidates = [database for database in known if database.kind in kinds]
    for database in sorted(candidates, key=attrgetter("changed"), reverse=True):
        try:
            with any_table(database.path) as table:
                shown = read(table)
        except (Refused, DatabaseError, TypeError, ValueError):
            continue  # its own page says what is wrong; a file from anybody may hold text for numbers
        if shown:
            return database, shown
    return None, []


def _changed(path: str) -> float:
    """What is new lies in the -wal beside a database for a while."""
    log = f"{path}-wal"
    return max(os.path.getmtime(file) for file in (path, log) if file == path or os.path.exists(log))


def _tag_strips(table: TagTable) -> list[Strip]:
    """The tags with the most files."""
    return [
        Strip(tag, _tiles(table.page(tag, 0, 2 * MOST_TILES)), count)
        for tag, count in table.largest(MOST_STRIPS).items()]


def _score_strips(table: ScoreTable) -> list[Strip]:
    """Of the tags with the highest scores the pictures that got them, under whichever model."""
    best: dict[str, float] = {}
    models: dict[str, list[str]] = {}
    for (tag, model), score in table.best_scores().items():
        best[tag] = max(score, best.get(tag, 0.0))
        models.setdefault(tag, []).append(model)
    strips = []
    for tag in sorted(best, key=best.__getitem__, reverse=True)[:MOST_STRIPS]:
        rows = [row for model in models[tag] for row in table.likeliest(tag, model, 2 * MOST_TILES)]
        rows.sort(key=itemgetter("tag_prob"), reverse=True)
        strips.append(Strip(tag, _tiles(rows), models=tuple(models[tag])))
    return strips


def _first_files(table: FileTable) -> list[Tile]:
    return _tiles(table.page(0, MOST_FILES), MOST_FILES)


def _tiles(rows: Iterable[dict], most: int = MOST_TILES) -> list[Tile]:
    """The first pictures that differ; a copy of one shows nothing new."""
    tiles: dict[str, Tile] = {}
    for row in rows:
        if row["hash_id"] not in tiles and len(tiles) < most:
            path = row["file_path"] if "file_path" in row else row["path"]
            tiles[row["hash_id"]] = Tile(row["hash_id"], os.path.basename(path), _note(row))
    return list(tiles.values())


def _note(row: dict) -> str:
    """Of a score the probability and what was decided."""
    return f"{row['tag_prob']:.3f} {row['decision'] or ''}".rstrip() if "tag_prob" in row else ""
