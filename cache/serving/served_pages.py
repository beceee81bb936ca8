"""What a companion hands to the web app: its pages.

companions/<verb>/pages.py has one constant, PAGES:

    PAGES = ServedPages("label", "Label", "One picture at a time: y, n, s, u.", blueprint)

    def blueprint(roots: Roots) -> Blueprint:
        pages = Blueprint("label", __name__, template_folder="templates", static_folder="static")

        @pages.get("/")
        def index() -> str:
            return render_template("label/index.html", ...)     # starts with {% extends 'base.html' %}

        return pages

The web app serves them below /companions/<verb>/ behind its own guard: host names, loopback or token, bounded
requests. Whatever is not GET or HEAD is refused to other sites, so a GET must change nothing. Every path
that a request names, or that a database holds, goes through roots.check(). What raises ApiError or Refused
is answered with a page, and as JSON to who asks for that (a script's fetch with `Accept:
application/json`). Scripts and styles are files of the companion's `static` folder; the pages' policy runs
nothing that stands in the page.
"""
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint

from cache.serving.roots import Roots

TEMPLATES = Path(__file__).parent / "templates"  # base.html, the frame; macros.html, tiles; error.html


@dataclass(frozen=True)
class ServedPages:
    verb: str  # the name of the companion's folder and of its blueprint
    title: str  # of the link on the home page, which leads to the blueprint's view `index`
    summary: str  # one sentence beside the link
    blueprint: Callable[[Roots], Blueprint]
