"""The order of the reference: in which the keys of a document stand when onggi writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specs.registry import kinds


def in_schema_order(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with its keys in the order of the reference, without what the schema doesn't have."""
    schema = kinds()[kind].schema
    ordered: dict[str, Any] = _ordered(spec, schema["properties"]["spec"], schema, keep=False)
    return ordered


def body_in_order(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A whole document with its keys in the order of the reference; what the schema doesn't have comes last."""
    schema = kinds()[kind].schema
    ordered: dict[str, Any] = _ordered(body, schema, schema, keep=True)
    return ordered


def _ordered(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], *, keep: bool) -> Any:
    if (reference := schema.get("$ref")) is not None:
        schema = root["$defs"][str(reference).rpartition("/")[2]]
    if isinstance(value, Mapping) and "properties" in schema:
        properties = schema["properties"]
        known = {key: _ordered(value[key], properties[key], root, keep=keep) for key in properties if key in value}
        return known | ({key: each for key, each in value.items() if key not in properties} if keep else {})
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [_ordered(item, schema["items"], root, keep=keep) for item in value]
    return value
