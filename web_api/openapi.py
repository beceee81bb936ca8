"""/openapi.json: OpenAPI 3.1, made from the route table, so that it cannot drift."""
import inspect

from cache import __version__
from web_api.endpoints import Endpoint

TYPES = {bool: "boolean", int: "integer", float: "number"}
ERROR = {"description": "refused", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
ERROR_SCHEMA = {
    "type": "object", "required": ["error"],
    "properties": {"error": {"type": "object", "required": ["code", "message"],
                             "properties": {"code": {"type": "string"}, "message": {"type": "string"}}}},
}


def document(endpoints: dict[str, Endpoint]) -> dict:
    """endpoints: by their path, which may hold {parameters}."""
    paths = {path: {method: _operation(path, endpoint, method) for method in _methods(endpoint)} for path, endpoint in endpoints.items()}
    paths["/jobs/{job_id}"] = {method: _job(method) for method in ("get", "delete")}
    paths["/healthz"] = {"get": {
        "operationId": "healthz", "summary": "Whether the server is up.", "responses": {"200": {"description": "it is"}}}}
    return {
        "openapi": "3.1.0", "info": {"title": "image-tagging-tools", "version": __version__}, "paths": paths,
        "components": {"schemas": {"Error": ERROR_SCHEMA}},
    }


def _methods(endpoint: Endpoint) -> tuple[str, ...]:
    return ("get",) if endpoint.kind == "read" else ("get", "post")


def _operation(path: str, endpoint: Endpoint, method: str) -> dict:
    parameters = [_parameter(parameter, path) for parameter in endpoint.parameters]
    if endpoint.kind == "add":
        parameters.append({"name": "wait", "in": "query", "schema": {"type": "boolean", "default": False}})
    return {
        "operationId": f"{endpoint.name}_{method}", "summary": endpoint.summary, "parameters": parameters,
        "responses": {"200": {"description": "done"}, **({"202": {"description": "goes on as a job"}} if endpoint.kind == "add" else {}),
                      **dict.fromkeys(("400", "403", "404", "405", "409", "413", "414"), ERROR)},
    }


def _parameter(parameter: inspect.Parameter, path: str) -> dict:
    required = parameter.default is parameter.empty
    schema = {"type": TYPES.get(type(parameter.default), "string")}
    if not required:
        schema["default"] = parameter.default
    in_path = f"{{{parameter.name}}}" in path
    return {"name": parameter.name, "in": "path" if in_path else "query", "required": required or in_path, "schema": schema}


def _job(method: str) -> dict:
    return {
        "operationId": f"job_{method}", "summary": {"get": "How far a job is.", "delete": "Cancel a job."}[method],
        "parameters": [{"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "the job"}, **dict.fromkeys(("403", "404", "405"), ERROR)},
    }
