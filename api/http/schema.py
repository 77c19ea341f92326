"""Schemas of requests and answers: JSON Schema 2020-12 as plain data, one for checking and for the documentation.

A part of a request's schema may have `x-code`, Kimchi's code for a mistake in it, and `x-message`, the sentence. What
is checked here is shape; whether a thing exists is the resource's business. No message repeats a value: it may be a
secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import jsonschema_rs
import orjson

from api.http.refusal import Refusal
from specs.schema_reasons import reason

Schema = Mapping[str, Any]

_FEW_PARTS: Final = 1_000


def obj(
    properties: Mapping[str, Schema], *, required: Sequence[str] = (), closed: bool = True, **more: Any
) -> dict[str, Any]:
    """A JSON object. `closed` refuses every other key."""
    made: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    if required:
        made["required"] = list(required)
    if closed:
        made["additionalProperties"] = False
    return made | _dashed(more)


def arr(items: Schema, **more: Any) -> dict[str, Any]:
    """A JSON array."""
    return {"type": "array", "items": dict(items)} | _dashed(more)


def text(description: str = "", **more: Any) -> dict[str, Any]:
    """A string."""
    return {"type": "string", **_described(description)} | _dashed(more)


def integer(description: str = "", **more: Any) -> dict[str, Any]:
    """A whole number."""
    return {"type": "integer", **_described(description)} | _dashed(more)


def number(description: str = "", **more: Any) -> dict[str, Any]:
    """A number."""
    return {"type": "number", **_described(description)} | _dashed(more)


def boolean(description: str = "", **more: Any) -> dict[str, Any]:
    """True or false."""
    return {"type": "boolean", **_described(description)} | _dashed(more)


def or_null(schema: Schema) -> dict[str, Any]:
    """The same, or null."""
    kind = schema["type"]
    return {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}


def _described(description: str) -> dict[str, str]:
    return {"description": description} if description else {}


def _dashed(more: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords of Python for keys of schemas: x_code → x-code."""
    return {key.replace("x_", "x-", 1) if key.startswith("x_") else key: value for key, value in more.items()}


@cache
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(orjson.loads(schema))


class Checked:
    """A schema that is ready to check bodies."""

    def __init__(self, schema: Schema, fallback: str = "KCHAPI0008E", *, whole: str = "The request's body") -> None:
        """`whole` begins the sentence about a mistake that is in no single part."""
        self.schema = schema
        self._whole = whole
        self._fallback = fallback
        self._validator = _validator(orjson.dumps(schema))

    def check(self, body: Any) -> None:
        """Raises Refusal 400 with the code of the innermost part that has one."""
        if self._validator.is_valid(body):
            return
        try:
            error = self._error(body)
        except ValueError:  # the library's limit of depth
            raise Refusal(400, f"{self._whole} is nested too deeply.", self._fallback) from None
        code, said = self._fallback, ""
        part: Any = self.schema
        for step in ("", *map(str, error.schema_path)):
            if step:
                part = part[step] if isinstance(part, Mapping) else part[int(step)]
            if isinstance(part, Mapping) and "x-code" in part:
                code, said = part["x-code"], part.get("x-message", "")
        keyword = str(error.schema_path[-1]) if error.schema_path else ""
        place = "/".join(str(each) for each in error.instance_path)
        raise Refusal(400, said or _sentence(f"`{place}`" if place else self._whole, keyword, part, error), code)

    def _error(self, body: Any) -> Any:
        """The outermost mistake; of a large body the first: making a list of them all would keep everybody waiting."""
        if _has_more_parts(body, _FEW_PARTS):
            try:
                self._validator.validate(body)
            except jsonschema_rs.ValidationError as error:
                return error
        return min(self._validator.iter_errors(body), key=lambda found: (len(found.instance_path), found.schema_path))


def _has_more_parts(body: Any, most: int) -> bool:
    """Whether a value has more than `most` values in it, however deep."""
    left, count = [body], 0
    while left:
        part = left.pop()
        inner = part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ()
        count += len(inner)
        if count > most:
            return True
        left.extend(inner)
    return False


def _sentence(where: str, keyword: str, rule: Any, error: Any) -> str:
    match keyword:
        case "required":
            missing = getattr(error.kind, "property", "")
            return f"{where} has to have `{missing}`." if missing else f"{where} lacks something that it has to have."
        case "additionalProperties":
            unknown = ", ".join(f"`{str(name)[:64]}`" for name in error.kind.unexpected[:5])
            return f"{where} can't have {unknown}."
    begun = reason(where, keyword, rule)
    return f"{begun}." if begun else f"{where} isn't of the form that it has to have."
