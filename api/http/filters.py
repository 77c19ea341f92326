"""Filters of a collection: `?name=web&state=^run`. A parameter names a field of the members; several of one name are
alternatives, different names must all match.

A text field matches when it is the value, holds it, or the value as a regular expression matches its beginning; numbers
and booleans match as JSON writes them, a list when one of its members does. An unknown field matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import re2

_LONGEST: Final = 256
_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


def filtered(members: Iterable[Any], wanted: Mapping[str, Sequence[str]]) -> list[Any]:
    """The members that match every one of `wanted`."""
    if not wanted:
        return list(members)
    tests = {name: [_Test(value) for value in values] for name, values in wanted.items()}
    return [member for member in members if _matches(member, tests)]


def _matches(member: Any, tests: Mapping[str, list[_Test]]) -> bool:
    if not isinstance(member, Mapping):
        return False
    return all(name in member and any(test(member[name]) for test in each) for name, each in tests.items())


class _Test:
    """One value. RE2 takes time in proportion to the text, whatever the expression: anybody may send one."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.pattern: Any = None
        if len(value) <= _LONGEST:
            try:
                self.pattern = re2.compile(value, _OPTIONS)
            except re2.error:  # not an expression: it's compared as a text alone
                self.pattern = None

    def __call__(self, found: Any) -> bool:
        match found:
            case bool():
                return self.value.lower() == str(found).lower()
            case None:
                return self.value in ("null", "")
            case int() | float():
                return self._number(found)
            case str():
                return self.value in found or (self.pattern is not None and self.pattern.match(found) is not None)
            case list() | tuple():
                return any(self(each) if not isinstance(each, list | tuple | dict) else False for each in found)
        return False

    def _number(self, found: float) -> bool:
        try:
            return float(self.value) == float(found)
        except ValueError:
            return self.pattern is not None and self.pattern.match(str(found)) is not None
