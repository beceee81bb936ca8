"""/openapi.json: OpenAPI 3.1, made from the route table, so that it cannot drift."""
import inspect
from collections.abc import Iterable, Mapping

from cache import __version__
from web_api.endpoints import Endpoint
from web_api.errors import PICTURES

TYPES = {bool: "boolean", int: "integer", float: "number"}
JSON_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
TILE = {"image/svg+xml": {"schema": {"type": "string"}}}  # the same reason as a picture, for who accepts one
PAGE = {"text/html": {"schema": {"type": "string"}}}
ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        },
    },
}
REFUSALS = ("400", "403", "404", "405", "409", "413", "414")


def document(endpoints: Mapping[str, Endpoint]) -> dict:
    """endpoints: by their path, which may hold {parameters}."""
    paths = {path: _operations(path, endpoint) for path, endpoint in endpoints.items()}
    paths["/jobs/{job_id}"] = {method: _job(method) for method in ("get", "delete")}
    paths["/healthz"] = {"get": {
        "operationId": "healthz",
        "summary": "Whether the server is up.",
        "responses": {"200": {"description": "it is"}},
    }}
    return {
        "openapi": "3.1.0",
        "info": {"title": "image-tagging-tools", "version": __version__},
        "paths": paths,
        "components": {"schemas": {"Error": ERROR_SCHEMA}},
    }


def _operations(path: str, endpoint: Endpoint) -> dict:
    methods = ("get",) if endpoint.kind == "read" else ("get", "post")
    return {method: _operation(path, endpoint, method) for method in methods}


def _operation(path: str, endpoint: Endpoint, method: str) -> dict:
    parameters = [_parameter(parameter, path) for parameter in endpoint.parameters]
    responses: dict[str, dict] = {"200": {"description": "done"}}
    if endpoint.kind == "add":
        parameters.append({"name": "wait", "in": "query", "schema": {"type": "boolean", "default": False}})
        responses["202"] = {"description": "goes on as a job"}
    shown = endpoint.name in PICTURES
    return {
        "operationId": f"{endpoint.name}_{method}",
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": {**responses, **_refusals(REFUSALS, {**TILE, **PAGE} if shown else {})},
    }


def _parameter(parameter: inspect.Parameter, path: str) -> dict:
    required = parameter.default is parameter.empty
    in_path = f"{{{parameter.name}}}" in path
    schema = {"type": TYPES.get(type(parameter.default), "string")}
    if not required:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": required or in_path,
        "schema": schema,
    }


def _job(method: str) -> dict:
    return {
        "operationId": f"job_{method}",
        "summary": {"get": "How far a job is.", "delete": "Cancel a job."}[method],
        "parameters": [{"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "the job"}, **_refusals(("403", "404", "405"), {})},
    }


def _refusals(statuses: Iterable[str], forms: Mapping[str, dict]) -> dict:
    """forms: what the answer may be besides JSON."""
    return dict.fromkeys(statuses, {"description": "refused", "content": {**JSON_ERROR, **forms}})
