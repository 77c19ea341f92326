"""OpenAPI 3.1 of the whole API, from the same declarations that check requests.

A schema with a title becomes a component of that name; everything else is written where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from api.http.action_names import ActionNames
from api.http.endpoint import ANYBODY, Endpoint, Resource, endpoints
from api.http.filters import MOST
from api.http.schema import Schema, obj, text
from api.http.session_cookie import COOKIE
from api.http.undeclared import undeclared_endpoints
from specs.plain import Json, NewJson

ERROR: Final[Schema] = obj(
    {
        "code": text("The status, such as 404 Not Found.", examples=["404 Not Found"]),
        "reason": text(
            "One sentence behind a code: Kimchi's, or ONGGI and the status where it has none.",
            examples=["KCHVM0002E: The virtual machine web doesn't exist."],
        ),
    },
    required=("code", "reason"),
    closed=False,
    title="Error",
)
_REASONS: Final = {
    101: "It is one from now on.", 200: "As the schema says.", 201: "Made.",
    202: "Begun: a task, or the resource with one.", 204: "Gone.",
    206: "A part of it.", 303: "At another address now, which Location tells.", 304: "As you know it.",
    400: "The request can't be done as it is.", 401: "Log in first.",
    403: "Not allowed here.", 404: "There is no such thing.",
    405: "The address doesn't take that method.", 408: "The body came too slowly.",
    409: "It conflicts with what is there.", 412: "It changed since it was read.", 413: "The body is too large.",
    415: "The body isn't of a type that is taken.", 416: "There is no such part.",
    426: "Ask for an upgrade to WebSocket.", 429: "There were too many attempts.",
    500: "Something unexpected.",
    501: "This host can't do that.", 503: "Not now; try again.",
}  # fmt: skip
_TOLD: Final = "With the least role that may use an address. Nobody logs in where the agent's setting auth is none."
_SCHEMES: Final[Json] = {
    "password": {"type": "http", "scheme": "basic", "description": _TOLD},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": f"By `POST /login`. {_TOLD}"},
}
_ABOUT: Final = """\
The Project Kimchi REST API on a host that is kept as a git repository says: **a write becomes a commit, a read is
what was observed**.

- Everything is JSON. An answer that isn't a success is `{"code": "404 Not Found", "reason": "KCHVM0002E: …"}`.
- A change is answered once the host is as it says. What takes long is answered with 202 and a task;
`GET /tasks/{number}` tells how far it is.
- A list takes any field of its members as a filter: `?name=web&state=^run`. A value matches when the field is it,
holds it, or begins as the regular expression says; several values of one field are alternatives.
- `ETag` goes with every answer to GET: send it back as `If-None-Match` to read only what changed, or as `If-Match` to
change only what you have seen.
- `X-Request-Id` names a request, and stands in the commit that it made.
"""
PLUGINS: Final = "Plugins"  # the family of all that plugins add
_PARAMETER: Final = re.compile(r"{(\w+)(?::[^}]*)?}")
_COMPONENT: Final = re.compile(r"[A-Za-z0-9._-]+")


def openapi(
    classes: Iterable[type[Resource]], version: str, plugins: Mapping[str, type] = MappingProxyType({})
) -> NewJson:
    """The document, as plain data. `plugins` are classes by URI template, perhaps falcon's own that declare nothing."""
    classes = list(classes)
    made = _Document(ActionNames(classes))
    paths: dict[str, NewJson] = {}
    tags: dict[str, None] = {}
    for resource, address, tag in (
        *((each, each.address, each.tag) for each in classes),
        *((each, template, PLUGINS) for template, each in plugins.items()),
    ):
        tags[tag] = None
        for endpoint in (*endpoints(resource).values(), *_undeclared(resource)):
            path = _PARAMETER.sub(r"{\1}", f"{address}/{endpoint.name}" if endpoint.name else address)
            operation = made.operation(tag, path, endpoint, can_read=_can_read(resource))
            paths.setdefault(path, _path(path))[endpoint.method.lower()] = operation
    made.schema(ERROR)
    return {
        "openapi": "3.1.0",
        "info": {"title": "onggi", "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted(tags)],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(made.schemas.items())),
            "responses": dict(sorted(made.responses.items())),
            "parameters": dict(sorted(made.parameters.items())),
            "securitySchemes": dict(_SCHEMES),
        },
    }


def _undeclared(resource: type) -> Iterable[Endpoint]:
    return () if issubclass(resource, Resource) else undeclared_endpoints(resource)


def _path(path: str) -> NewJson:
    names = _PARAMETER.findall(path)
    if not names:
        return {}
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in names
        ]
    }


