"""Images and their thumbnails, read from where a database says they lie, if that is inside the roots."""
import os
from collections.abc import Callable
from typing import TypeVar

from flask import Response

from cache.limits import MIB, Skip
from cache.pixels.crop_spec import CropSpec
from cache.reader.source_file import SourceFile
from cache.reader.stored_file import stored_file
from cache.refusal import Missing, Refused
from cache.serving.api_error import ApiError
from cache.serving.opened_pictures import OpenedPicture, OpenedPictures
from cache.serving.roots import Roots
from cache.serving.tile import short_reason
from cache.stores.databases import is_ours, table_of
from cache.stores.kept_thumbnails import KeptThumbnails, thumbnails_in
from cache.stores.score_table import ScoreTable
from cache.stores.sqlite_table import Table
from cache.stores.table_of_files import TableOfFiles
from cache.text import tag_name

# What browsers show and cannot run; everything else is shown as a JPEG of ours.
SAFE_TYPES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}
SMALLEST, LARGEST = 16, 512
LARGEST_FILE = 64 * MIB  # that goes out as it is: eight threads may hold one each
AS_LARGE_AS_SHOWN = CropSpec(1024, "longest", fill=255)  # of the JPEG that stands for a TIFF, a PPM ...
JPEG = "image/jpeg"
CACHING = {"Cache-Control": "private, max-age=86400"}  # the hash is in the address

Shown = TypeVar("Shown")


def any_table(db_path: str) -> Table:
    """Any database of ours, by its own table."""
    kind = table_of(db_path)
    if kind is None:
        raise Missing(f"no such database: {db_path}")
    return kind(db_path)


class Pictures:
    """An address that names pixels shows these pixels, of the first copy that still has them; or it is an
    ApiError whose `tile` says why not: gone, outside the roots, damaged, another picture by now."""

    def __init__(self, roots: Roots):
        self._roots, self._pictures = roots, OpenedPictures()

    def image(self, hash_id: str, db_path: str) -> Response:
        def whole(file: SourceFile) -> Response:
            mimetype = safe_type(file.head())
            if mimetype is None:
                jpeg = self._seen(file, hash_id, AS_LARGE_AS_SHOWN).crop
                return Response(jpeg, mimetype=JPEG, headers=CACHING)
            self._seen(file, hash_id)
            return Response(file.read(LARGEST_FILE), mimetype=mimetype, headers=CACHING)

        return self._of_first_copy(hash_id, db_path, whole)

    def thumbnail(self, hash_id: str, db_path: str, size: int = 192, square: bool = True) -> Response:
        """A square of this size, or of the whole picture what is kept for pages, whatever its size. From the
        database beside this one; a picture is opened only where it has none, or is far too small. A square of
        one that cannot be opened is enlarged."""
        if not SMALLEST <= size <= LARGEST:
            raise ApiError(400, "bad_argument", f"size is not a number from {SMALLEST} to {LARGEST}")
        with self._kept(db_path) as kept:
            jpeg = kept.jpeg(hash_id)
            data = self._pictures.crop(jpeg, CropSpec(size)) if jpeg and square else jpeg

            def small(file: SourceFile) -> bytes:
                picture = self._seen(file, hash_id, CropSpec(size) if square else None)
                kept.keep([picture.thumbnail])
                return picture.crop if square else picture.thumbnail.jpeg

            try:
                data = data or self._of_first_copy(hash_id, db_path, small)
            except ApiError:
                data = self._pictures.crop(jpeg, CropSpec(size), enlarged=True) if jpeg else None
                if not data:
                    raise
        return Response(data, mimetype=JPEG, headers=CACHING)

    def problem(self, hash_id: str, db_path: str) -> str | None:
        """In a few words why a picture cannot be shown, for a page about it; None if it can."""
        try:
            self._of_first_copy(hash_id, db_path, lambda file: self._seen(file, hash_id))
        except ApiError as error:
            return error.tile
        return None

    def is_kept(self, hash_id: str, db_path: str) -> bool:
        """Whether there is something to see of a picture that is gone."""
        with self._kept(db_path) as kept:
            return kept.jpeg(hash_id) is not None

    @staticmethod
    def _kept(db_path: str) -> KeptThumbnails:
        """Beside a database of ours, and nothing else."""
        return thumbnails_in(os.path.dirname(db_path)) if is_ours(db_path) else KeptThumbnails()

    def _of_first_copy(
        self, hash_id: str, db_path: str, show: Callable[[SourceFile], Shown],
    ) -> Shown:
        """What is wrong with the first one, if none can be shown."""
        problems = []
        for path in _places(hash_id, db_path):
            try:
                return show(self._file(path))
            except ApiError as problem:
                problems.append(problem)
            except Skip as skip:
                message = f"not a picture any more: {skip.reason} {skip.detail}".rstrip()
                problems.append(ApiError(400, "refused", message, tile=short_reason(skip)))
        if not problems:
            raise ApiError(404, "not_found", "no image with this hash", tile="not in the database")
        raise problems[0]

    def _file(self, path: str) -> SourceFile:
        self._roots.check(path)
        try:
            return stored_file(os.path.realpath(path))
        except Missing as missing:
            raise ApiError(404, "not_found", str(missing), tile="moved or deleted") from None
        except OSError as error:  # a name too long for this disk, a folder that may not be entered
            reason = error.strerror or type(error).__name__
            raise ApiError(400, "refused", reason, tile=reason) from None

    def _seen(self, file: SourceFile, hash_id: str, spec: CropSpec | None = None) -> OpenedPicture:
        """A file that holds these pixels."""
        picture = self._pictures.opened(file, spec)
        if not picture.has_hash(hash_id):
            message = f"another picture lies there by now: {file.file_path}"
            raise ApiError(404, "not_found", message, tile="another picture by now")
        return picture


def _places(hash_id: str, db_path: str) -> list[str]:
    with any_table(db_path) as table:
        return list(table.places(hash_id)) if isinstance(table, TableOfFiles) else []


def safe_type(data: bytes) -> str | None:
    """The MIME type of a picture that a browser may get as it is, by its first bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((name for magic, name in SAFE_TYPES.items() if data.startswith(magic)), None)


def scores(db_path: str, tag: str, min: float = 0.0, max: float = 1.0, page: int = 1) -> dict:  # noqa: A002  the API's names
    """One page of a hundred scores of a tag, the likeliest first."""
    with any_table(db_path) as table:
        if not isinstance(table, ScoreTable):
            raise Refused(f"{db_path} holds no scores")
        if page < 1:
            raise ApiError(400, "bad_argument", "pages are counted from 1")
        rows = table.scores(tag, min, max, page) or table.scores(tag_name(tag), min, max, page)
        return {"page": page, "scores": rows}
