"""OpenAPI 3.1 of the whole API, from the same declarations that check requests."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.http.endpoint import Endpoint, Resource, endpoints
from api.http.schema import Schema, obj, text

ERROR: Final[Schema] = obj(
    {"code": text("The status, such as 404 Not Found."), "reason": text("One sentence, behind Kimchi's code if any.")},
    required=("code", "reason"),
    closed=False,
)
_REASONS: Final = {
    200: "As the schema says.", 201: "Made.", 202: "Begun: a task, or the resource with one.", 204: "Gone.",
    206: "A part of it.", 303: "At another address now, which Location tells.", 304: "As you know it.",
    400: "The request can't be done as it is.", 403: "Not allowed here.", 404: "There is no such thing.",
    405: "The address doesn't take that method.", 408: "The body came too slowly.",
    409: "It conflicts with what is there.", 412: "It changed since it was read.", 413: "The body is too large.",
    415: "The body isn't of a type that is taken.", 416: "There is no such part.", 500: "Something unexpected.",
    501: "This host can't do that.", 503: "Not now; try again.",
}  # fmt: skip
_PARAMETER: Final = re.compile(r"{(\w+)}")


def openapi(classes: Iterable[type[Resource]], version: str) -> dict[str, Any]:
    """The document, as plain data."""
    paths: dict[str, dict[str, Any]] = {}
    tags: dict[str, None] = {}
    for resource in classes:
        tags[resource.tag] = None
        for endpoint in endpoints(resource).values():
            path = f"{resource.address}/{endpoint.name}" if endpoint.name else resource.address
            paths.setdefault(path, _path(path))[endpoint.method.lower()] = _operation(resource, path, endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "onggi",
            "version": version,
            "description": "The Project Kimchi REST API on a host that is kept as a git repository says: a write"
            " becomes a commit, a read is what was observed.",
            "license": {"name": "See the distribution"},
        },
        "tags": [{"name": tag} for tag in tags],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": {"Error": _public(ERROR)}},
    }


def _path(path: str) -> dict[str, Any]:
    names = _PARAMETER.findall(path)
    if not names:
        return {}
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return {"parameters": parameters}


def _operation(resource: type[Resource], path: str, endpoint: Endpoint) -> dict[str, Any]:
    made: dict[str, Any] = {
        "tags": [resource.tag],
        "summary": endpoint.summary,
        "operationId": f"{endpoint.method.lower()}{re.sub('[^A-Za-z0-9]+', '_', path).rstrip('_')}",
        "responses": _responses(path, endpoint),
    }
    if endpoint.description:
        made["description"] = endpoint.description
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": _public(schema)}
        for name, schema in endpoint.query.items()
    ]
    if endpoint.method not in ("GET",) and _can_read(resource) and not endpoint.raw:
        parameters.append({"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}})
    if parameters:
        made["parameters"] = parameters
    bodies = {"application/json": endpoint.body.schema if endpoint.body is not None else None}
    bodies["multipart/form-data"] = endpoint.form
    content = {kind: {"schema": _public(schema)} for kind, schema in bodies.items() if schema is not None}
    if content:
        made["requestBody"] = {"content": content}
    return made


def _responses(path: str, endpoint: Endpoint) -> dict[str, Any]:
    good = {endpoint.status: endpoint.returns, **endpoint.other}
    made = {str(status): _good(status, schema, endpoint) for status, schema in good.items()}
    bad = {400, 403, 500, 503, *endpoint.statuses}
    if "{" in path:
        bad.add(404)
    if endpoint.method == "GET":
        made["304"] = {"description": _REASONS[304]}
    else:
        bad |= {409, 412, 501}
    if endpoint.blocking:
        bad.add(501)
    if endpoint.body is not None or endpoint.form is not None:
        bad |= {408, 413, 415}
    for status in sorted(bad):
        made[str(status)] = {
            "description": _REASONS[status],
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    return made


def _good(status: int, schema: Schema | None, endpoint: Endpoint) -> dict[str, Any]:
    made: dict[str, Any] = {"description": _REASONS.get(status, "Done.")}
    if schema is not None:
        made["content"] = {endpoint.content_type: {"schema": _public(schema)}}
    if status == 303:
        made["headers"] = {"Location": {"schema": {"type": "string"}}}
    return made


def _can_read(resource: type[Resource]) -> bool:
    return any(each.method == "GET" and not each.name and not each.raw for each in endpoints(resource).values())


def _public(schema: Schema) -> Any:
    """Without what only this program reads."""
    return _without(copy.deepcopy(dict(schema)))


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(each) for key, each in value.items() if not str(key).startswith("x-")}
    return [_without(each) for each in value] if isinstance(value, list) else value
