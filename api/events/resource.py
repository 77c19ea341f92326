"""/events: what was done, failed or was skipped, as a list and as a stream of server-sent events.

A stream begins with what comes next, or behind the event that `Last-Event-ID` names. It ends with the server, and with
the session, the role or the account of who reads it: that is asked before each event. Each reads for itself at its
client's pace: nothing is queued for one that is slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final

import falcon.asgi
from falcon.asgi import SSEvent

from api.events.moments import moment
from api.events.view import EVENT
from api.http.endpoint import OURS, Resource, raw
from api.http.filters import BUDGET, Filter, check_few, filtered
from api.http.peer import real_peer
from api.http.quota import Quota
from api.http.refusal import Refusal, bad
from api.http.responder import JSON_TYPE, client_of, to_json
from api.http.schema import arr, integer, text
from api.http.shutdown import disconnected_of, shutdown_of
from api.http.standing import Standing
from api.services import Services
from reconciler.clock import rfc3339, utc_now
from reconciler.errors import OnggiError
from reconciler.identity.role import Role
from reconciler.ledger.history import KEPT_EVENTS
from reconciler.ledger.history_store import HistoryStore
from reconciler.ledger.records import Event
from reconciler.reporting.status_text import event_json
from reconciler.serving.client import Client
from reconciler.serving.seen_events import SeenEvents
from specs.plain import NewJson

_MOST_STREAMS: Final = 64
_LOOK_S: Final = 0.25
_HEARTBEAT_S: Final = 15.0
_AGAIN_MS: Final = 2000
_LIMIT: Final = 100
_STREAM: Final = "text/event-stream"
_OWN: Final = frozenset({"limit", "since", "follow"})
_LONGEST_NUMBER: Final = 18
_LOOK_BUDGET: Final = BUDGET // 50  # each event's, for each of many streams


class Events(Resource):
    """The list, and its stream."""

    address = "/events"
    tag = "Reports"
    since = OURS

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._streams = Quota()

    @raw(
        "GET", "What was done, failed or was skipped, oldest first.", arr(EVENT),
        query={
            "limit": integer("At most so many, the newest.", minimum=1, maximum=KEPT_EVENTS, default=_LIMIT),
            "since": text("Only since then: 10m ago, or a moment in RFC 3339.", examples=["10m"]),
            **{
                name: text(f"Only those whose `{name}` matches.")
                for name in ("kind", "name", "type", "result", "who", "revision", "peer", "requestId")
            },
        },
        statuses=(503,), also=(_STREAM,),
        description="With `Accept: text/event-stream` a stream of server-sent events, each with the JSON of an event"
        " as its data. It goes on behind `Last-Event-ID`, and tells that it lives every 15 seconds.",
        role=Role.USER, theirs="Users read of their machines.",
    )  # fmt: skip
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """200, or 400, or 503."""
        wanted = {name: request.get_param_as_list(name) or [""] for name in request.params if name not in _OWN}
        if _wants_stream(request):
            await self._follow(request, response, wanted)
            return
        limit, since = _limit(request.get_param("limit")), request.get_param("since")
        start = moment(since) if since is not None else None
        found = await asyncio.to_thread(self._found, client_of(request), KEPT_EVENTS if wanted else limit, start)
        response.content_type = JSON_TYPE
        response.set_header("Cache-Control", "no-cache")
        fitting = await filtered(map(event_json, found), wanted, real_peer(request))
        response.data = to_json(fitting[-limit:])

    def _found(self, client: Client, limit: int, start: datetime | None) -> list[Event]:
        history, sight = self.serving.ledger.history, self.serving.sight(client)
        seen = SeenEvents(sight, history)
        if sight.is_whole:
            return [event for _, event in seen.of((0, each) for each in history.events(limit, None, start))]
        return [event for event in seen.all() if start is None or event.time >= rfc3339(start)]

    async def _follow(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, wanted: Mapping[str, Sequence[str]]
    ) -> None:
        check_few(wanted)
        who = real_peer(request)
        self._check_free(who)
        fitting = await asyncio.to_thread(Filter, wanted)
        serving, standing = self.serving, Standing(self.services, request)
        history = serving.ledger.history
        if not serving.sight(standing.client).is_whole:
            serving.world  # noqa: B018  # what is theirs is told of it: said now, and not by silence
        last = request.get_header("Last-Event-ID") or ""
        known = int(last) if last.isascii() and last.isdecimal() and len(last) <= _LONGEST_NUMBER else None
        after = await asyncio.to_thread(history.newest)
        after = min(known, after) if known is not None else after
        news = await asyncio.to_thread(_News, history, after)
        self._check_free(who)  # many may have been waiting for all that; nothing is waited for after it
        response.set_header("Cache-Control", "no-store")
        response.set_header("X-Accel-Buffering", "no")  # a proxy that keeps it back would make it useless
        told = self._told(
            lambda: SeenEvents(serving.sight(standing.client), history),
            standing,
            news,
            fitting,
            shutdown_of(request),
            disconnected_of(request),
        )
        response.sse = self._counted(who, told)

    def _check_free(self, who: str) -> None:
        if not self._streams.has_room(who, _MOST_STREAMS):
            raise Refusal(503, "Too many streams of events are open already; close one, or ask for the list.")

    async def _counted(self, who: str, told: AsyncGenerator[SSEvent | None, None]) -> AsyncIterator[SSEvent | None]:
        if not self._streams.acquire(who, _MOST_STREAMS):
            return
        try:
            async with aclosing(told):
                async for event in told:
                    yield event
        finally:
            self._streams.release(who)

    @staticmethod
    async def _told(
        seen: Callable[[], SeenEvents],
        standing: Standing,
        news: _News,
        fitting: Filter,
        closing: asyncio.Event,
        gone: asyncio.Event,
    ) -> AsyncGenerator[SSEvent | None, None]:
        yield SSEvent(retry=_AGAIN_MS, comment="events follow")
        quiet_s = 0.0
        while not (closing.is_set() or gone.is_set()) and await standing.holds():
            try:
                found = await asyncio.to_thread(news.next, seen(), fitting)
            except Refusal as refusal:
                yield SSEvent(comment=refusal.reason)
                return
            for number, event, told in found:
                if not await standing.holds():  # a slow client may be long at one
                    return
                if seen().sees(event):
                    quiet_s = 0.0
                    yield SSEvent(data=to_json(told).replace(b"\n", b""), event="event", event_id=str(number))
            if quiet_s >= _HEARTBEAT_S:
                quiet_s = 0.0
                yield None  # falcon makes a comment of it
            try:
                await asyncio.wait_for(closing.wait(), _LOOK_S)
            except TimeoutError:
                quiet_s += _LOOK_S


class _News:
    """What is new at each look. A repeated failure, which is counted where it was told, is told again."""

    def __init__(self, history: HistoryStore, after: int) -> None:
        self._history = history
        self._after = after
        self._since = rfc3339(utc_now())
        self._counts = {number: event.count for number, event in history.news(after, self._since) if number <= after}

    def next(self, seen: SeenEvents, fitting: Filter) -> list[tuple[int, Event, NewJson]]:
        """Those that the client may read and that fit, oldest first, each with what is told of it; nothing while the
        state can't be read.
        """
        try:
            found = self._history.news(self._after, self._since)
            fresh = seen.of(each for each in found if self._counts.get(each[0]) != each[1].count)
        except OnggiError:
            return []
        if found:
            self._after = max(self._after, found[-1][0])
            self._since = max(self._since, *(event.time for _, event in found))
            self._counts = {number: event.count for number, event in found if event.time == self._since}
        return [
            (number, event, told) for number, event in fresh for told in fitting.of([event_json(event)], _LOOK_BUDGET)
        ]


def _wants_stream(request: falcon.asgi.Request) -> bool:
    follow = request.get_param_as_bool("follow", default=None, blank_as_true=True)
    if follow is not None:
        return bool(follow)
    kinds = [each.partition(";")[0].strip().lower() for each in (request.get_header("Accept") or "").split(",")]
    return _STREAM in kinds


def _limit(written: str | None) -> int:
    if written is None:
        return _LIMIT
    number = int(written) if written.isascii() and written.isdecimal() and len(written) <= _LONGEST_NUMBER else 0
    if not 1 <= number <= KEPT_EVENTS:
        raise bad("KCHAPI0001E", f"`limit` is a number from 1 to {KEPT_EVENTS}.")
    return number
