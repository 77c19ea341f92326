"""/events: the list, and the stream of server-sent events."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libvirt
import pytest

from api.events import resource
from tests.api.live import LiveApi
from tests.lab.waiting import until

STREAM = {"Accept": "text/event-stream"}


def make_network(api: LiveApi, name: str, number: int) -> None:
    body = {"name": name, "connection": "isolated", "subnet": f"192.168.{number}.0/24"}
    assert api.client.post("/networks", json=body).status_code == 201


class Follower:
    """Reads a stream in the background. `events` are (id, data)."""

    def __init__(self, api: LiveApi, headers: dict[str, str] | None = None, query: str = "") -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[str] = []
        self.ended = threading.Event()
        self.opened = threading.Event()
        self._connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=60)
        self._connection.request("GET", f"/events{query}", headers=STREAM | (headers or {}))
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        number = ""
        with contextlib.suppress(OSError, http.client.HTTPException):
            response = self._connection.getresponse()
            assert response.headers["content-type"].startswith("text/event-stream")
            while line := response.readline().decode():
                self.lines.append(line.strip())
                self.opened.set()
                if line.startswith("id: "):
                    number = line.removeprefix("id: ").strip()
                if line.startswith("data: "):
                    self.events.append((number, json.loads(line.removeprefix("data: "))))
        self.ended.set()

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):  # it has
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._connection.close()


@contextmanager
def following(api: LiveApi, **more: Any) -> Iterator[Follower]:
    follower = Follower(api, **more)
    try:
        assert follower.opened.wait(60)
        yield follower
    finally:
        follower.close()


def names(api: LiveApi, **query: str) -> list[str]:
    return [each["name"] for each in api.client.get("/events", params=query).json()]


def test_events_are_listed_oldest_first_and_filtered(api: LiveApi) -> None:
    for number, name in enumerate(("a", "b", "c")):
        make_network(api, name, 100 + number)
    (first, *_) = told = api.client.get("/events").json()
    assert [each["name"] for each in told] == ["a", "b", "c"]
    assert (first["kind"], first["type"], first["result"], first["who"]) == (
        "Network",
        "Normal",
        "created",
        "reconcile",
    )
    assert names(api, limit="2") == ["b", "c"]
    assert names(api, name="^b", since="1h") == ["b"]
    assert names(api, since="2999-01-01T00:00:00+01:00") == []
    assert names(api, colour="red") == []


def test_what_was_asked_for_says_by_whom(api: LiveApi, hand: libvirt.virConnect) -> None:
    hand.networkDefineXML("<network><name>byhand</name></network>")
    until(lambda: api.client.get("/networks/byhand").status_code == 200, 60, "it is seen")
    assert api.client.delete("/networks/byhand", headers={"X-Request-Id": "r-17"}).status_code == 204
    (told,) = api.client.get("/events?name=byhand").json()
    assert (told["result"], told["who"]) == ("deleted", "api:api")
    assert (told["peer"], told["requestId"]) == (f"user {os.getuid()}", "r-17")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=10001", "since=yesterday", "since=", "limit="])
def test_what_makes_no_sense_is_400(api: LiveApi, query: str) -> None:
    assert api.client.get(f"/events?{query}").status_code == 400


def test_a_stream_tells_what_comes_next(api: LiveApi) -> None:
    make_network(api, "before", 100)
    with following(api) as follower:
        make_network(api, "after", 101)
        until(lambda: follower.events, 60, "the event comes")
        assert [told["name"] for _, told in follower.events] == ["after"]
        assert "retry: 2000" in follower.lines


def test_a_stream_goes_on_behind_the_last_event(api: LiveApi) -> None:
    with following(api) as follower:
        make_network(api, "a", 100)
        until(lambda: follower.events, 60, "the event comes")
        ((number, _),) = follower.events
    make_network(api, "b", 101)
    with following(api, headers={"Last-Event-ID": number}) as follower:
        until(lambda: follower.events, 60, "what was missed comes")
        assert [told["name"] for _, told in follower.events] == ["b"]


def test_a_stream_may_be_asked_for_by_the_address_and_filtered(api: LiveApi) -> None:
    with following(api, headers={"Accept": "*/*"}, query="?follow=true&name=b") as follower:
        make_network(api, "a", 100)
        make_network(api, "b", 101)
        until(lambda: follower.events, 60, "the event comes")
        assert [told["name"] for _, told in follower.events] == ["b"]


def test_streams_are_bounded_and_given_back(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "_MOST_STREAMS", 1)
    with following(api):
        refused = api.client.get("/events", headers=STREAM)
        assert (refused.status_code, refused.json()["code"]) == (503, "503 Service Unavailable")
        assert api.client.get("/events").status_code == 200

    def again() -> bool:
        with api.client.stream("GET", "/events", headers=STREAM) as response:
            return response.status_code == 200

    until(again, 60, "there is room again")


def test_a_quiet_stream_tells_that_it_lives(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "_HEARTBEAT_S", 0.25)
    with following(api) as follower:
        until(lambda: sum(line.startswith(":") for line in follower.lines) > 2, 60, "comments come")
        assert follower.events == []
