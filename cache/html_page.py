"""Pages that are one file: Jinja2 templates from files, with the styles and pictures inside, so that they open offline and can be sent.

A template of any room starts with {% extends 'page.html' %}; what it shows is escaped, whatever a file or tag is called.
"""
import base64
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cache.decoder_pool import DecoderPool
from cache.image_decoder import CropSpec, box_in_square
from cache.image_limits import Limits, Skip
from cache.refusal import Missing
from cache.source_file import SourceFile
from cache.stored_image import jpeg_bytes, stored_file
from cache.whole_file import whole_file

HERE = Path(__file__).parent
STATIC = HERE / "static"
MOST_DECODERS = 4
THUMBNAIL_SIDE = 112  # pixels of the longer side: about 4 kB each as JPEG


def write_page(path: str, templates: Path, name: str, **values) -> None:
    """Render the template `name` of the folder `templates` into the file `path`, which appears as a whole."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader([templates, HERE / "templates"]), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True)
    style = Markup((STATIC / "style.css").read_text())
    with whole_file(path) as file:
        file.writelines(text.encode(errors="replace") for text in environment.get_template(name).stream(style=style, **values))


def thumbnails(paths: Iterable[str], limits: Limits = Limits()) -> dict[str, str]:
    """{absolute path: the whole picture, small, as a data URI}, without those that cannot be read any more. A path may lead into ZIPs."""
    return {path: uri for path, _, uri in read_thumbnails(paths, limits)}


def read_thumbnails(paths: Iterable[str], limits: Limits = Limits()) -> Iterator[tuple[str, set[str], str]]:
    """The same, one by one, with the digests under which each may be known: path, hash_id and old_hash_id, data URI."""
    wanted = CropSpec(THUMBNAIL_SIDE, "longest")

    def finish(file: SourceFile, outcome: dict | Skip, crop: bytes = b"") -> tuple[str, dict | Skip, bytes]:
        return file.absolute_path, outcome, crop

    with DecoderPool(min(MOST_DECODERS, os.cpu_count() or 1), limits=limits) as pool:
        for path, outcome, crop in pool.map(_stored_files(paths), finish, lambda *hash_ids: vars(wanted)):
            if crop:
                jpeg = base64.b64encode(jpeg_bytes(crop, THUMBNAIL_SIDE, _without_padding(outcome)))
                yield path, {outcome["hash_id"], outcome["old_hash_id"]} - {None}, f"data:image/jpeg;base64,{jpeg.decode()}"


def _without_padding(identity: dict) -> tuple[int, int, int, int]:
    size = identity["width"], identity["height"]
    sideways = identity["orientation"] >= 5 and identity["type"] != "tiff"  # a TIFF was turned before it was measured
    return box_in_square(*(reversed(size) if sideways else size), THUMBNAIL_SIDE)


def _stored_files(paths: Iterable[str]) -> Iterator[SourceFile]:
    for path in dict.fromkeys(paths):
        try:
            yield stored_file(path)
        except (OSError, ValueError, Missing):  # moved, or a path that no system would take
            continue
