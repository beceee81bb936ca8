"""Images and their thumbnails, read from where a database says they lie, if that is inside the roots."""
import os

from flask import Response

from cache.decoder.limits import MIB, Skip
from cache.reader.source_file import SourceFile
from cache.reader.stored_file import stored_file
from cache.refusal import Missing, Refused
from cache.serving.api_error import ApiError
from cache.serving.roots import Roots
from cache.serving.thumbnails import Thumbnails
from cache.stores.databases import table_of
from cache.stores.sqlite_table import Table

# What browsers show and cannot run; everything else is shown as a JPEG of ours.
SAFE_TYPES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"), (b"BM", "image/bmp"))
SMALLEST, LARGEST = 16, 512
LARGEST_FILE = 64 * MIB  # eight threads may hold one each
FULL_SIZE = 1024  # of the JPEG that stands for a TIFF, a PPM ...
CACHING = {"Cache-Control": "private, max-age=86400"}  # the hash is in the address


def any_table(db_path: str) -> Table:
    """Any database of ours, by its own table."""
    kind = table_of(db_path)
    if kind is None:
        raise Missing(f"no such database: {db_path}")
    return kind(db_path)


class Pictures:
    def __init__(self, roots: Roots):
        self._roots, self._thumbnails = roots, Thumbnails()

    def image(self, hash_id: str, db_path: str) -> Response:
        file = self._file(hash_id, db_path)
        data = self._safely(lambda: file.read(LARGEST_FILE))
        found = next((name for magic, name in SAFE_TYPES if data.startswith(magic)), None)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            found = "image/webp"
        if found is None:
            data, found = self._safely(lambda: self._thumbnails.jpeg(file, FULL_SIZE, "longest")), "image/jpeg"
        return Response(data, mimetype=found, headers=CACHING)

    def thumbnail(self, hash_id: str, db_path: str, size: int = 192) -> Response:
        if not SMALLEST <= size <= LARGEST:
            raise ApiError(400, "bad_argument", f"size is not a number from {SMALLEST} to {LARGEST}")
        file = self._file(hash_id, db_path)
        return Response(self._safely(lambda: self._thumbnails.jpeg(file, size)), mimetype="image/jpeg", headers=CACHING)

    def _file(self, hash_id: str, db_path: str) -> SourceFile:
        with any_table(db_path) as table:
            path = table.absolute_path(hash_id)
        if path is None:
            raise ApiError(404, "not_found", "no image with this hash")
        self._roots.check(path)
        return stored_file(os.path.realpath(path))

    @staticmethod
    def _safely(read):
        try:
            return read()
        except Skip as skip:
            raise Refused(f"not a picture any more: {skip.reason} {skip.detail}".rstrip()) from None


def scores(db_path: str, tag: str, min: float = 0.0, max: float = 1.0, page: int = 1) -> dict:  # noqa: A002  the names of the API
    """One page of a hundred scores of a tag, the likeliest first."""
    with any_table(db_path) as table:
        if not hasattr(table, "scores"):
            raise Refused(f"{db_path} holds no scores")
        if page < 1:
            raise ApiError(400, "bad_argument", "pages are counted from 1")
        return {"page": page, "scores": table.scores(tag, min, max, page)}
