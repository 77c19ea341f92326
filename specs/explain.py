"""What a field means, from the schemas, as `kubectl explain` tells it. For the command line and the generated docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specs.effect import Effect
from specs.nearest import nearest
from specs.plain import Json
from specs.registry import Kind, find_kind, kinds

Schema = Json


class UnknownFieldError(LookupError):
    """There is no such kind or field. The text is one sentence that names the nearest ones."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One field. `children` are the fields below it, each without its own children."""

    path: str  # VirtualMachine.spec.disks.size
    type: str  # in words: `text`, `list of mappings`, `text or whole number`
    description: str
    default: Any = None  # None: none, or it depends (the description says on what)
    effect: Effect | None = None  # of a change, where it is fixed
    required: bool = False
    choices: tuple[str, ...] = ()
    examples: tuple[Any, ...] = ()
    children: tuple[Explanation, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list", "object": "mapping"}


def explain(kind: str, field_path: str = "") -> Explanation:
    """Explain a kind or a field of it: `explain("vm", "disks.size")`, or in one word `explain("vm.disks.size")`.

    Kinds go by name, plural or alias; the leading `spec` may be left out. Raises UnknownFieldError.
    """
    word, _, rest = kind.partition(".")
    found = find_kind(word)
    if found is None:
        raise UnknownFieldError(_no_kind(word))
    parts = [part for part in (*rest.split("."), *field_path.split(".")) if part]
    schema: Schema = found.schema
    if parts and parts[0] not in schema["properties"]:
        parts.insert(0, "spec")
    path = found.name
    required = False
    for part in parts:
        fields = _fields(found, schema)
        if part not in fields:
            raise UnknownFieldError(_no_field(path, part, fields))
        required = part in _holder(found, schema).get("required", ())
        schema = fields[part]
        path += f".{part}"
    return _explanation(found, path, schema, required=required, below=True)


def _explanation(kind: Kind, path: str, schema: Schema, *, required: bool, below: bool) -> Explanation:
    whole = _resolved(kind, schema)
    effect = whole.get("x-effect")
    holder = _holder(kind, schema)
    children = (
        tuple(
            _explanation(kind, f"{path}.{name}", field, required=name in holder.get("required", ()), below=False)
            for name, field in _fields(kind, schema).items()
        )
        if below
        else ()
    )
    choices = whole.get("enum", [whole["const"]] if "const" in whole else [])
    return Explanation(
        path=path,
        type=_type(kind, whole),
        description=str(whole.get("description", "")),
        default=whole.get("default"),
        effect=Effect(effect) if effect is not None else None,
        required=required,
        choices=tuple(str(choice) for choice in choices),
        examples=tuple(whole.get("examples", ())),
        children=children,
    )


def _resolved(kind: Kind, schema: Schema) -> Schema:
    """The schema with what it refers to; what it says itself wins."""
    if "$ref" not in schema:
        return schema
    return {**kind.schema["$defs"][schema["$ref"].rpartition("/")[2]], **schema}


def _holder(kind: Kind, schema: Schema) -> Schema:
    """Where the fields below are declared: a list's are those of its items."""
    whole = _resolved(kind, schema)
    return _resolved(kind, whole["items"]) if "items" in whole else whole


def _fields(kind: Kind, schema: Schema) -> Mapping[str, Schema]:
    fields: Mapping[str, Schema] = _holder(kind, schema).get("properties", {})
    return fields


def _type(kind: Kind, whole: Schema) -> str:
    if "enum" in whole or "const" in whole:
        return "word"
    if "items" in whole:
        item = _type(kind, _resolved(kind, whole["items"]))
        return f"list of {item}s" if item in ("mapping", "word", "whole number") else f"list of {item}"
    if isinstance(whole.get("additionalProperties"), Mapping):
        return "mapping of text to text"
    types = whole.get("type", [])
    return " or ".join(_TYPES[name] for name in ([types] if isinstance(types, str) else types))


def _no_kind(word: str) -> str:
    names = {name.lower(): kind.name for kind in kinds().values() for name in (kind.name, kind.plural, *kind.aliases)}
    close = nearest(word.lower(), names)
    meant = f"; did you mean {names[close[0]]}?" if close else "."
    return f"There is no kind {word!r}{meant} The kinds are {', '.join(kinds())}."


def _no_field(path: str, part: str, fields: Mapping[str, Schema]) -> str:
    if not fields:
        return f"{path} has no fields below it; explain {path} itself."
    names = {name.lower(): name for name in fields}
    close = nearest(part.lower(), names)
    meant = f"; did you mean {names[close[0]]}?" if close else "."
    return f"{path} has no field {part!r}{meant} Its fields are {', '.join(fields)}."
