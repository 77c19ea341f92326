"""What of a value doesn't fit its JSON Schema: one module for documents and for requests' bodies.

Two libraries share the work. jsonschema-rs stands at the gate: it says in microseconds whether a value fits. Only what
it has refused is looked through by jsonschema, which tells best which part breaks which rule. The gate's word decides:
where it alone finds a mistake, its own is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from specs.plain import Json

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_MOST_PARTS: Final = 1_000  # of a value that is looked through: jsonschema takes some 10 µs for each


@dataclass(frozen=True, slots=True)
class Mistake:
    """One rule of a schema that a value breaks.

    `path` leads to the value's part, `schema_path` to the rule's keyword; `rule` is the part of the schema with the
    keyword in it. `name` is the field that is missing (`required`) or unknown (`additionalProperties`).
    """

    path: tuple[str | int, ...]
    schema_path: tuple[str | int, ...]
    keyword: str
    rule: Json
    value: Any
    name: str = ""


class Shape:
    """A schema, ready to check values. `formats` says by its name whether a text has a format."""

    def __init__(self, schema: Json, formats: Mapping[str, Callable[[str], bool]] | None = None) -> None:
        self.schema = dict(schema)
        self._formats = dict(formats or {})
        self._gate = jsonschema_rs.Draft202012Validator(
            self.schema, formats=self._formats, validate_formats=bool(self._formats)
        )

    def fits(self, value: Any) -> bool:
        """True for a value without a mistake. Raises ValueError for one that is nested too deeply."""
        return self._gate.is_valid(value)

    def mistakes(self, value: Any) -> Iterator[Mistake]:
        """Every mistake, in no order; of a very large value one, for all would keep everybody waiting.

        Raises ValueError for a value that is nested too deeply.
        """
        if self.fits(value):
            return
        if _has_more_parts(value, _MOST_PARTS):
            yield from self._first(value)
            return
        found = False
        try:
            for error in self._explainer.iter_errors(value):
                for mistake in _explained(error):
                    found = True
                    yield mistake
        except RecursionError:
            raise ValueError("The value is nested too deeply.") from None
        if not found:
            yield from self._first(value)

    @cached_property
    def _explainer(self) -> Validator:
        from jsonschema import Draft202012Validator, FormatChecker
        from jsonschema.validators import extend

        checker = FormatChecker(formats=())
        for name, has_format in self._formats.items():
            checker.checks(name)(lambda text, has=has_format: not isinstance(text, str) or has(text))
        explainer: type[Validator] = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
        return explainer(self.schema, format_checker=checker)

    def _first(self, value: Any) -> Iterator[Mistake]:
        """The first mistake that the gate finds."""
        try:
            self._gate.validate(value)
        except jsonschema_rs.ValidationError as error:
            path, keyword = tuple(error.schema_path), str(error.schema_path[-1]) if error.schema_path else ""
            rule = _part_at(self.schema, path[:-1])
            for name in _names(keyword, rule, error.instance):
                yield Mistake(tuple(error.instance_path), path, keyword, rule, error.instance, name)


def _explained(error: ValidationError) -> Iterator[Mistake]:
    keyword = str(error.validator or "")
    rule = error.schema if isinstance(error.schema, Mapping) else {}
    names = _names(keyword, rule, error.instance)
    if keyword == "required":  # there is an error for each
        names = [name for name in names if error.message.startswith(repr(name))]
    for name in names:
        yield Mistake(
            tuple(error.absolute_path), tuple(error.absolute_schema_path), keyword, rule, error.instance, name
        )


def _names(keyword: str, rule: Json, value: Any) -> list[str]:
    """The fields that a rule about fields is broken by; one without a name for any other rule."""
    if keyword == "required":
        return [name for name in rule["required"] if name not in value]
    if keyword == "additionalProperties":
        patterns = rule.get("patternProperties", {})
        return [
            str(name)
            for name in value
            if name not in rule.get("properties", {}) and not any(_matches(each, str(name)) for each in patterns)
        ]
    return [""]


def _pattern(_: Validator, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """As the gate has it, to which `$` is a text's very end, and whose bounds of time hold for any text."""
    from jsonschema.exceptions import ValidationError

    if isinstance(value, str) and not _matches(pattern, value):
        yield ValidationError("It doesn't match.")


def _matches(pattern: str, text: str) -> bool:
    return _expression(pattern).is_valid(text)


@cache
def _expression(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


def _part_at(schema: Any, path: Sequence[str | int]) -> Json:
    for step in path:
        schema = schema[step] if isinstance(schema, Mapping) else schema[int(step)]
    return schema if isinstance(schema, Mapping) else {}


def _has_more_parts(value: Any, most: int) -> bool:
    """Whether a value has more than `most` values in it, however deep."""
    left, count = [value], 0
    while left:
        part = left.pop()
        inner = part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ()
        count += len(inner)
        if count > most:
            return True
        left.extend(inner)
    return False