class _Document:
    """Collects what several operations share."""

    def __init__(self, actions: ActionNames) -> None:
        self._actions = actions
        self.schemas: NewJson = {}
        self.responses: NewJson = {}
        self.parameters: NewJson = {}
        self._names: set[str] = set()

    def operation(self, tag: str, path: str, endpoint: Endpoint, *, can_read: bool) -> NewJson:
        """One method of one address, which also has one that reads it if `can_read`."""
        made: NewJson = {
            "tags": [tag],
            "summary": endpoint.summary,
            "operationId": self._name(f"{endpoint.method.lower()}{re.sub('[^A-Za-z0-9]+', '_', path).rstrip('_')}"),
            "responses": self._responses(path, endpoint),
            "security": [{name: [endpoint.least]} for name in _SCHEMES] if endpoint.role is not ANYBODY else [],
        }
        if told := " ".join(each for each in (endpoint.description, endpoint.theirs) if each):
            made["description"] = told
        if parameters := [*self._query(endpoint), *self._headers(endpoint, can_read)]:
            made["parameters"] = parameters
        bodies = {"application/json": endpoint.body.schema if endpoint.body is not None else None}
        bodies["multipart/form-data"] = endpoint.form
        content = {kind: {"schema": self.schema(schema)} for kind, schema in bodies.items() if schema is not None}
        if content:
            made["requestBody"] = {"content": content}
        return made

    def _name(self, wanted: str) -> str:
        """That, or with a number behind it where another address is read the same: `a-b` and `a_b`."""
        number, name = 1, wanted
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def schema(self, schema: Schema) -> Any:
        """Without what only this program reads; by reference when it has a title."""
        public = self._public(self._actions.schema(schema))
        title = public.get("title") if isinstance(public, Mapping) else None
        if not isinstance(title, str) or not _COMPONENT.fullmatch(title):
            return public
        if self.schemas.setdefault(title, public) != public:
            return public
        return {"$ref": f"#/components/schemas/{title}"}

    def _public(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: {name: self.schema(each) for name, each in part.items()}
                if key == "properties" and isinstance(part, Mapping)
                else self._below(part)
                for key, part in value.items()
                if not str(key).startswith("x-")
            }
        return value

    def _below(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.schema(value)
        return [self._below(each) for each in value] if isinstance(value, list | tuple) else value

    def _query(self, endpoint: Endpoint) -> Iterable[NewJson]:
        for name, schema in endpoint.query.items():
            yield {"name": name, "in": "query", "required": False, **_described(schema), "schema": self._public(schema)}
        if not endpoint.filters or endpoint.returns is None:
            return
        for name in _fields(self._actions.schema(endpoint.returns.get("items", {}))):
            if name not in endpoint.query:
                key = f"filter_{name}"
                self.parameters[key] = {
                    "name": name, "in": "query", "required": False,
                    "description": f"Only members whose `{name}` is it, holds it, or begins as the expression says.",
                    "schema": {"type": "array", "items": {"type": "string"}, "maxItems": MOST},
                    "style": "form", "explode": True,
                }  # fmt: skip
                yield {"$ref": f"#/components/parameters/{key}"}

    def _headers(self, endpoint: Endpoint, can_read: bool) -> Iterable[NewJson]:
        if endpoint.raw and not endpoint.if_match:
            return
        name = "If-None-Match" if endpoint.method == "GET" else "If-Match"
        if endpoint.method == "GET" or can_read:
            self.parameters[name] = {
                "name": name, "in": "header", "required": False, "schema": {"type": "string"},
                "description": "Answer 304 when it is still this ETag." if endpoint.method == "GET"
                else "Answer 412 when it isn't this ETag any more.",
            }  # fmt: skip
            yield {"$ref": f"#/components/parameters/{name}"}

    def _responses(self, path: str, endpoint: Endpoint) -> NewJson:
        good = {endpoint.status: endpoint.returns, **endpoint.other}
        made = {str(status): self._good(status, schema, endpoint) for status, schema in good.items()}
        bad = {400, 401, 403, 500, 503, *endpoint.statuses}
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
        for status in sorted(bad - good.keys()):
            self.responses[f"Error{status}"] = {
                "description": _REASONS[status],
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }
            made[str(status)] = {"$ref": f"#/components/responses/Error{status}"}
        return made

    def _good(self, status: int, schema: Schema | None, endpoint: Endpoint) -> NewJson:
        made: NewJson = {"description": _REASONS.get(status, "Done.")}
        if schema is not None:
            made["content"] = {endpoint.content_type: {"schema": self.schema(schema)}}
            made["content"] |= {kind: {"schema": {"type": "string"}} for kind in endpoint.also}
        if status == 303:
            made["headers"] = {"Location": {"schema": {"type": "string"}}}
        return made


def _can_read(resource: type) -> bool:
    return any(each.tells_version for each in endpoints(resource).values())


def _described(schema: Schema) -> dict[str, str]:
    return {"description": schema["description"]} if "description" in schema else {}


def _fields(schema: Schema) -> dict[str, None]:
    """The fields that a member may have, whichever of its shapes it is."""
    found = dict.fromkeys(schema.get("properties", ()))
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word, ()):
            found |= _fields(each)
    return found
