"""A schema as rows of a table: the name, what it may be, and what it is for. Pure; it gives HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from api.docs.prose import inline
from api.docs.samples import Schema, resolved

_DEEPEST: Final = 4
_LIMITS: Final = {
    "minimum": "at least {}", "maximum": "at most {}", "minLength": "at least {} characters",
    "maxLength": "at most {} characters", "minItems": "at least {} items", "maxItems": "at most {} items",
}  # fmt: skip


def schema_html(schema: Schema, components: Mapping[str, Schema], *, caption: str, label: str = "") -> str:
    """A table of an object's properties; a sentence for anything else. `label` is HTML that goes before."""
    inner, many = _member(schema)
    rows = [] if "$ref" in inner else list(_rows(inner, components, "", 0))
    if not rows:
        return f"<p>{label}{'A list of ' if many else ''}{type_html(inner)} {_told(inner)}</p>"
    lead = f"<p>{label}{'A list of objects' if many else 'An object'}</p>" if label or many else ""
    head = "<tr><th scope='col'>Name</th><th scope='col'>Type</th><th scope='col'>Meaning</th></tr>"
    body = "".join(rows)
    return (
        f"{lead}<div class='wide' tabindex='0' role='region' aria-label='{escape(caption)}'><table>"
        f"<caption>{escape(caption)}</caption><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def type_html(schema: Schema) -> str:
    """What a value may be, in a few words."""
    if reference := schema.get("$ref"):
        return _link(str(reference).rpartition("/")[2])
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return " or ".join(dict.fromkeys(type_html(each) for each in schema[word]))
    kind = schema.get("type", "any")
    kinds = kind if isinstance(kind, list) else [kind]
    if kinds == ["array"]:
        return f"list of {type_html(schema.get('items', {}))}"
    return " or ".join(escape(each) for each in kinds)


def _rows(schema: Schema, components: Mapping[str, Schema], prefix: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word, ()):
            yield from _rows(resolved(each, components), components, prefix, depth)
    needed = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        place = f"{prefix}{name}"
        mark = " <span class='needed'>required</span>" if name in needed else ""
        yield (
            f"<tr><th scope='row'><code>{escape(place)}</code>{mark}</th><td>{type_html(each)}</td>"
            f"<td>{_told(each)}</td></tr>"
        )
        inner, many = _member(each)
        if "$ref" not in inner:
            yield from _rows(inner, components, f"{place}{'[]' if many else ''}.", depth + 1)


def _member(schema: Schema) -> tuple[Schema, bool]:
    """What a list is of, and whether it is one."""
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        return schema["items"], True
    return schema, False


def _told(schema: Schema) -> str:
    parts = [inline(str(schema["description"]))] if schema.get("description") else []
    if values := schema.get("enum"):
        parts.append("One of " + ", ".join(f"<code>{escape(_text(each))}</code>" for each in values) + ".")
    limits = [words.format(_text(schema[key])) for key, words in _LIMITS.items() if _matters(key, schema)]
    if limits:
        parts.append(escape(", ".join(limits)[0].upper() + ", ".join(limits)[1:] + "."))
    if "default" in schema:
        parts.append(f"Default: <code>{escape(_text(schema['default']))}</code>.")
    return " ".join(parts)


def _matters(key: str, schema: Schema) -> bool:
    return (
        key in schema and not (key == "minimum" and schema[key] == 0) and not (key == "minLength" and schema[key] == 1)
    )


def _text(value: Any) -> str:
    return {None: "null", True: "true", False: "false"}.get(value, str(value)) if _plain(value) else str(value)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _link(name: str) -> str:
    return f"<a href='#schema-{escape(name)}'>{escape(name)}</a>"
