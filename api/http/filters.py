"""Filters of a collection: `?name=web&state=^run`. A parameter names a field of the members; several of one name are
alternatives, different names must all match.

A text field matches when it is the value, holds it, or the value as a regular expression matches its beginning; numbers
and booleans match as JSON writes them, a list when one of its members does. An unknown field matches nothing.

Anybody may send expressions, and a request may cost only so much, whatever it says: RE2 takes time in proportion to the
size of the compiled expression times that of the text, so both are bounded, and so is the sum of their products. It
compiles with Python's lock held (a small expression takes a few milliseconds), and matches without; neither happens in
the event loop. Clients take turns, and a crowd behind one address waits like anybody else: only what nobody would wait
for is sent away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import re2

from api.http.fair_pool import FairPool
from api.http.quota import Quota
from api.http.refusal import Refusal

MOST: Final = 16  # values in one request
LONGEST: Final = 128  # what is longer is a text and no expression
BUDGET: Final = 100_000_000  # instructions × bytes: about a second of one core
_AROUND: Final = 8  # what both weigh at least: a call has its price too
_THREADS: Final = 2
_WAITING: Final = 1024
_TIME_S: Final = 30.0

_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True
_OPTIONS.max_mem = 32 << 10  # of a compiled expression, and again of what matching it remembers

_threads = FairPool(_THREADS, "onggi-filter")
_places = Quota()


async def filtered(members: Iterable[Any], wanted: Mapping[str, Sequence[str]], who: str) -> list[Any]:
    """The members that match every one of `wanted`, found beside the event loop for `who` asks. Raises Refusal 400, or
    503.
    """
    if not wanted:
        return list(members)
    check_few(wanted)
    if not _places.acquire(who, _WAITING):
        raise Refusal(503, "Too many filtered lists are asked for at once; ask again soon.")
    try:
        async with asyncio.timeout(_TIME_S):
            return await asyncio.wrap_future(_threads.submit(who, lambda: Filter(wanted).of(members)))
    except TimeoutError:
        raise Refusal(503, "Others' filtered lists take their time; ask again soon.") from None
    finally:
        _places.release(who)


def check_few(wanted: Mapping[str, Sequence[str]]) -> None:
    """Raises Refusal 400 for more values than a request may have."""
    if sum(map(len, wanted.values())) > MOST:
        raise Refusal(400, f"A list can be filtered by at most {MOST} values; leave some out.", "KCHAPI0001E")


class Filter:
    """Compiled once. It may take a while: never in the event loop. Raises Refusal 400 for what is too much."""

    def __init__(self, wanted: Mapping[str, Sequence[str]]) -> None:
        check_few(wanted)
        self._tests = {name: [_Test(value) for value in values] for name, values in wanted.items()}

    def of(self, members: Iterable[Any], budget: int = BUDGET) -> list[Any]:
        """Those that match every test. Raises Refusal 400 when finding them would cost more."""
        purse = _Purse(budget)
        return [member for member in members if self._matches(member, purse)]

    def _matches(self, member: Any, purse: _Purse) -> bool:
        if not isinstance(member, Mapping):
            return False
        return all(
            name in member and any(test.fits(member[name], purse) for test in each)
            for name, each in self._tests.items()
        )


class _Purse:
    """What is left of a request's budget."""

    def __init__(self, budget: int) -> None:
        self._left = budget

    def pay(self, instructions: int, size: int) -> None:
        """Raises Refusal 400 when it is empty."""
        self._left -= (instructions + _AROUND) * (size + _AROUND)
        if self._left < 0:
            raise Refusal(
                400, "So much can't be searched by such expressions; write simpler ones, or plain texts.", "KCHAPI0001E"
            )


class _Test:
    """One value."""

    def __init__(self, value: str) -> None:
        self.value = value
        self._pattern = _compiled(value) if len(value) <= LONGEST else None

    def fits(self, found: Any, purse: _Purse) -> bool:
        """Whether a field's value is as wanted. Raises Refusal 400 when the purse is empty."""
        match found:
            case bool():
                return self.value.lower() == str(found).lower()
            case None:
                return self.value in ("null", "")
            case int() | float():
                return self._is_number(found, purse)
            case str():
                return self.value in found or self._begins(found, purse)
            case list() | tuple():
                return any(self.fits(each, purse) for each in found if not isinstance(each, list | tuple | dict))
        return False

    def _is_number(self, found: float, purse: _Purse) -> bool:
        try:
            return float(self.value) == float(found)
        except (ValueError, OverflowError):
            return self._begins(str(found), purse)

    def _begins(self, text: str, purse: _Purse) -> bool:
        if self._pattern is None:
            return False
        purse.pay(self._pattern.programsize, len(text))
        return self._pattern.match(text) is not None


def _compiled(value: str) -> Any:
    """None for what is no expression: it's compared as a text alone. Raises Refusal 400 for one that is too large."""
    try:
        return re2.compile(value, _OPTIONS)
    except re2.error as error:
        if b"too large" in error.args[0]:
            raise Refusal(
                400, "An expression of this filter is too large; write a simpler one, or a plain text.", "KCHAPI0001E"
            ) from None
        return None
