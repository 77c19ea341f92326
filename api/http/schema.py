"""Schemas of requests and answers: JSON Schema 2020-12 as plain data, one for checking and for the documentation.

A part of a request's schema may have `x-code`, Kimchi's code for a mistake in it, and `x-message`, the sentence. What
is checked here is shape; whether a thing exists is the resource's business. No message repeats a value: it may be a
secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from api.http.refusal import Refusal
from specs.plain import Json, NewJson
from specs.schema_mistakes import Mistake, Shape
from specs.schema_reasons import reason

Schema = Mapping[str, Any]


def obj(properties: Mapping[str, Schema], *, required: Sequence[str] = (), closed: bool = True, **more: Any) -> NewJson:
    """A JSON object. `closed` refuses every other key."""
    made: NewJson = {"type": "object", "properties": dict(properties)}
    if required:
        made["required"] = list(required)
    if closed:
        made["additionalProperties"] = False
    return made | _dashed(more)


def arr(items: Schema, **more: Any) -> NewJson:
    """A JSON array."""
    return {"type": "array", "items": dict(items)} | _dashed(more)


def text(description: str = "", **more: Any) -> NewJson:
    """A string."""
    return {"type": "string", **_described(description)} | _dashed(more)


def integer(description: str = "", **more: Any) -> NewJson:
    """A whole number."""
    return {"type": "integer", **_described(description)} | _dashed(more)


def number(description: str = "", **more: Any) -> NewJson:
    """A number."""
    return {"type": "number", **_described(description)} | _dashed(more)


def boolean(description: str = "", **more: Any) -> NewJson:
    """True or false."""
    return {"type": "boolean", **_described(description)} | _dashed(more)


def or_null(schema: Schema) -> NewJson:
    """The same, or null."""
    kind = schema["type"]
    return {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}


def _described(description: str) -> dict[str, str]:
    return {"description": description} if description else {}


def _dashed(more: Json) -> NewJson:
    """Keywords of Python for keys of schemas: x_code → x-code."""
    return {key.replace("x_", "x-", 1) if key.startswith("x_") else key: value for key, value in more.items()}


@cache
def _shape(schema: bytes) -> Shape:
    return Shape(orjson.loads(schema))


class Checked:
    """A schema that is ready to check bodies."""

    def __init__(self, schema: Schema, fallback: str = "KCHAPI0008E", *, whole: str = "The request's body") -> None:
        """`whole` begins the sentence about a mistake that is in no single part."""
        self.schema = schema
        self._whole = whole
        self._fallback = fallback
        self._shape = _shape(orjson.dumps(schema))

    def check(self, body: Any) -> None:
        """Raises Refusal 400 with the code of the innermost part that has one."""
        if self._shape.fits(body):
            return
        try:
            mistakes = sorted(self._shape.mistakes(body), key=lambda found: (len(found.path), str(found.schema_path)))
        except ValueError:  # the library's limit of depth
            raise Refusal(400, f"{self._whole} is nested too deeply.", self._fallback) from None
        outermost = mistakes[0]
        alike = [found for found in mistakes if found.schema_path == outermost.schema_path]
        code, said = self._coded(outermost)
        place = "/".join(map(str, outermost.path))
        raise Refusal(400, said or _sentence(f"`{place}`" if place else self._whole, alike), code)

    def _coded(self, mistake: Mistake) -> tuple[str, str]:
        """Kimchi's code, and its sentence, of the innermost part of the schema that has one."""
        code, said = self._fallback, ""
        part: Any = self.schema
        for step in ("", *map(str, mistake.schema_path)):
            if step:
                part = part[step] if isinstance(part, Mapping) else part[int(step)]
            if isinstance(part, Mapping) and "x-code" in part:
                code, said = part["x-code"], part.get("x-message", "")
        return code, said


def _sentence(where: str, mistakes: Sequence[Mistake]) -> str:
    """About what breaks one rule in one place: several where it is about fields."""
    first = mistakes[0]
    match first.keyword:
        case "required":
            return f"{where} has to have `{first.name}`."
        case "additionalProperties":
            unknown = ", ".join(f"`{found.name[:64]}`" for found in mistakes[:5] if found.path == first.path)
            return f"{where} can't have {unknown}."
    begun = reason(where, first.keyword, first.rule.get(first.keyword))
    return f"{begun}." if begun else f"{where} isn't of the form that it has to have."
