"""The pictures that the report embeds: bounded in number, each once, however often it is shown. A picture is known by its hash_id."""
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from cache.decoder.limits import Limits
from cache.pages.contact_sheet import choose
from cache.pages.thumbnails import read_thumbnails
from cache.text import on_one_line

MOST_THUMBNAILS = 400  # about 2 MB
Paths = Callable[[Collection[str]], Mapping[str, str]]  # hash_ids -> where their pictures lie, without those unknown


class PagePictures:
    """wanted: sections of groups of hash_ids; the first sections come first, and in a section the first pictures of every group."""

    def __init__(self, wanted: Sequence[Sequence[Sequence[str]]], find_paths: Paths, limits: Limits = Limits()):
        self._chosen = choose(wanted, MOST_THUMBNAILS)
        paths = find_paths(list(self._chosen))
        self._paths = {hash_id: os.path.abspath(paths[hash_id]) for hash_id in self._chosen if hash_id in paths}
        # A file may be another by now, and a metadata file from anybody may name any: only the picture that was meant is shown.
        found = {path: (hash_ids, uri) for path, hash_ids, uri in read_thumbnails(self._paths.values(), limits)}
        self.embedded = {hash_id: found[path][1] for hash_id, path in self._paths.items() if path in found and hash_id in found[path][0]}
        self._number = {hash_id: number for number, hash_id in enumerate(self.embedded)}

    def shown(self, hash_id: str) -> bool:
        """Whether there was room for it."""
        return hash_id in self._chosen

    def number(self, hash_id: str) -> int | None:
        """Its place among those embedded; None if it could not be read."""
        return self._number.get(hash_id)

    def name(self, hash_id: str) -> str:
        """Of its folder and file, or the beginning of its hash. No more of the path: the page may be sent, and label-audit.json has it."""
        path = self._paths.get(hash_id)
        return on_one_line("/".join(Path(path).parts[-2:])) if path else hash_id[:12]
