"""What a filter finds, and that none of them costs more than it may, whatever somebody writes."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import httpx
import pytest

from api.http import filters
from api.http.filters import LONGEST, MOST, Filter
from api.http.quota import Quota, most_of_one
from api.http.refusal import Refusal
from tests.api.live import LiveApi, whole_api
from tests.lab.waiting import until

MEMBERS = [
    {"name": "web-1", "cpus": 2, "active": True, "tags": ["a", "blue"], "note": None},
    {"name": "db", "cpus": 16, "active": False, "tags": [], "note": "web behind"},
]
SEED = 20_261_130


def names(**wanted: str) -> list[str]:
    return [each["name"] for each in Filter({name: [value] for name, value in wanted.items()}).of(MEMBERS)]


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("name", "web-1", ["web-1"]),
        ("name", "eb", ["web-1"]),
        ("name", "^web-[0-9]+$", ["web-1"]),
        ("name", r"\pL+", ["web-1", "db"]),
        ("name", "[", []),
        ("name", "(a)(b", []),
        ("cpus", "2", ["web-1"]),
        ("cpus", "^1", ["db"]),
        ("active", "true", ["web-1"]),
        ("tags", "blue", ["web-1"]),
        ("note", "null", ["web-1"]),
        ("note", "behind", ["db"]),
        ("none", "", []),
        ("name", "x" * 10_000, []),
        ("cpus", "1e999", []),
    ],
)
def test_a_field_is_it_holds_it_or_begins_so(field: str, value: str, found: list[str]) -> None:
    assert names(**{field: value}) == found


def test_a_request_has_few_values() -> None:
    Filter({"name": ["a"] * MOST})
    with pytest.raises(Refusal, match=f"at most {MOST} values"):
        Filter({"name": ["a"] * MOST, "state": ["b"]})


@pytest.mark.parametrize("expression", [r"(\pL{30}){30}", r"\pL" * 40, r"(?:[^\pL]{9}){9}", r"(.{0,300}x){3}"])
def test_an_expression_that_becomes_large_is_refused(expression: str) -> None:
    assert len(expression) <= LONGEST
    with pytest.raises(Refusal, match="too large"):
        Filter({"name": [expression]})


def test_what_is_searched_costs_no_more_than_it_may() -> None:
    heavy = Filter({"name": [r"(.{0,50}x){2}y"]})
    assert heavy.of([{"name": "ab"}] * 100) == []
    with pytest.raises(Refusal, match="simpler ones"):
        heavy.of({"name": "ab" * 50_000} for _ in range(1_000_000))  # it ends long before they do


def test_whatever_is_written_as_an_expression_is_compiled_small_or_refused() -> None:
    """Two thousand expressions of pieces that make large ones."""
    pieces = (
        r"\pL", r"(?i)", ".{0,50}", "a?", "(a|ab|.)*", r"[^\pL]", "x{900}", r"(\w+\s*)*", "(", ")", "{0,9}", ".*", "|",
        "$", r"\b", "é", "\\", "[", "]", "{999}", "\x00",
    )  # fmt: skip
    chance = random.Random(SEED)
    for _ in range(2_000):
        expression = "".join(chance.choices(pieces, k=chance.randint(1, 60)))[:LONGEST]
        try:
            fitting = Filter({"name": [expression]})
        except Refusal:
            continue
        sizes = [test._pattern.programsize for each in fitting._tests.values() for test in each if test._pattern]
        assert all(size * 8 <= filters._OPTIONS.max_mem for size in sizes), expression
        fitting.of(MEMBERS)


def test_nobody_has_all_places() -> None:
    places = Quota()
    assert [places.acquire("one", 4) for _ in range(4)] == [True, True, True, False]
    assert places.acquire("other", 4)
    assert not places.has_room("third", 4)
    places.release("one")
    assert places.acquire("third", 4)
    assert [places.acquire("one", 1) for places in (Quota(),)] == [True]


# Served


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with whole_api(tmp_path_factory.mktemp("filters")) as running:
        yield running


def test_hundreds_of_large_expressions_are_refused(api: LiveApi) -> None:
    for query in (
        "&".join([r"name=(\pL{30}){30}"] * 700),
        "&".join([f"name={'(a|b)' * 20}"] * 600),
        r"name=(\pL{30}){30}",
        "&".join(f"f{number}=x" for number in range(100)),
    ):
        asked = HTTPConnection(api.client.base_url.host, api.client.base_url.port or 80, timeout=60)
        asked.request("GET", f"/vms?{query}")
        answer = asked.getresponse()
        assert answer.status in (400, 414)
        assert json.load(answer).keys() == {"code", "reason"}
        asked.close()
    assert api.client.get("/events", params={"follow": "true", "name": [".*"] * 17}).status_code == 400
    assert api.client.get("/events", params={"follow": "true", "name": r"(\pL{30}){30}"}).status_code == 400


def test_who_filters_keeps_nobody_waiting_who_does_not(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(value: str) -> None:
        begun.set()
        may_end.wait(120)

    monkeypatch.setattr(filters, "_compiled", slow)
    monkeypatch.setattr(filters, "_WAITING", 32)
    places = most_of_one(32)
    statuses: list[int] = []
    many = [
        threading.Thread(target=lambda: statuses.append(httpx.get(f"{api.url}/vms?name=x", timeout=120).status_code))
        for _ in range(places + 4)
    ]
    try:
        for each in many:
            each.start()
        assert begun.wait(60)
        until(lambda: statuses == [503] * 4, 60, "more than may wait are sent away at once")
        for path in ("/healthz", "/vms", "/events", "/networks"):
            assert httpx.get(f"{api.url}{path}", timeout=60).status_code == 200
    finally:
        may_end.set()
        for each in many:
            each.join(60)
    assert sorted(statuses) == [200] * places + [503] * 4


def test_a_crowd_behind_one_address_is_answered(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd, may_end, statuses = 64, threading.Event(), list[int]()
    monkeypatch.setattr(filters, "_compiled", lambda _value: may_end.wait(120) and None)
    many = [
        threading.Thread(target=lambda: statuses.append(httpx.get(f"{api.url}/vms?name=x", timeout=120).status_code))
        for _ in range(crowd)
    ]
    try:
        for each in many:
            each.start()
        until(lambda: bool(statuses) or filters._places._held.total() == crowd, 60, "all wait, or somebody needn't")
    finally:
        may_end.set()
        for each in many:
            each.join(60)
    assert statuses == [200] * crowd
