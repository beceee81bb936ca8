"""Changed decisions as a page: of every kind and every model the pictures whose probability changed most."""
import os
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from cache.compare.changed_decisions import Change, ChangedDecisions
from cache.compare.places import possible_places, sure_places
from cache.pages.contact_sheet import MOST_SHOWN, MOST_THUMBNAILS, Group, Section, Tile, choose, write_sheet
from cache.pages.html_page import PAGE_MARK
from cache.pages.thumbnails import page_pictures
from cache.results.settings import CACHE_FOLDER
from cache.stores.decision_listing import ChangedDecision
from cache.stores.kept_thumbnails import thumbnails_in
from cache.text import on_one_line

COMPARED = " compared"  # the end of every title
LONGEST_HEAD = 64 * 1024  # bytes before the style; a title has two paths of at most 4 kB, more once escaped

Groups = dict[Change, list[ChangedDecision]]  # each with its largest changes


class Shown(NamedTuple):
    thumbnail: str  # data URI
    path: str | None  # where the picture lies, if it does


def write_comparison_page(path: str, changed: ChangedDecisions, summary: list[str]) -> None:
    folders = changed.first.folder, changed.second.folder
    by_kind = _groups_by_kind(changed)
    chosen = choose([_hashes(groups) for groups in by_kind.values()])
    shown = _shown(_chosen_paths(by_kind, chosen), folders)
    links = {hash_id: _link(picture.path, path) for hash_id, picture in shown.items()}
    sections = []
    for kind, groups in by_kind.items():
        members = [_group(change, decisions, chosen, links) for change, decisions in groups.items()]
        sections.append(Section(kind, members))
    title = f"{on_one_line(folders[0])} and {on_one_line(folders[1])}{COMPARED}"
    thumbnails = {hash_id: picture.thumbnail for hash_id, picture in shown.items()}
    write_sheet(path, title, summary, sections, thumbnails=thumbnails, unit="change")


def is_comparison_page(path: str) -> bool:
    """By its head: the report and the gallery are pages of ours, too, but other ones."""
    with open(path, "rb") as file:
        head = file.read(LONGEST_HEAD)
    return PAGE_MARK in head and f"{COMPARED} · image-tagging-tools</title>".encode() in head


def _groups_by_kind(changed: ChangedDecisions) -> dict[str, Groups]:
    changes = sorted(changed.changes(), key=lambda change: change.kind)
    most = max(MOST_SHOWN, MOST_THUMBNAILS // max(1, len(changes)))
    return {
        kind: {change: list(changed.largest(change, most)) for change in of_kind}
        for kind, of_kind in groupby(changes, key=lambda change: change.kind)}


def _hashes(groups: Groups) -> list[list[str]]:
    return [[decision.hash_id for decision in decisions] for decisions in groups.values()]


def _chosen_paths(by_kind: dict[str, Groups], chosen: dict[str, None]) -> dict[str, str]:
    """{hash: path of the picture in the second run}"""
    paths = {}
    for groups in by_kind.values():
        for decision in chain.from_iterable(groups.values()):
            if decision.hash_id in chosen:
                paths[decision.hash_id] = decision.file_path
    return paths


def _group(
    change: Change, decisions: list[ChangedDecision], chosen: dict[str, None], links: dict[str, str | None],
) -> Group:
    tiles = [_tile(decision, links) for decision in decisions if decision.hash_id in chosen]
    names = {"tag": on_one_line(change.tag_name), "model": on_one_line(change.model_type)}
    return Group({**names, "change": change.kind}, change.count, tiles)


def _tile(decision: ChangedDecision, links: dict[str, str | None]) -> Tile:
    name = on_one_line(os.path.basename(decision.file_path))
    note = f"{decision.tag_prob_before:.3f} → {decision.tag_prob_after:.3f}"
    return Tile(decision.hash_id, name, note, links.get(decision.hash_id))


def _shown(paths: dict[str, str], folders: tuple[str, str]) -> dict[str, Shown]:
    """By their hashes. To say where it lies, a picture is opened only if nothing else can."""
    sure = sure_places(paths, folders)
    places = {
        hash_id: [sure[hash_id]] if hash_id in sure else possible_places(path, folders)
        for hash_id, path in paths.items()}
    with thumbnails_in(CACHE_FOLDER) as kept:
        pictures = page_pictures(places, kept, to_find=paths.keys() - sure.keys())
    return {
        hash_id: Shown(picture.uri, sure.get(hash_id, picture.path)) for hash_id, picture in pictures.items()}


def _link(picture: str | None, page: str) -> str | None:
    """From the page to the picture; none to one in a ZIP, or that is gone."""
    if picture is None or not os.path.isfile(picture):
        return None
    return quote(Path(os.path.relpath(picture, os.path.dirname(os.path.abspath(page)))).as_posix())
