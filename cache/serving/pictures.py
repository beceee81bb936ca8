"""Images and their thumbnails, read from where a database says they lie, if that is inside the roots."""
import os
from collections.abc import Callable

from flask import Response

from cache.decoder.limits import MIB, Skip
from cache.reader.source_file import SourceFile
from cache.reader.stored_file import stored_file
from cache.refusal import Missing, Refused
from cache.serving.api_error import ApiError
from cache.serving.roots import Roots
from cache.serving.thumbnails import Thumbnails
from cache.serving.tile import short_reason
from cache.stores.databases import table_of
from cache.stores.score_table import ScoreTable
from cache.stores.sqlite_table import Table
from cache.text import tag_name

# What browsers show and cannot run; everything else is shown as a JPEG of ours.
SAFE_TYPES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}
SMALLEST, LARGEST = 16, 512
LARGEST_FILE = 64 * MIB  # eight threads may hold one each
SEEN_BEFORE = 160  # the size of tiles: who comes from one has had the picture decoded already
FULL_SIZE = 1024  # of the JPEG that stands for a TIFF, a PPM ...
CACHING = {"Cache-Control": "private, max-age=86400"}  # the hash is in the address


def any_table(db_path: str) -> Table:
    """Any database of ours, by its own table."""
    kind = table_of(db_path)
    if kind is None:
        raise Missing(f"no such database: {db_path}")
    return kind(db_path)


class Pictures:
    """What cannot be shown (gone, outside the roots, damaged) is an ApiError whose `tile` says so."""

    def __init__(self, roots: Roots):
        self._roots, self._thumbnails = roots, Thumbnails()

    def image(self, hash_id: str, db_path: str) -> Response:
        file = self._file(hash_id, db_path)
        data = _decoded(lambda: file.read(LARGEST_FILE))
        mimetype = safe_type(data)
        if mimetype is None:
            data = _decoded(lambda: self._thumbnails.jpeg(file, FULL_SIZE, "longest"))
        return Response(data, mimetype=mimetype or "image/jpeg", headers=CACHING)

    def thumbnail(self, hash_id: str, db_path: str, size: int = 192) -> Response:
        if not SMALLEST <= size <= LARGEST:
            raise ApiError(400, "bad_argument", f"size is not a number from {SMALLEST} to {LARGEST}")
        file = self._file(hash_id, db_path)
        jpeg = _decoded(lambda: self._thumbnails.jpeg(file, size))
        return Response(jpeg, mimetype="image/jpeg", headers=CACHING)

    def problem(self, hash_id: str, db_path: str) -> str | None:
        """In a few words why a picture cannot be shown, for a page about it; None if it can."""
        try:
            self.thumbnail(hash_id, db_path, SEEN_BEFORE)
        except ApiError as error:
            return error.tile
        return None

    def _file(self, hash_id: str, db_path: str) -> SourceFile:
        with any_table(db_path) as table:
            path = table.absolute_path(hash_id)
        if not isinstance(path, str):  # none, or bytes in a database that came from somewhere
            raise ApiError(404, "not_found", "no image with this hash", tile="not in the database")
        self._roots.check(path)
        try:
            return stored_file(os.path.realpath(path))
        except Missing as missing:
            raise ApiError(404, "not_found", str(missing), tile="moved or deleted") from None
        except OSError as error:  # a name too long for this disk, a folder that may not be entered
            reason = error.strerror or type(error).__name__
            raise ApiError(400, "refused", reason, tile=reason) from None


def safe_type(data: bytes) -> str | None:
    """The MIME type of a picture that a browser may get as it is, by its first bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((name for magic, name in SAFE_TYPES.items() if data.startswith(magic)), None)


def _decoded(read: Callable[[], bytes]) -> bytes:
    try:
        return read()
    except Skip as skip:
        message = f"not a picture any more: {skip.reason} {skip.detail}".rstrip()
        raise ApiError(400, "refused", message, tile=short_reason(skip)) from None


def scores(db_path: str, tag: str, min: float = 0.0, max: float = 1.0, page: int = 1) -> dict:  # noqa: A002  the API's names
    """One page of a hundred scores of a tag, the likeliest first."""
    with any_table(db_path) as table:
        if not isinstance(table, ScoreTable):
            raise Refused(f"{db_path} holds no scores")
        if page < 1:
            raise ApiError(400, "bad_argument", "pages are counted from 1")
        rows = table.scores(tag, min, max, page) or table.scores(tag_name(tag), min, max, page)
        return {"page": page, "scores": rows}
