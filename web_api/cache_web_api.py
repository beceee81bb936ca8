"""The web API of the caches: http://host:port/<function_name>?arg=value&...

    python -m web_api                                                      # waitress on 127.0.0.1:5000
    FLASK_APP=web_api/cache_web_api.py python -m flask run                 # the classic way
"""
from collections.abc import Collection, Sequence

from flask import Flask, jsonify
from flask.json.provider import DefaultJSONProvider
from jinja2 import ChoiceLoader, FileSystemLoader
from numpy import ndarray

from cache.pages.html_page import STATIC
from cache.refusal import Refused
from cache.serving import guard
from cache.serving.pictures import Pictures
from cache.serving.roots import Roots
from cache.serving.served_pages import TEMPLATES, ServedPages
from cache.text import plural
from web_api import companion_pages, errors, pages
from web_api.cache_views import CacheViews, picture_endpoints
from web_api.home import Home
from web_api.openapi import document


class VectorJson(DefaultJSONProvider):
    """JSON of the Python dicts as they are: keys in their order, vectors as lists."""

    sort_keys = False

    @staticmethod
    def default(value: object) -> object:
        if isinstance(value, bytes):  # SQLite keeps anything in any column
            raise Refused("the database holds bytes where text belongs; python -m cache doctor says more")
        return value.tolist() if isinstance(value, ndarray) else DefaultJSONProvider.default(value)


def create_app(
    roots: Roots | None = None, token: str | None = None, names: Collection[str] = (),
    companions: Sequence[ServedPages] | None = None,
) -> Flask:
    """roots: the folders clients may name, by default ITT_ROOT or the current one. With a token every
    client needs it, without one only this machine may ask. names: host names of the server besides
    localhost. companions: whose pages to serve, by default those of all companions that have what they
    need."""
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")
    app.json = VectorJson(app)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(TEMPLATES), FileSystemLoader(pages.TEMPLATES)])
    app.add_template_global(plural)
    roots = roots or Roots.from_environment()
    guard.install(app, token, names)
    brought, left_out = companion_pages.discovered() if companions is None else (companions, [])
    companion_pages.install(app, brought, roots)
    pictures = Pictures(roots)
    pages.install(app, roots, pictures, Home(roots, brought, left_out))
    pages.add_login(app, token)
    errors.install(app, pages.NAMES)
    _add_api(app, roots, pictures)
    return app


def _add_api(app: Flask, roots: Roots, pictures: Pictures) -> None:
    """The calls of the caches under their names, pictures and scores, jobs, and what describes them all."""
    views = CacheViews(roots)
    calls = {f"/{name}": endpoint for name, endpoint in views.endpoints.items()}
    for path, endpoint in calls.items():
        app.add_url_rule(path, endpoint.name, views.view(endpoint), methods=["GET", "POST"])
    readers = picture_endpoints(pictures)
    for path, endpoint in readers.items():
        rule = path.replace("{", "<").replace("}", ">")
        app.add_url_rule(rule, endpoint.name, views.reading_view(endpoint))
    described = document({**calls, **readers})
    app.add_url_rule("/openapi.json", "openapi", lambda: jsonify(described))
    app.add_url_rule("/jobs/<job_id>", "job", views.job, methods=["GET", "DELETE"])
    app.add_url_rule("/healthz", "healthz", lambda: jsonify({"status": "ok"}))
