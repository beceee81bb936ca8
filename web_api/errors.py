"""How a refusal is answered: as a page to a person, as a tile to an <img>, as JSON to a program."""
from collections.abc import Collection

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from cache.refusal import InUse, Missing, Refused
from cache.serving.api_error import ApiError
from cache.serving.tile import LARGE, tile
from cache.stores.sqlite_errors import DatabaseError, is_busy

REFUSALS = {Missing: (404, "not_found"), InUse: (409, "busy")}  # others are 400
PICTURES = ("image", "thumbnail")
PAGE, TILE, JSON = "text/html", "image/svg+xml", "application/json"


def install(app: Flask, pages: Collection[str]) -> None:
    """pages: names of the app's own pages; what belongs to a blueprint is one, too."""
    def answer(error: ApiError) -> Response:
        response = _BODIES[_wanted(pages)](error)
        response.status_code = error.status
        response.vary.add("Accept")
        return response

    @app.errorhandler(ApiError)
    def refused_request(error: ApiError) -> Response:
        return answer(error)

    @app.errorhandler(Refused)
    def refused_input(error: Refused) -> Response:
        special = [named for kind, named in REFUSALS.items() if isinstance(error, kind)]
        status, code = special[0] if special else (400, "refused")
        return answer(ApiError(status, code, str(error)))

    @app.errorhandler(DatabaseError)
    def database_trouble(error: DatabaseError) -> Response:
        status, code = (409, "busy") if is_busy(error) else (400, "refused")
        return answer(ApiError(status, code, f"the database: {error}"))

    @app.errorhandler(OSError)
    def storage_trouble(error: OSError) -> Response:
        return answer(ApiError(400, "refused", error.strerror or type(error).__name__))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        code = error.name.lower().replace(" ", "_")
        return answer(ApiError(error.code or 500, code, error.description or error.name))


def _wanted(pages: Collection[str]) -> str:
    """The kind of answer: of those there are for what was asked the one that the client would rather have."""
    if request.endpoint in pages or request.blueprint:
        kinds = [PAGE, JSON]
    elif request.endpoint in PICTURES:
        kinds = [JSON, TILE, PAGE]
    else:
        kinds = [JSON] if request.endpoint else [JSON, PAGE]
    return request.accept_mimetypes.best_match(kinds, kinds[0])


def _page(error: ApiError) -> Response:
    return make_response(render_template("error.html", error=error))


def _tile(error: ApiError) -> Response:
    pixels = request.args.get("size", LARGE, type=int)
    return Response(tile(error.tile, pixels), mimetype=TILE, headers={"Cache-Control": "no-store"})


def _json(error: ApiError) -> Response:
    return jsonify(error.body())


_BODIES = {PAGE: _page, TILE: _tile, JSON: _json}
