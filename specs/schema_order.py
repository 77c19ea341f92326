"""The order of the reference: in which the keys of a document stand when onggi writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specs.plain import DocumentData, Json, NewSpec, Spec
from specs.registry import kinds


def in_schema_order(kind: str, spec: Spec) -> NewSpec:
    """The spec with its keys in the order of the reference, without what the schema doesn't have."""
    schema = kinds()[kind].schema
    ordered: NewSpec = _ordered(spec, schema["properties"]["spec"], schema, keep=False)
    return ordered


def body_in_order(kind: str, body: DocumentData) -> NewSpec:
    """A whole document with its keys in the order of the reference; what the schema doesn't have comes last."""
    schema = kinds()[kind].schema
    ordered: NewSpec = _ordered(body, schema, schema, keep=True)
    return ordered


def _ordered(value: Any, schema: Json, root: Json, *, keep: bool) -> Any:
    if (reference := schema.get("$ref")) is not None:
        schema = root["$defs"][str(reference).rpartition("/")[2]]
    if isinstance(value, Mapping) and "properties" in schema:
        properties = schema["properties"]
        known = {key: _ordered(value[key], properties[key], root, keep=keep) for key in properties if key in value}
        return known | ({key: each for key, each in value.items() if key not in properties} if keep else {})
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [_ordered(item, schema["items"], root, keep=keep) for item in value]
    return value
