"""The pictures that the report embeds: bounded in number, each once, however often it is shown. A picture is
known by its hash_id."""
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from cache.limits import Limits
from cache.pages.contact_sheet import choose
from cache.pages.thumbnails import Kept, page_pictures
from cache.text import on_one_line

MOST_THUMBNAILS = 400  # about 2 MB
# hash_ids -> where their pictures lie, without those unknown
Paths = Callable[[Collection[str]], Mapping[str, str]]


class ReportPictures:
    """wanted: sections of groups of hash_ids; the first sections come first, and in a section the first
    pictures of every group."""

    def __init__(
        self, wanted: Sequence[Sequence[Sequence[str]]], find_paths: Paths, kept: Kept,
        limits: Limits = Limits(),
    ):
        self._chosen = choose(wanted, MOST_THUMBNAILS)
        path_of = find_paths(list(self._chosen))
        self._path_of = {name: os.path.abspath(path_of[name]) for name in self._chosen if name in path_of}
        # A metadata file from anybody may name any file: only the picture that was meant is shown.
        places = {name: [self._path_of[name]] if name in self._path_of else [] for name in self._chosen}
        shown = page_pictures(places, kept, limits)
        self.embedded = {name: picture.uri for name, picture in shown.items()}  # data URIs by hash_id
        self._number = {hash_id: number for number, hash_id in enumerate(self.embedded)}

    def shown(self, hash_id: str) -> bool:
        """Whether there was room for it."""
        return hash_id in self._chosen

    def number(self, hash_id: str) -> int | None:
        """Its place among those embedded; None if it could not be read."""
        return self._number.get(hash_id)

    def name(self, hash_id: str) -> str:
        """Of its folder and file, or the beginning of its hash. No more of the path: the page may be sent,
        and label-check.json has it."""
        path = self._path_of.get(hash_id)
        return on_one_line("/".join(Path(path).parts[-2:])) if path else hash_id[:12]
