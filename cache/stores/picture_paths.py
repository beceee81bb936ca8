"""Where the pictures behind hashes lie, as far as what stage 1 left behind says."""
import os
from collections.abc import Collection, Iterator
from contextlib import suppress

from cache.refusal import Refused
from cache.stores.file_table import files_beside
from cache.stores.metadata import METADATA, is_database
from cache.stores.sqlite_errors import DatabaseError


def picture_paths(metadata_path: str | os.PathLike, hash_ids: Collection[str]) -> dict[str, str]:
    """{hash_id: absolute path, which may lead into ZIPs}, without those unknown: of the file cache beside the
    metadata, and what that does not know of the metadata itself. It is not asked what is still there."""
    path_of: dict[str, str] = {}
    for source in (_cached, _recorded):
        missing = set(hash_ids) - path_of.keys()
        with suppress(Refused, DatabaseError):  # the doctor names a damaged cache
            path_of.update(source(metadata_path, missing))
    return {hash_id: path_of[hash_id] for hash_id in hash_ids if hash_id in path_of}


def _cached(metadata_path: str | os.PathLike, missing: set[str]) -> Iterator[tuple[str, str]]:
    files = files_beside(metadata_path)
    if files is None:
        return
    with files:
        for hash_id in missing:
            image = files.image(hash_id)
            path = image["absolute_path"] if image else None
            if isinstance(path, str):  # the file may come from anybody
                yield hash_id, path


def _recorded(metadata_path: str | os.PathLike, missing: set[str]) -> Iterator[tuple[str, str]]:
    """As stage 1 was given them, most often relative to the folder in which it was run."""
    if not missing or is_database(metadata_path):
        return
    for hash_id, record in METADATA.members(metadata_path):
        path = record.get("file_path") if isinstance(record, dict) else None
        if hash_id in missing and isinstance(path, str):
            missing.discard(hash_id)
            yield hash_id, os.path.abspath(path)
            if not missing:
                return
