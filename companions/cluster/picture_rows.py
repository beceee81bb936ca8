"""Pictures, their files and thumbnails as the scripts of the pages read them: pictures.js."""
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from cache.limits import Limits
from cache.pages.thumbnails import Kept, page_pictures
from cache.text import on_one_line
from companions.cluster.groups import Member, Place

TEMPLATES = Path(__file__).parent / "templates" / "cluster"


def embedded(
    members: Sequence[Member], numbers: Iterable[int], kept: Kept, limits: Limits,
) -> dict[str, str]:
    """{hash: data URI} of the thumbnails that can be had."""
    chosen = [members[number] for number in numbers]
    places = {member.hash_id: [place.absolute_path for place in member.places] for member in chosen}
    return {hash_id: picture.uri for hash_id, picture in page_pictures(places, kept, limits).items()}


class Rows:
    """Short, since there may be many."""

    def __init__(
        self, members: Sequence[Member], thumbnails: Sequence[str], lies_in: str | os.PathLike,
        moved_to: Mapping[str, str] | None = None,
    ):
        """thumbnails: hashes of those that there are, in their order."""
        self._moved_to = moved_to or {}
        self._members, self._lies_in = members, os.path.abspath(lies_in)
        self._thumbnail_of = {hash_id: place for place, hash_id in enumerate(thumbnails)}
        places = [place for member in members for place in member.places]
        common = os.path.commonprefix([place.file_path for place in places])
        self._given = common[:common.rfind("/") + 1]
        on_disk = (place for place in places if not place.in_archive)
        roots = (place.absolute_path.removesuffix(self._name(place)) for place in on_disk)
        self._root = next(roots, "")
        links = self._link(self._root) if self._root else ""
        self.head = {"given": self._given, "links": links}  # how paths begin, and links that are made of them

    def picture(self, number: int) -> list:
        """[width, height, sharpness, place of its thumbnail or null, files]: those that are not in an
        archive first."""
        member = self._members[number]
        files = sorted(member.places, key=lambda place: (place.in_archive, place))
        thumbnail = self._thumbnail_of.get(member.hash_id)
        return [member.width, member.height, float(f"{member.sharpness:.4g}"), thumbnail,
                [self._file(place) for place in files]]

    def _file(self, place: Place) -> list:
        """[name, bytes]; behind it its link, where that is not made of its name ("" in an archive), and
        whether its name is other than it is shown: no list of lines can hold it. Of a file that moves also
        the path that it will have, as the others are given."""
        name = self._name(place)
        shown = on_one_line(name)
        if place.in_archive:
            return [shown, place.size_bytes, "", shown != name]
        moved_to = self._moved_to.get(place.absolute_path)
        if moved_to:
            path = moved_to if os.path.isabs(place.file_path) else os.path.relpath(moved_to)
            return [shown, place.size_bytes, self._link(moved_to), path != on_one_line(path), path]
        if shown == name and place.absolute_path == self._root + name:
            return [name, place.size_bytes]
        return [shown, place.size_bytes, self._link(place.absolute_path), shown != name]

    def _name(self, place: Place) -> str:
        return place.file_path[len(self._given):]

    def _link(self, path: str) -> str:
        """"" where no way leads there, as to another drive of Windows."""
        try:
            relative = Path(os.path.relpath(path, self._lies_in)).as_posix()
        except ValueError:
            return ""
        return quote(os.fsencode(relative)) + ("/" if path.endswith("/") else "")
