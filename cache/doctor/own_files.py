"""What lies among a person's pictures but is ours: databases, metadata JSONs, models, results, and what interrupted runs leave.

They are told apart before anything is decoded, examined one by one, and in the end compared: vectors and models of one encoder only.
"""
import os
import re
from collections.abc import Iterator
from functools import lru_cache

from cache.doctor.database_check import SIDE_FILES, check_database, refusal_of
from cache.doctor.findings import Finding
from cache.files.whole_file import PARTIAL_NAME
from cache.files.whole_folder import UNFINISHED_FOLDER
from cache.models.tag_models import load_model
from cache.reader.image_source import looks_like_an_image
from cache.reader.source_file import Picture, SourceFile
from cache.refusal import Refused
from cache.results.result_folder import MARKER
from cache.stores.metadata import read_metadata
from cache.stores.sqlite_file import SQLITE_MAGIC
from cache.stores.tag_list import read_tag_to_hashes

NAMES = {  # whatever the content; the rest is told by the content
    "database": re.compile(r".+\.sqlite|stage[134]\.db"),
    "model": re.compile(r"model-.+-tag-.+\.pkl"),
    "metadata": re.compile(r"input-metadata\.json"),
    "tag_list": re.compile(r"input-(tag-to-image-hash|image-hash-to-tag)-list\.json"),
    # Beside models and databases, or in results: what could be wrong in it shows elsewhere, or nothing reads it.
    "passed_over": re.compile(
        r"model-.+-tag-.+\.json|model-report-.+\.txt|label-(audit|next)\.json|output\.json|\.result\.json|\.run\.lock"),
}
UNFINISHED_NAME = re.compile(rf"{PARTIAL_NAME.pattern}|{UNFINISHED_FOLDER.pattern}")
# Pages and tables of scores, whatever they are called.
PAGE_MARK, CSV_START = b'<meta name="generator" content="image-tagging-tools">', b"file_path,hash_id,model_type,tag_name,tag_prob"
METADATA_START = re.compile(rb'\s*\{.*"embeddings_(type|vector)"', re.DOTALL)
HEAD_BYTES = 65536  # of a metadata JSON: its first record names its embeddings_type before


class OwnFiles:
    """The files of ours below one source."""

    def __init__(self, source: str):
        self._source = source.rstrip(os.sep)
        self._folders: set[str] = set()  # of results and leftovers
        self._metadatas: list[tuple[str, dict[str, int]]] = []  # path, {encoder: features}
        self._caches: list[tuple[str, dict[str, int]]] = []  # the same, of clip caches; of other databases {}
        self._models: list[tuple[str, str | None, int]] = []  # path, encoder, features

    def known(self, file: SourceFile) -> Picture | None:
        """For images(): a file of ours is not decoded. In place of a picture's type stands what kind of file it is."""
        kind = self._kind(file)
        return Picture(file, "", None, kind, 0, 0, unchanged=True) if kind else None

    def examine(self, kind: str, path: str) -> list[Finding]:
        try:
            return getattr(self, f"_{kind}")(path)
        except Refused as refusal:
            return [refusal_of(path, refusal)]

    def mismatches(self) -> Iterator[Finding]:
        """Vectors of another encoder or width than the cache beside them has; models that no vectors near them fit."""
        for path, features in self._metadatas:
            for cache, widths in self._caches:
                if os.path.dirname(cache) == os.path.dirname(path) and widths and not features.items() <= widths.items():
                    yield _mismatch(path, f"has vectors of {_listed(features)}", cache, widths)
        for path, encoder, width in self._models:
            near = self._vectors_near(path)
            if near and not any(_fits(encoder, width, widths) for _, widths in near):
                yield _mismatch(path, f"takes vectors of {_listed({encoder or 'an unknown encoder': width})}", *near[0])

    def _vectors_near(self, path: str) -> list[tuple[str, dict[str, int]]]:
        """What lies in the nearest folder above that has vectors: metadata JSONs, else clip caches."""
        while path != os.path.dirname(path):
            path = os.path.dirname(path)
            for stores in (self._metadatas, self._caches):
                found = [(store, widths) for store, widths in stores if os.path.dirname(store) == path and widths]
                if found:
                    return found
        return []

    def _kind(self, file: SourceFile) -> str | None:
        path = file.file_path
        if not os.path.isfile(path):  # but in a ZIP, or under a name that is no UTF-8 and does not open by its text
            return None
        if self._unread(path):
            return "aside"
        base = next((path.removesuffix(suffix) for suffix in SIDE_FILES if path.endswith(suffix)), None)
        if base and os.path.isfile(base) and _kind_of(base) == "database":
            return "passed_over"
        return None if looks_like_an_image(file) else _kind_of(path)

    def _unread(self, path: str) -> tuple[str, str] | None:
        """Kind of finding, and the file or folder, if the file is not for reading: copies in a result, or not finished."""
        if UNFINISHED_NAME.fullmatch(os.path.basename(path)):
            return "leftover", path
        return _unread_folder(os.path.dirname(path), self._source)

    def _aside(self, path: str) -> list[Finding]:
        kind, folder = self._unread(path)
        if folder in self._folders:
            return []
        self._folders.add(folder)
        return [Finding(kind, folder, "")]

    def _passed_over(self, path: str) -> list[Finding]:
        return []

    def _database(self, path: str) -> list[Finding]:
        checked = check_database(path)
        self._caches.append((path, checked.widths))
        return checked.findings

    def _metadata(self, path: str) -> list[Finding]:
        metadata = read_metadata(path)
        self._metadatas.append((path, {metadata.key: metadata.width}))
        return []

    def _tag_list(self, path: str) -> list[Finding]:
        read_tag_to_hashes(path)
        return []

    def _model(self, path: str) -> list[Finding]:
        model = load_model(path)
        self._models.append((path, model.encoder, model.width))
        return []


def _kind_of(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if head.startswith(SQLITE_MAGIC):
        return "database"
    if PAGE_MARK in head[:1000] or head.startswith(CSV_START):
        return "passed_over"
    by_name = next((kind for kind, name in NAMES.items() if name.fullmatch(os.path.basename(path))), None)
    return by_name or ("metadata" if METADATA_START.match(head) else None)


@lru_cache(maxsize=4096)
def _unread_folder(folder: str, source: str) -> tuple[str, str] | None:
    """The nearest one between a file and the source, which itself is read whatever it is."""
    while len(folder) > len(source) and folder != os.path.dirname(folder):
        if UNFINISHED_NAME.fullmatch(os.path.basename(folder)):
            return "leftover", folder
        if os.path.isfile(os.path.join(folder, MARKER)):
            return "results", folder
        folder = os.path.dirname(folder)
    return None


def _fits(encoder: str | None, width: int, widths: dict[str, int]) -> bool:
    return width in widths.values() if encoder is None else widths.get(encoder) == width


def _mismatch(path: str, needs: str, other: str, widths: dict[str, int]) -> Finding:
    return Finding("mismatch", path, f"{needs}; {other} has {_listed(widths)}", {"other": other})


def _listed(widths: dict[str, int]) -> str:
    return ", ".join(f"{encoder} ({width} features)" for encoder, width in widths.items())
