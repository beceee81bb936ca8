"""What a companion hands to the web app: its pages.

companions/<verb>/pages.py has one constant, PAGES:

    PAGES = ServedPages("label", "Label", "One picture at a time: y, n, s, u.", blueprint)

    def blueprint(roots: Roots) -> Blueprint:
        pages = Blueprint("label", __name__, template_folder="templates", static_folder="static")

        @pages.get("/")
        def index() -> str:
            return render_template("label/index.html", ...)     # starts with {% extends 'base.html' %}

        return pages

The web app serves them below /companions/<verb>/ behind its own guard: host names, loopback or token,
bounded requests. What a companion has to keep to:

- Importing pages.py is cheap; what is heavy is imported where it is used.
- A GET changes nothing, but for thumbnails that are kept: only other methods are refused to other sites.
- Every path that a request names, or that a database holds, goes through roots.check().
- What goes wrong on purpose is raised as ApiError or Refused. It is answered with a page, or as JSON to who
  asks for that, as a script does with fetch(..., { headers: { Accept: "application/json" } }).
- Templates lie in templates/<verb>/, scripts and styles in static/; a script in the page itself is not run.
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
