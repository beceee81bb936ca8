"""Where the pictures of a comparison lie: told without opening them, wherever that is sure."""
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from cache.files.placed_names import placed_names
from cache.reader.stored_file import stored_file
from cache.refusal import Missing, Refused
from cache.results.result_folder import PICTURES
from cache.results.settings import CACHE_FOLDER
from cache.stores.file_table import FileTable, files_beside
from cache.stores.sqlite_errors import DatabaseError

# As placed_names() gives them.
WITH_DIGEST = re.compile(r"(?P<stem>.+)-[0-9a-f]{8}(-\d+)?(?P<suffix>\.[^.]*|)", re.DOTALL)


def sure_places(paths: Mapping[str, str], results: tuple[str, str]) -> dict[str, str]:
    """{hash_id: path} of those that are sure: the copy in the second result by its name; where there is none,
    the picture itself if the file cache knows it. paths: by hash, as the second run had them."""
    places = dict(_sure_copies(paths, os.path.join(results[1], PICTURES)))
    without_copy = {
        hash_id: path for hash_id, path in paths.items()
        if hash_id not in places and not any(map(os.path.isfile, _possible_copies(path, results)))}
    return {**places, **dict(_unchanged(without_copy))}


def possible_places(path: str, results: tuple[str, str]) -> list[str]:
    """Of the copy in the second result or in the first, else of the picture itself. The names are guessed:
    what counts is the hash of the pixels that lie there."""
    return [*_possible_copies(path, results), path]


def _possible_copies(path: str, results: tuple[str, str]) -> list[str]:
    names = _copy_names(path)
    return [os.path.join(folder, PICTURES, name) for folder in reversed(results) for name in names]


def _copy_names(path: str) -> list[str]:
    return list(islice(placed_names(os.path.basename(path), os.path.abspath(path)), 2))


def _sure_copies(paths: Mapping[str, str], folder: str) -> Iterator[tuple[str, str]]:
    """Of pictures with one name the first keeps it, the others have a digest of their path in theirs. So a
    name with the digest is sure, and one without if no other picture shares it."""
    names = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    with_digest = filter(None, map(WITH_DIGEST.fullmatch, names))
    shared = {f"{match['stem']}{match['suffix']}" for match in with_digest}
    for hash_id, path in paths.items():
        plain, own = _copy_names(path)
        if own in names or (plain in names and plain not in shared):
            yield hash_id, os.path.join(folder, own if own in names else plain)


def _unchanged(paths: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        files = files_beside(os.path.join(CACHE_FOLDER, "file_cache.sqlite"))
    except (Refused, DatabaseError):  # the doctor names a damaged cache
        return
    if files:
        with files:
            yield from ((hash_id, path) for hash_id, path in paths.items() if _is_it(hash_id, path, files))


def _is_it(hash_id: str, path: str, files: FileTable) -> bool:
    try:
        picture = files.known(stored_file(os.path.abspath(path)))
    except (OSError, ValueError, Missing, DatabaseError):
        return False
    return picture is not None and hash_id in (picture.hash_id, picture.old_hash_id)
