"""An example of what a schema describes, and the curl command that sends one. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

from specs.plain import Json

_BASE: Final = "http://127.0.0.1:8010"
_DEEPEST: Final = 6
_BY_TYPE: Final[Json] = {
    "string": "…", "integer": 1, "number": 1, "boolean": True, "null": None, "array": [], "object": {},
}  # fmt: skip
_PATH: Final[Mapping[str, str]] = {
    "name": "web", "number": "7", "pool": "default", "volume": "web.qcow2", "mac": "52:54:00:12:34:56", "dev": "vda",
    "snapshot": "before", "kind": "vm", "provider": "github",
}  # fmt: skip

Schema = Mapping[str, Any]


def sample(schema: Schema, components: Mapping[str, Schema], depth: int = 0) -> Any:
    """A value: what has to be there, else the first of what may be, by the schema's own examples where it has some."""
    schema = resolved(schema, components)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if "default" in schema:
        return schema["default"]
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return sample(schema[word][0], components, depth)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" and depth < _DEEPEST:
        properties = schema.get("properties", {})
        shown = [name for name, each in properties.items() if "examples" in each]
        names = schema.get("required") or shown or list(properties)[:1]
        return {name: sample(properties.get(name, {}), components, depth + 1) for name in names}
    if kind == "array" and schema.get("minItems") and depth < _DEEPEST:
        return [sample(schema.get("items", {}), components, depth + 1)]
    if kind in ("integer", "number") and "minimum" in schema:
        return max(schema["minimum"], 1)
    return _BY_TYPE.get(kind, "…")


def curl(method: str, path: str, operation: Json, components: Mapping[str, Schema]) -> str:
    """The command, in several lines where it is long."""
    for name in (part[1:-1] for part in path.split("/") if part.startswith("{")):
        path = path.replace(f"{{{name}}}", _PATH.get(name, name))
    words = ["curl"] + ([f"-X {method}"] if method != "GET" else [])
    lines = [" ".join([*words, shlex.quote(f"{_BASE}{path}")])]
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = json.dumps(sample(content["application/json"]["schema"], components), ensure_ascii=False)
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    elif "multipart/form-data" in content:
        fields = resolved(content["multipart/form-data"]["schema"], components).get("properties", {})
        lines += [f"-F {name}={'@file' if each.get('format') == 'binary' else '…'}" for name, each in fields.items()]
    return " \\\n  ".join(lines)


def resolved(schema: Schema, components: Mapping[str, Schema]) -> Schema:
    """The schema that a reference names, or itself."""
    reference = schema.get("$ref")
    return components.get(str(reference).rpartition("/")[2], {}) if reference else schema
