"""Events, last outcomes and conditions: what people read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.ledger.history import KEPT_EVENTS
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.records import Origin
from reconciler.planning.ownership import Owned
from reconciler.status.condition import Condition
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref
from tests.applying.world import define, network

LAN, WAN = network("tf-lan"), network("tf-wan")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Ledger:
    return Ledger.open(tmp_path, clock=clock)


def failure(ref: Ref, message: str) -> StepOutcome:
    return StepOutcome(define(ref), Result.FAILED, message, 0.5)


def success(ref: Ref) -> StepOutcome:
    return StepOutcome(define(ref), Result.CREATED)


def texts(ledger: Ledger, ref: Ref | None = None) -> list[tuple[str, str, int]]:
    return [(event.result, event.message, event.count) for event in ledger.history.events(ref=ref)]


def ready(status: bool = True, message: str = "", revision: str = "r1") -> Condition:
    return Condition("Ready", status, "Succeeded" if status else "Failed", message, revision)


def test_an_event_says_what_happened_why_and_who_asked(ledger: Ledger) -> None:
    ledger.history.record([success(LAN)], "main@sha1:1", Origin("api"))
    (event,) = ledger.history.events()
    assert (event.time, event.ref, event.type, event.result) == ("2026-01-31T12:00:00.000Z", LAN, "Normal", "created")
    assert (event.message, event.revision, event.who, event.count) == ("declared", "main@sha1:1", "api", 1)


def test_a_failure_that_repeats_is_counted_and_stands_last(ledger: Ledger, clock: Clock) -> None:
    ledger.history.record([failure(LAN, "no bridge")], "r1")
    ledger.history.record([success(WAN)], "r1")
    clock.later(minutes=5)
    ledger.history.record([failure(LAN, "no bridge")], "r1")
    assert texts(ledger) == [("created", "declared", 1), ("failed", "no bridge", 2)]
    assert ledger.history.events(ref=LAN)[0].time == "2026-01-31T12:05:00.000Z"
    ledger.history.record([failure(LAN, "no bridge")], "r2")
    ledger.history.record([failure(LAN, "no dnsmasq")], "r2")
    assert texts(ledger, LAN) == [("failed", "no bridge", 2), ("failed", "no bridge", 1), ("failed", "no dnsmasq", 1)]


def test_events_are_found_by_object_by_time_and_by_number(ledger: Ledger, clock: Clock) -> None:
    ledger.history.record([success(LAN), success(WAN)], "r1")
    clock.later(hours=1)
    ledger.history.record([failure(LAN, "no bridge")], "r1")
    assert texts(ledger, WAN) == [("created", "declared", 1)]
    assert [event.ref for event in ledger.history.events(limit=2)] == [WAN, LAN]
    assert [event.result for event in ledger.history.events(since=NOON + timedelta(minutes=1))] == ["failed"]


def test_the_last_ten_thousand_events_are_kept(ledger: Ledger) -> None:
    batch = 500
    total = KEPT_EVENTS + 2 * batch + 7
    for first in range(0, total, batch):
        numbers = range(first, min(first + batch, total))
        ledger.history.record([success(network(f"n{number}")) for number in numbers], "r1")
    kept = ledger.history.events(limit=total)
    assert [event.ref.name for event in kept] == [f"n{number}" for number in range(total - KEPT_EVENTS, total)]


def test_what_changed_nothing_is_no_event(ledger: Ledger) -> None:
    ledger.history.record([StepOutcome(define(LAN), Result.UNCHANGED)], "r1")
    assert ledger.history.events() == []


def test_a_condition_keeps_its_time_until_its_status_changes(ledger: Ledger, clock: Clock) -> None:
    ledger.status.note({LAN: (ready(False, "no bridge"),)}, "r1")
    clock.later(minutes=1)
    ledger.status.note({LAN: (ready(False, "no dnsmasq"),)}, "r1")
    assert _only(ledger) == Condition("Ready", False, "Failed", "no dnsmasq", "r1", "2026-01-31T12:00:00.000Z")
    ledger.status.note({LAN: (ready(True),)}, "r2")
    assert _only(ledger) == Condition("Ready", True, "Succeeded", "", "r2", "2026-01-31T12:01:00.000Z")


def test_a_condition_keeps_its_time_across_restarts(tmp_path: Path, clock: Clock) -> None:
    Ledger.open(tmp_path, clock=clock).status.note({LAN: (ready(),)}, "r1")
    clock.later(days=1)
    again = Ledger.open(tmp_path, clock=clock)
    again.status.note({LAN: (ready(),)}, "r1")
    assert _only(again).last_transition_time == "2026-01-31T12:00:00.000Z"


def test_the_observed_revision_is_that_of_the_last_pass_for_all(ledger: Ledger) -> None:
    ledger.status.note({LAN: (ready(),), WAN: (ready(),)}, "r1")
    ledger.status.note({LAN: (ready(),), WAN: (ready(revision="r2"),)}, "r2")
    assert {(status.revision, status.conditions[0].observed_revision) for status in ledger.status.all()} == {
        ("r2", "r2")
    }


def test_an_object_without_conditions_has_no_status_any_more(ledger: Ledger) -> None:
    ledger.status.note({LAN: (ready(),), WAN: (ready(),)}, "r1")
    ledger.status.note({WAN: (ready(),)}, "r1")
    assert ledger.status.of(LAN) is None
    assert [status.ref for status in ledger.status.all()] == [WAN]


def test_a_status_joins_all_that_is_known(ledger: Ledger, tmp_path: Path) -> None:
    ledger.change(own=[Owned(LAN, "uid-1", "nets/lan.yaml")])
    ledger.history.record([failure(LAN, "no bridge")], "r1")
    conditions = (ready(False), Condition("Stalled", True, "BackingOff"))
    ledger.status.note({LAN: conditions}, "r1", {LAN: "active"})
    status = Ledger.open(tmp_path, readonly=True).status.of(LAN)
    assert status is not None
    assert [condition.type for condition in status.conditions] == ["Ready", "Stalled"]
    assert (status.uid, status.path, status.state, status.revision) == ("uid-1", "nets/lan.yaml", "active", "r1")
    assert status.last_outcome is not None
    assert (status.last_outcome.result, status.last_outcome.message) == ("failed", "no bridge")
    assert status.last_outcome.duration_s == 0.5
    ledger.status.note({LAN: conditions}, "r1", {})
    again = ledger.status.of(LAN)
    assert again is not None
    assert again.state == ""


def test_a_pass_without_news_writes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    log = tmp_path / "onggi.db-wal"
    found = {network(f"n{number}"): (ready(),) for number in range(1000)}
    states = dict.fromkeys(found, "active")
    ledger.status.note(found, "r1", states)
    before = log.stat().st_mtime_ns, log.stat().st_size
    ledger.status.note(dict(found), "r1", states)
    assert (log.stat().st_mtime_ns, log.stat().st_size) == before


_CONDITIONS = st.lists(
    st.builds(
        Condition, st.sampled_from(["Ready", "Stalled", "Drifted"]), st.booleans(), st.just("R"), st.sampled_from("ab")
    ),
    min_size=1,
    unique_by=lambda condition: condition.type,
).map(tuple)


@settings(max_examples=50)
@given(passes=st.lists(st.dictionaries(st.sampled_from([LAN, WAN]), _CONDITIONS), min_size=1, max_size=4))
def test_whatever_came_before_the_last_pass_is_what_is_stored(
    tmp_path_factory: pytest.TempPathFactory, passes: list[dict[Ref, tuple[Condition, ...]]]
) -> None:
    folder = tmp_path_factory.mktemp("state")
    with Ledger.open(folder) as ledger:
        for number, found in enumerate(passes):
            ledger.status.note(found, str(number))
    statuses = Ledger.open(folder, readonly=True).status.all()
    stored = {
        status.ref: tuple(Condition(c.type, c.status, c.reason, c.message) for c in status.conditions)
        for status in statuses
    }
    assert stored == passes[-1]


def _only(ledger: Ledger) -> Condition:
    (status,) = ledger.status.all()
    (condition,) = status.conditions
    return condition


def test_who_fails_at_the_same_does_not_take_anothers_place(ledger: Ledger) -> None:
    for who, peer, request in (("api:ada", "192.0.2.1", "r1"), ("api:otto", "192.0.2.2", "r2")):
        for _ in range(2):
            ledger.history.record([failure(LAN, "no")], "r", Origin(who, peer, request))
    told = [(event.who, event.peer, event.request, event.count) for event in ledger.history.events()]
    assert told == [("api:ada", "192.0.2.1", "r1", 2), ("api:otto", "192.0.2.2", "r2", 2)]
