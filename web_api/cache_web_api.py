"""The web API of the caches: http://host:port/<function_name>?arg=value&...

    python -m web_api                                                      # waitress on 127.0.0.1:5000
    FLASK_APP=web_api/cache_web_api.py python -m flask run                 # the classic way
"""
import os
import threading
from collections.abc import Collection

from flask import Flask, Response, jsonify, render_template, request
from flask.json.provider import DefaultJSONProvider
from jinja2 import ChoiceLoader, FileSystemLoader
from numpy import ndarray
from werkzeug.exceptions import HTTPException

from cache.pages.html_page import STATIC
from cache.refusal import InUse, Missing, Refused
from cache.serving import TEMPLATES, guard
from cache.serving.api_error import ApiError
from cache.serving.pictures import Pictures, scores
from cache.serving.roots import Roots
from cache.stores.sqlite_errors import DatabaseError, is_busy
from web_api import pages
from web_api.endpoints import TRUTHS, Endpoint, cache_endpoints
from web_api.jobs import Job, Jobs
from web_api.openapi import document

MOST_WAITING_CLIENTS = 4  # half the threads of the server
PATIENCE_SECONDS = 10  # how long adding a folder is waited for before the answer is 202 and a job
REFUSALS = {Missing: (404, "not_found"), InUse: (409, "busy")}  # others are 400


class VectorJson(DefaultJSONProvider):
    """JSON of the Python dicts as they are: keys in their order, vectors as lists."""

    sort_keys = False

    @staticmethod
    def default(value: object) -> object:
        if isinstance(value, bytes):  # SQLite keeps anything in any column
            raise Refused("the database holds bytes where text belongs; python -m cache doctor says more")
        return value.tolist() if isinstance(value, ndarray) else DefaultJSONProvider.default(value)


class CacheApi:
    """The views of the API, bound to the roots and jobs of one app."""

    def __init__(self, roots: Roots):
        self.roots, self.jobs, self.endpoints = roots, Jobs(), cache_endpoints()
        self._seats = threading.BoundedSemaphore(MOST_WAITING_CLIENTS)
        self._changing = threading.Lock()  # creating and deleting a database must not meet

    def view(self, endpoint: Endpoint):
        def answer() -> tuple[Response, int]:
            values = _values()
            if endpoint.changes:
                guard.refuse_other_sites()
            if endpoint.kind == "add":
                return self._add(endpoint, values)
            bound = endpoint.bind(values, self.roots)
            result = self._change(endpoint, bound) if endpoint.changes else endpoint.call(**bound)
            if result is None:
                raise ApiError(404, "not_found", f"{endpoint.name}: nothing there")
            return jsonify(result), 200

        return answer

    def reading_view(self, endpoint: Endpoint):
        """For what only reads and brings its own kind of answer."""
        return lambda **path: endpoint.call(**endpoint.bind({**request.args, **path}, self.roots))

    def job(self, job_id: str) -> Response:
        job = self.jobs.get(job_id)
        if request.method == "DELETE":
            guard.refuse_other_sites()
            job.cancel()
        return jsonify(job.as_dict())

    def _change(self, endpoint: Endpoint, bound: dict) -> dict:
        with self._changing:
            if endpoint.kind == "clear" and bound["delete_cache"] and self.jobs.busy_with(bound["db_path"]):
                raise ApiError(409, "busy", f"a job is writing to {bound['db_path']}; cancel it or wait for it")
            return endpoint.call(**bound)

    def _add(self, endpoint: Endpoint, values: dict) -> tuple[Response, int]:
        patient = TRUTHS.get(str(values.pop("wait", "false")).lower())
        if patient is None:
            raise ApiError(400, "bad_argument", "wait is neither true nor false")
        bound = endpoint.bind(values, self.roots)
        with self._changing:
            path = os.path.join(bound["out_dir"], bound["db_name"])
            job = self.jobs.start(endpoint.name, path, lambda job: endpoint.call(**bound, observer=job, allowed=self.roots.holds))
        return (_outcome(job), 200) if self._waited(job, patient) else (jsonify({"job": f"/jobs/{job.id}", **job.as_dict()}), 202)

    def _waited(self, job: Job, patient: bool) -> bool:
        """Whether the job ended while the client was waiting; a few may wait, the other threads answer what is quick."""
        if not self._seats.acquire(blocking=False):
            if patient:
                raise ApiError(409, "busy", f"too many clients are waiting; the job goes on as /jobs/{job.id}")
            return job.wait(0)
        try:
            return job.wait(None if patient else PATIENCE_SECONDS)
        finally:
            self._seats.release()


