"""Lets somebody ask what was made up, and collects what went wrong with the answers, the log and the host.

What may not be read of others is looked for in two ways: its mark is in no byte of an answer to a question that hasn't
it, and a question that has it is answered as the same one about something that there isn't.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from unittest import mock

from api.http import authentication
from reconciler.identity.role import Role
from tests.fuzz.roles.in_process import Answered, Asked, InProcess
from tests.fuzz.roles.kept import kept, wronged
from tests.fuzz.roles.requests import Requests
from tests.fuzz.roles.world import PEOPLE, Marked, marked

_BATCH: Final = 500  # requests, after which is looked what is left behind
_TIMES: Final = 3  # that a difference has to show: lists move by themselves
_BLIND: Final = frozenset({"nobody", "other", "user"})
_TRACEBACK: Final = re.compile(rb"Traceback \(most|File \"[^\"]*\.py\"|site-packages")
_TOLD: Final = frozenset({501, 503})  # that this host can't do it; that nobody can now
_VARY: Final = frozenset({b"etag", b"x-request-id", b"content-length", b"retry-after", b"set-cookie"})
# By an administrator these would have programs and servers at work which are no part of this.
_OF_OTHERS: Final = re.compile(r"POST /debugreports|GET /storageservers/\{host\}/storagetargets")


@dataclass
class Came:
    """What came of it. `mistakes` each have the number of the request, which its seed has again."""

    asked: int = 0
    twins: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    changed: int = 0
    slowest_s: float = 0.0
    slowest: str = ""
    mistakes: list[str] = field(default_factory=list)

    def add(self, other: Came) -> None:
        """And what came of more."""
        self.asked += other.asked
        self.twins += other.twins
        self.statuses += other.statuses
        self.changed += other.changed
        self.took(other.slowest_s, other.slowest)
        self.mistakes += other.mistakes

    def took(self, seconds: float, what: str) -> None:
        """How long one took."""
        if seconds > self.slowest_s:
            self.slowest_s, self.slowest = seconds, what

    def told(self, taken_s: float) -> str:
        """In a line."""
        statuses = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.asked} requests in {taken_s:.0f} s and {self.twins} twins, {len(self.mistakes)} mistakes; "
            f"{statuses}; {self.changed} batches committed, the slowest took {self.slowest_s:.1f} s: {self.slowest}"
        )


class Somebody:
    """One of PEOPLE in a world, with a session of their own."""

    def __init__(self, who: str, world: Marked) -> None:
        self.who = who
        self._world = world
        self._http = InProcess(world.api.app, f"user {4000 + list(PEOPLE).index(who)}")
        known = PEOPLE[who]
        role = known[1] if known is not None else None
        self._requests = Requests(world.names, world.parts, role, _OF_OTHERS if who == "admin" else None)
        self._session = world.session(who)
        self._hidden = [each.text.encode() for each in world.marks if not each.is_told(who)]
        self._passwords = [each.text.encode() for each in world.marks if each.least == Role.OPERATOR]
        self._own = world.own if who == "user" else []

    async def ask(self, seed: str, count: int, came: Came) -> None:
        """So many requests. The world is compared with what it was before after some of them each."""
        before, since = kept(self._world), came.asked
        with _quick_refusals(), _collected() as told:
            for number in range(count):
                asked = self._requests.one(random.Random(f"{self.who} {seed} {number}"), self._session, self._own)
                place = f"{self.who}, seed {seed}, request {number}: {asked}"
                try:
                    begun = time.monotonic()
                    answered = await self._http.ask(asked)
                    came.took(time.monotonic() - begun, f"{asked.method} {asked.path[:200]}")
                except Exception as error:
                    came.mistakes.append(f"{place} isn't answered: {error!r}")
                    continue
                came.asked += 1
                came.statuses[answered.status] += 1
                came.mistakes += [f"{place} {each}" for each in self._wrong(asked, answered)]
                if answered.status < 400 and asked.method not in (
                    "GET",
                    "HEAD",
                ):  # they have written it down themselves
                    said = asked.wire
                    self._hidden = [mark for mark in self._hidden if mark not in said]
                came.mistakes += [f"{place} logs {each}" for each in told]
                told.clear()
                if self.who in _BLIND and (answered.status >= 400 or asked.method in ("GET", "HEAD")):
                    came.mistakes += [f"{place} {each}" for each in await self._different(asked, answered, came)]
                if (answered.status == 401 and self._session) or asked.path.rstrip("/").endswith("logout"):
                    self._session = self._world.session(self.who)  # somebody has logged out
                if (number + 1) % _BATCH == 0 or number + 1 == count:
                    now = kept(self._world, before)
                    asked_since = f"{self.who}, seed {seed}, requests {since} to {came.asked}"
                    wrong = wronged(self.who, self._own, before, now)
                    came.mistakes += [f"{asked_since}: {each}" for each in wrong]
                    came.changed += now.head != before.head
                    before, since = now, came.asked

    def _wrong(self, asked: Asked, answered: Answered) -> Iterator[str]:
        status, wire = answered.status, answered.wire
        if not 200 <= status < 500 and status not in _TOLD:
            yield f"gets {status}: {answered.body[:300]!r}"
        if _TRACEBACK.search(wire):
            yield f"gets a traceback: {wire[:600]!r}"
        if PEOPLE[self.who] is None and status < 300 and asked.method in ("PUT", "DELETE", "PATCH"):
            yield f"gets {status} as nobody"
        if answered.body.startswith(b"[") and any(each in wire for each in self._passwords):
            yield f"gets a password in a list: {wire[:1500]!r}"
        said = asked.wire
        for mark in self._hidden:
            if mark in wire and mark not in said:
                yield f"is told {mark.decode()}: {answered.status} {wire[:1500]!r}"

    async def _different(self, asked: Asked, answered: Answered, came: Came) -> list[str]:
        """How it is answered otherwise than the same about something that there isn't."""
        wire = asked.wire
        named = [mark for mark in self._hidden if mark in wire and mark in _spelled(asked)]
        if not named:
            return []
        came.twins += 1
        twins = {mark: _twin(mark) for mark in named}
        for _ in range(_TIMES):
            other = await self._http.ask(_renamed(asked, twins))
            if _comparable(answered, {}) == _comparable(other, {twin: mark for mark, twin in twins.items()}):
                return []
            answered = await self._http.ask(asked)
        return [f"differs from one about nothing: {answered.status} {answered.body!r}, {other.status} {other.body!r}"]


