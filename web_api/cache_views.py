"""The views of the API: a request's arguments bound to a call of the caches, and its dict as JSON."""
import os
import threading
from collections.abc import Callable

from flask import Response, jsonify, request
from werkzeug.datastructures import MultiDict

from cache.serving import guard
from cache.serving.api_error import ApiError
from cache.serving.pictures import Pictures, scores
from cache.serving.roots import Roots
from web_api.arguments import TRUTHS
from web_api.endpoints import Endpoint, cache_endpoints
from web_api.jobs import Job, Jobs

MOST_WAITING_CLIENTS = 4  # half the threads of the server
PATIENCE_SECONDS = 10  # how long adding a folder is waited for before the answer is 202 and a job

Answer = tuple[Response, int]


class CacheViews:
    """The views of the API, bound to the roots and jobs of one app."""

    def __init__(self, roots: Roots):
        self.roots, self.jobs, self.endpoints = roots, Jobs(), cache_endpoints()
        self._seats = threading.BoundedSemaphore(MOST_WAITING_CLIENTS)
        self._changing = threading.Lock()  # creating and deleting a database must not meet

    def view(self, endpoint: Endpoint) -> Callable[[], Answer]:
        def answer() -> Answer:
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

    def reading_view(self, endpoint: Endpoint) -> Callable[..., Response]:
        """For what only reads and brings its own kind of answer, or a dict."""
        def answer(**path: str) -> Response:
            result = endpoint.call(**endpoint.bind({**request.args, **path}, self.roots))
            # Made JSON here, where a refusal of what a row holds is still answered as one.
            return jsonify(result) if isinstance(result, dict) else result

        return answer

    def job(self, job_id: str) -> Response:
        job = self.jobs.get(job_id)
        if request.method == "DELETE":
            guard.refuse_other_sites()
            job.cancel()
        return jsonify(job.as_dict())

    def _change(self, endpoint: Endpoint, bound: dict) -> dict:
        with self._changing:
            deletes = endpoint.kind == "clear" and bound["delete_cache"]
            if deletes and self.jobs.busy_with(bound["db_path"]):
                message = f"a job is writing to {bound['db_path']}; cancel it or wait for it"
                raise ApiError(409, "busy", message)
            return endpoint.call(**bound)

    def _add(self, endpoint: Endpoint, values: dict) -> Answer:
        patient = TRUTHS.get(str(values.pop("wait", "false")).lower())
        if patient is None:
            raise ApiError(400, "bad_argument", "wait is neither true nor false")
        bound = endpoint.bind(values, self.roots)
        with self._changing:
            path = os.path.join(bound["out_dir"], bound["db_name"])
            job = self.jobs.start(endpoint.name, path, self._adding(endpoint, bound))
        if self._waited(job, patient):
            return _outcome(job), 200
        return jsonify({"job": f"/jobs/{job.id}", **job.as_dict()}), 202

    def _adding(self, endpoint: Endpoint, bound: dict) -> Callable[[Job], dict]:
        return lambda job: endpoint.call(**bound, observer=job, allowed=self.roots.holds)

    def _waited(self, job: Job, patient: bool) -> bool:
        """Whether the job ended while the client waited; a few may, other threads answer what is quick."""
        if not self._seats.acquire(blocking=False):
            if patient:
                message = f"too many clients are waiting; the job goes on as /jobs/{job.id}"
                raise ApiError(409, "busy", message)
            return job.wait(0)
        try:
            return job.wait(None if patient else PATIENCE_SECONDS)
        finally:
            self._seats.release()


def picture_endpoints(pictures: Pictures) -> dict[str, Endpoint]:
    """What the API has beyond the caches, by path."""
    return {
        "/image/{hash_id}": Endpoint(
            "image", pictures.image, "read", "The picture itself, from a folder or from inside ZIPs."),
        "/thumbnail/{hash_id}": Endpoint(
            "thumbnail", pictures.thumbnail, "read",
            "A square JPEG of the picture; with square=false the whole of it, as it is kept for pages."),
        "/scores": Endpoint(
            "scores", scores, "read", "Scores of a tag from a stage 3 or 4 database, the likeliest first."),
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
        values.update(_body())
    return values


def _body() -> dict | MultiDict:
    try:
        body = request.get_json() if request.is_json else request.form
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "bad_body", "the body is not a JSON object")
    return body