def picture_endpoints(roots: Roots) -> dict[str, Endpoint]:
    """What the API has beyond the caches, by path."""
    pictures = Pictures(roots)
    return {
        "/image/{hash_id}": Endpoint("image", pictures.image, "read", "The picture itself, from a folder or from inside ZIPs."),
        "/thumbnail/{hash_id}": Endpoint("thumbnail", pictures.thumbnail, "read", "A square JPEG of the picture."),
        "/scores": Endpoint("scores", scores, "read", "Scores of a tag from a stage 3 or 4 database, the likeliest first."),
    }


def _outcome(job: Job) -> Response:
    if job.error is not None:
        raise job.error
    if job.state == "cancelled":
        raise ApiError(409, "cancelled", "the job was cancelled")
    return jsonify(job.result)


def _values() -> dict:
    """The arguments of a request, from the query and, for POST, from a form or a JSON body."""
    values = dict(request.args)
    if request.method == "POST":
        try:
            body = request.get_json() if request.is_json else request.form
        except RecursionError:
            body = None
        if not isinstance(body, dict):
            raise ApiError(400, "bad_body", "the body is not a JSON object")
        values.update(body)
    return values


def create_app(roots: Roots | None = None, token: str | None = None, names: Collection[str] = ()) -> Flask:
    """roots: the folders clients may name, by default ITT_ROOT or the current one. With a token every client needs it, without one only
    this machine may ask. names: host names of the server besides localhost."""
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")
    app.json = VectorJson(app)
    app.jinja_loader = ChoiceLoader([app.jinja_loader, FileSystemLoader(TEMPLATES)])
    api = CacheApi(roots or Roots.from_environment())
    guard.install(app, token, names)
    for name, endpoint in api.endpoints.items():
        app.add_url_rule(f"/{name}", name, api.view(endpoint), methods=["GET", "POST"])
    extras = picture_endpoints(api.roots)
    for path, endpoint in extras.items():
        app.add_url_rule(path.replace("{", "<").replace("}", ">"), endpoint.name, api.reading_view(endpoint))
    described = document({**{f"/{name}": endpoint for name, endpoint in api.endpoints.items()}, **extras})
    app.add_url_rule("/openapi.json", "openapi", lambda: jsonify(described))
    pages.install(app, api.roots, token)
    app.add_url_rule("/jobs/<job_id>", "job", api.job, methods=["GET", "DELETE"])
    app.add_url_rule("/healthz", "healthz", lambda: jsonify({"status": "ok"}))
    _install_errors(app)
    return app


def _install_errors(app: Flask) -> None:
    @app.errorhandler(ApiError)
    def refused_request(error: ApiError) -> tuple[Response | str, int]:
        if request.endpoint in (*pages.RULES, "login"):
            return render_template("error.html", error=error), error.status
        return jsonify(error.body()), error.status

    @app.errorhandler(Refused)
    def refused_input(error: Refused) -> tuple[Response, int]:
        status, code = next((answer for kind, answer in REFUSALS.items() if isinstance(error, kind)), (400, "refused"))
        return refused_request(ApiError(status, code, str(error)))

    @app.errorhandler(DatabaseError)
    def database_trouble(error: DatabaseError) -> tuple[Response, int]:
        busy = is_busy(error)
        return refused_request(ApiError(409 if busy else 400, "busy" if busy else "refused", f"the database: {error}"))

    @app.errorhandler(OSError)
    def storage_trouble(error: OSError) -> tuple[Response, int]:
        return refused_request(ApiError(400, "refused", error.strerror or type(error).__name__))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[Response, int]:
        return refused_request(ApiError(error.code or 500, error.name.lower().replace(" ", "_"), error.description or error.name))
