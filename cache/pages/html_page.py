"""Pages that are one file: Jinja2 templates from files, with the styles and pictures inside.

They open offline and can be sent. A template of any room starts with {% extends 'page.html' %}; what it shows
is escaped, whatever a file or tag is called.
"""
import os
from pathlib import Path

from cache.files.whole_file import whole_file

PAGE_MARK = b'<meta name="generator" content="image-tagging-tools">'  # in the head of each, see page.html
HERE = Path(__file__).parent
STATIC = HERE / "static"


def write_page(path: str | os.PathLike, templates: Path, name: str, **values: object) -> None:
    """Render the template `name` of the folder `templates` into the file `path`, which appears as a whole."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader([templates, HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup((STATIC / "style.css").read_text())
    parts = environment.get_template(name).stream(style=style, **values)
    with whole_file(path) as file:
        file.writelines(part.encode(errors="replace") for part in parts)
