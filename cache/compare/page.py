"""Changed decisions as a page: for every kind of change, and every model in it, the pictures whose probability has changed most."""
import os
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from cache.compare.changed_decisions import Change, ChangedDecisions
from cache.pages.contact_sheet import MOST_SHOWN, MOST_THUMBNAILS, Group, Section, Tile, choose, write_sheet
from cache.pages.thumbnails import read_thumbnails
from cache.results.result_folder import PICTURES, placed_names
from cache.text import on_one_line

COMPARED = " compared"  # the end of every title
GENERATOR = b'<meta name="generator" content="image-tagging-tools">'  # of page.html
LONGEST_HEAD = 64 * 1024  # bytes before the style; a title has two paths, each at most 4 kB, more where characters are escaped

Shown = tuple[str, str, float, float]  # hash, path, probability before and after


def write_comparison_page(path: str, folders: tuple[str, str], changed: ChangedDecisions, summary: list[str]) -> None:
    changes = sorted(changed.changes(), key=lambda change: change.kind)
    most = max(MOST_SHOWN, MOST_THUMBNAILS // max(1, len(changes)))
    rows = {change: list(changed.largest(change, most)) for change in changes}
    kinds = list(dict.fromkeys(change.kind for change in changes))
    chosen = choose([[[row[0] for row in rows[change]] for change in changes if change.kind == kind] for kind in kinds])
    paths = {row[0]: row[1] for each in rows.values() for row in each if row[0] in chosen}
    found = _found(paths, folders)
    links = {hash_id: _link(picture, path) for hash_id, (picture, _) in found.items()}
    sections = [Section(kind, [_group(change, rows[change], chosen, links) for change in changes if change.kind == kind]) for kind in kinds]
    title = f"{on_one_line(folders[0])} and {on_one_line(folders[1])}{COMPARED}"
    write_sheet(path, title, summary, sections, {hash_id: uri for hash_id, (_, uri) in found.items()}, "change")


def is_comparison_page(path: str) -> bool:
    """By its head: the report and the gallery are pages of ours, too, but other ones."""
    with open(path, "rb") as file:
        head = file.read(LONGEST_HEAD)
    return GENERATOR in head and f"{COMPARED} · image-tagging-tools</title>".encode() in head


def _group(change: Change, rows: list[Shown], chosen: dict[str, None], links: dict[str, str | None]) -> Group:
    tiles = [Tile(hash_id, on_one_line(os.path.basename(path)), f"{before:.3f} → {after:.3f}", links.get(hash_id))
             for hash_id, path, before, after in rows if hash_id in chosen]
    return Group({"tag": on_one_line(change.tag_name), "model": on_one_line(change.model_type), "change": change.kind}, change.count, tiles)


def _found(paths: dict[str, str], folders: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """{hash: (path, data URI)} of what is still the picture it was: its copy in the second result or in the first, else the picture
    itself. The names of the copies are only guessed; what counts is the hash of the pixels found there."""
    found: dict[str, tuple[str, str]] = {}
    candidates = {hash_id: _candidates(path, folders) for hash_id, path in paths.items()}
    for place in range(max(map(len, candidates.values()), default=0)):
        guesses = [places[place] for hash_id, places in candidates.items() if hash_id not in found]
        for path, hash_ids, uri in read_thumbnails(guesses):
            for hash_id in hash_ids & paths.keys():
                found.setdefault(hash_id, (path, uri))
    return found


def _candidates(path: str, folders: tuple[str, str]) -> list[str]:
    names = list(islice(placed_names(os.path.basename(path), os.path.abspath(path)), 2))
    return [os.path.join(folder, PICTURES, name) for folder in reversed(folders) for name in names] + [path]


def _link(picture: str, page: str) -> str | None:
    """From the page to the picture; none to one in a ZIP."""
    if not os.path.isfile(picture):
        return None
    return quote(Path(os.path.relpath(picture, os.path.dirname(os.path.abspath(page)))).as_posix())
