"""A whole document's JSON Schema: what every kind has around its spec, and the declarations of the kind itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from specs.declared import Declared, mapping, text, word
from specs.document import API_VERSION
from specs.effect import Effect
from specs.notations import NAME, UUID
from specs.plain import NewJson

if TYPE_CHECKING:
    from specs.registry import Kind

_KEY_PATTERN = "^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$"
_KEYS = {
    "type": "string",
    "maxLength": 128,
    "pattern": _KEY_PATTERN,
    "errorMessage": "A key has letters, digits, `.`, `_`, `-` and `/`, such as example.org/team; correct it.",
}
_ABOUT_NAME = (
    "The name, unique among all documents of this kind. A changed name is a rename when the document has a uid, "
    "otherwise a new object."
)
_ABOUT_UID = (
    "The identity that survives a rename and becomes the UUID in libvirt. Default: derived from the repository's id, "
    "the kind and the name."
)
_ABOUT_LABELS = "Your own keys for choosing and grouping; onggi gives them no meaning. Default: none."
_ABOUT_ANNOTATIONS = "Notes for tools and people; those that begin with onggi/ are switches. Default: none."
_SWITCHES = {
    "onggi/adopt": '`"true"` makes an object of this name that exists already on the host ours. Default: "false".',
    "onggi/protect": '`"true"` refuses every deletion of the object. Default: "false".',
}


def document_schema(kind: Kind) -> NewJson:
    """The schema of a kind's documents, from its `fields` module."""
    fields = kind.declarations
    spec, defs = _schema_of(fields.SPEC)
    named, more = _schema_of(_metadata(getattr(fields, "ABOUT_NAME", _ABOUT_NAME), getattr(fields, "ANNOTATIONS", {})))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://onggi.dev/schema/v1/{kind.name.lower()}.json",
        "title": kind.name,
        "description": fields.ABOUT,
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION, "description": "The version of this notation."},
            "kind": {"const": kind.name, "description": "What the document declares."},
            "metadata": named,
            "spec": spec,
        },
        "$defs": {**more, **defs},
    }


def schema_text(kind: Kind) -> str:
    """The schema as it stands in the kind's folder, where validation and editors read it."""
    return json.dumps(document_schema(kind), indent=2) + "\n"


def _metadata(about_name: str, annotations: dict[str, Declared]) -> Declared:
    switches = {name: word(about, "true", "false", default="false") for name, about in _SWITCHES.items()}
    return mapping(
        "What the document is called and what is noted about it.",
        {
            "name": NAME.but(about_name),
            "uid": UUID.but(_ABOUT_UID, effect=Effect.RECREATE),
            "labels": _free(_ABOUT_LABELS, 4096, "A label's value, as text.", {}, examples=[{"team": "shop"}]),
            "annotations": _free(_ABOUT_ANNOTATIONS, 65536, "An annotation's value, as text.", switches | annotations),
        },
        required=("name",),
    )


def _free(about: str, longest: int, about_value: str, known: dict[str, Declared], **more: Any) -> Declared:
    """A mapping of keys that people choose."""
    value, _ = _schema_of(text(about_value, at_most=longest))
    return Declared(
        {"type": "object", "description": about, "propertyNames": _KEYS, "additionalProperties": value, **more}, known
    )


def _schema_of(value: Declared) -> tuple[NewJson, NewJson]:
    """The schema of a value, and those of the shared values that it refers to by name."""
    found: NewJson = {}
    return _schema(value, found), found


def _schema(value: Declared, found: NewJson) -> NewJson:
    if value.base is not None:
        return {**_reference(value.base, found), **value.keywords}
    return _reference(value, found) if value.shared else _own(value, found)


def _reference(value: Declared, found: NewJson) -> NewJson:
    if value.shared not in found:
        found[value.shared] = {}  # keeps its place, before those that it refers to itself
        found[value.shared] = _own(value, found)
    return {"$ref": f"#/$defs/{value.shared}"}


def _own(value: Declared, found: NewJson) -> NewJson:
    own = dict(value.keywords)
    rules = own.pop("allOf", None)
    if value.fields:
        own["properties"] = {name: _schema(each, found) for name, each in value.fields.items()}
    if value.item is not None:
        own["items"] = _schema(value.item, found)
    return own if rules is None else {**own, "allOf": rules}