def _spelled(asked: Asked) -> bytes:
    """As it is there, so that it can be replaced."""
    head = b"\n".join(value for _, value in asked.headers)
    return b"\n".join((asked.path.encode(), asked.query, asked.body, head))


def _twin(mark: bytes) -> bytes:
    """Of the same form, and of nothing. The digits of addresses and UUIDs stay some."""
    plain = mark.decode()
    if re.fullmatch(r"[0-9a-f:-]+", plain):
        return plain[:-2].encode() + f"{int(plain[-2:], 16) ^ 0x55:02x}".encode()
    return plain[:-2].encode() + b"qq"


def _renamed(asked: Asked, names: Mapping[bytes, bytes]) -> Asked:
    path, query, body, headers = asked.path.encode(), asked.query, asked.body, asked.headers
    for old, new in names.items():
        path, query, body = path.replace(old, new), query.replace(old, new), body.replace(old, new)
        headers = tuple((name, value.replace(old, new)) for name, value in headers)
    return replace(asked, path=path.decode(), query=query, body=body, headers=headers)


def _comparable(answered: Answered, names: Mapping[bytes, bytes]) -> tuple[int, list[bytes], bytes]:
    headers = [key + b": " + value for key, value in answered.headers if key.lower() not in _VARY]
    whole = b"\n".join(headers), answered.body
    for old, new in names.items():
        whole = whole[0].replace(old, new), whole[1].replace(old, new)
    return answered.status, sorted(whole[0].split(b"\n")), whole[1]


@contextmanager
def _quick_refusals() -> Iterator[None]:
    """A wrong password costs nothing."""
    with mock.patch.object(authentication, "LEAST_S", 0.0):
        yield


@contextmanager
def _collected() -> Iterator[list[str]]:
    """What the log tells of something unexpected."""
    told: list[str] = []

    class Collected(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                told.append(f"{record.getMessage()}: {record.exc_info[1]!r}")

    handler = Collected()
    log = logging.getLogger("onggi")
    log.addHandler(handler)
    try:
        yield told
    finally:
        log.removeHandler(handler)


def in_its_own_process(who: str, seed: int, count: int) -> Came:
    """What came of so many requests in a new world. What an administrator has removed of the test driver's own is there
    again for the next process alone. Raises BrokenProcessPool when it dies of a request.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_in_one_world, who, seed, count).result()


def _in_one_world(who: str, seed: int, count: int) -> Came:
    log = logging.getLogger("onggi")
    log.propagate = False  # what it would say is collected
    log.addHandler(logging.NullHandler())
    came = Came()
    with tempfile.TemporaryDirectory() as place, marked(Path(place)) as world:
        asyncio.run(Somebody(who, world).ask(str(seed), count, came))
    return came
