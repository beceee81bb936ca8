"""A page of thumbnails: sections, in them groups that can be filtered by their facts, in these the pictures.

A page is one file (html_page.py). Each picture is embedded once, however many groups show it.
"""
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from typing import TypeVar

from cache.pages.html_page import HERE, write_page
from cache.text import plural

MOST_THUMBNAILS = 300  # different pictures of a page: about 1.3 MB
MOST_SHOWN = 12  # of one group

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Tile:
    """One picture of a group."""

    picture: Hashable  # the key of its thumbnail
    name: str
    note: str
    link: str | None = None


@dataclass(frozen=True)
class Group:
    facts: dict[str, str]  # {"tag": "cats", "model": "ovr-svm", ...}: what the filters look at
    count: int  # of all its pictures, shown or not
    tiles: list[Tile] = field(default_factory=list)
    link: str | None = None  # to where all of them lie
    note: str = ""

    @property
    def more(self) -> int:
        return self.count - len(self.tiles)


@dataclass(frozen=True)
class Section:
    heading: str
    groups: list[Group] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)


def choose(sections: Iterable[Sequence[Sequence[Key]]], most: int = MOST_THUMBNAILS) -> dict[Key, None]:
    """The pictures that get a thumbnail: of one section after the other the first of every group, then the
    second, and so on, until there are `most` different ones."""
    chosen: dict[Key, None] = {}
    for groups in sections:
        for key in chain.from_iterable(zip_longest(*groups)):
            if len(chosen) < most and key is not None:
                chosen[key] = None
    return chosen


def write_sheet(
    path: str | Path, title: str, summary: Sequence[str], sections: Sequence[Section], *,
    thumbnails: Mapping[Key, str], unit: str,
) -> None:
    """thumbnails: {key of a picture: data URI}; a tile without one shows that there is none. unit: what a
    section counts: a picture has a score, or a change, under each model."""
    write_page(
        path, HERE / "templates", "sheet.html",
        title=title,
        summary=summary,
        sections=sections,
        thumbnails=thumbnails,
        numbers={key: number for number, key in enumerate(thumbnails)},
        unit=unit,
        plural=plural,
        filters=_filters(sections),
    )


def _filters(sections: Sequence[Section]) -> dict[str, list[str]]:
    """The facts in which groups differ, with their values."""
    values: dict[str, set[str]] = {}
    for group in chain.from_iterable(section.groups for section in sections):
        for name, value in group.facts.items():
            values.setdefault(name, set()).add(value)
    return {name: sorted(different) for name, different in values.items() if len(different) > 1}
