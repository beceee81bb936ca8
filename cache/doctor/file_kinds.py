"""Which files are ours, told before anything is decoded: by first bytes, name, or folder."""
import os
import re
from functools import lru_cache
from typing import NamedTuple

from cache.files.listed_folder import MARKER
from cache.files.whole_file import PARTIAL_NAME
from cache.files.whole_folder import UNFINISHED_FOLDER
from cache.models.bundle import MODEL_BUNDLE
from cache.pages.html_page import PAGE_MARK
from cache.reader.image_source import looks_like_an_image
from cache.reader.source_file import SourceFile
from cache.stores.sqlite_file import SQLITE_MAGIC
from cache.stores.untouched_database import SIDE_FILES

NAMES = {  # whatever the content; the rest is told by the content
    "database": re.compile(r".+\.sqlite|stage[134]\.db"),
    "model": re.compile(r"model-.+-tag-.+\.pkl"),
    "bundle": re.compile(re.escape(MODEL_BUNDLE)),
    "metadata": re.compile(r"input-metadata\.json"),
    "tag_list": re.compile(r"input-(tag-to-image-hash|image-hash-to-tag)-list\.json"),
    # Beside models and databases, or in results: what could be wrong shows elsewhere, or nothing reads it.
    "passed_over": re.compile(
        r"model-.+-tag-.+\.json|model-report-.+\.txt|label-(audit|check|next)\.json"
        r"|output\.json|\.result\.json|\.run\.lock"),
}
UNFINISHED_NAME = re.compile(rf"{PARTIAL_NAME.pattern}|{UNFINISHED_FOLDER.pattern}")
CSV_START = b"file_path,hash_id,model_type,tag_name,tag_prob"  # of a table of scores, whatever it is called
PAGE_HEAD_BYTES = 1000  # PAGE_MARK stands in the first lines of page.html
METADATA_START = re.compile(rb'\s*\{.*"embeddings_(type|vector)"', re.DOTALL)
HEAD_BYTES = 65536  # of a metadata JSON: its first record names its embeddings_type before
FOLDERS_REMEMBERED = 4096


def kind_of_file(file: SourceFile) -> str | None:
    """A key of NAMES; None for a picture, whatever it is called, and for what is not ours."""
    path = file.file_path
    base = next((path.removesuffix(suffix) for suffix in SIDE_FILES if path.endswith(suffix)), None)
    if base and os.path.isfile(base) and _kind_of(base) == "database":
        return "passed_over"
    return None if looks_like_an_image(file) else _kind_of(path)


def is_passed_over(path: str) -> bool:
    """By its name alone."""
    return NAMES["passed_over"].fullmatch(os.path.basename(path)) is not None


def _kind_of(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if head.startswith(SQLITE_MAGIC):
        return "database"
    if PAGE_MARK in head[:PAGE_HEAD_BYTES] or head.startswith(CSV_START):
        return "passed_over"
    by_name = next((kind for kind, name in NAMES.items() if name.fullmatch(os.path.basename(path))), None)
    return by_name or ("metadata" if METADATA_START.match(head) else None)


class UnreadPlace(NamedTuple):
    """A file or folder that is not for reading: copies in a result, or not finished."""

    kind: str  # of the finding
    path: str


class UnreadPlaces:
    """Those below a source, which itself is read whatever it is."""

    def __init__(self, source: str):
        self._source = source.rstrip(os.sep)
        self._around_folder = lru_cache(FOLDERS_REMEMBERED)(self._look_around)

    def around(self, path: str) -> UnreadPlace | None:
        """The file itself, or the nearest such folder that it lies in."""
        if UNFINISHED_NAME.fullmatch(os.path.basename(path)):
            return UnreadPlace("leftover", path)
        return self._around_folder(os.path.dirname(path))

    def _look_around(self, folder: str) -> UnreadPlace | None:
        while len(folder) > len(self._source) and folder != os.path.dirname(folder):
            if UNFINISHED_NAME.fullmatch(os.path.basename(folder)):
                return UnreadPlace("leftover", folder)
            if os.path.isfile(os.path.join(folder, MARKER)):
                return UnreadPlace("results", folder)
            folder = os.path.dirname(folder)
        return None
