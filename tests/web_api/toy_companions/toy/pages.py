"""The pages of the toy: a form, and what comes of it."""
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from cache.refusal import Refused
from cache.serving.roots import Roots
from cache.serving.served_pages import ServedPages


def blueprint(roots: Roots) -> Blueprint:
    pages = Blueprint("toy", __name__, template_folder="templates", static_folder="static")
    notes: list[str] = []

    @pages.get("/")
    def index() -> str:
        return render_template("toy/index.html", notes=notes)

    @pages.post("/note")
    def note() -> Response:
        notes.append(roots.check(request.form["path"]))
        return redirect(url_for("toy.index"))

    @pages.get("/refused")
    def refused() -> str:
        raise Refused("the toy has enough of it")

    return pages


PAGES = ServedPages("toy", "Notes", "Notes of <pictures>, a line each.", blueprint)
