"""The records of drift: when they are written, how they end, and how many are kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.ledger import drift_history as records
from reconciler.ledger.drift_history import Noted
from reconciler.ledger.ledger import Ledger
from reconciler.status.drift import Drift, DriftedField, DriftKind
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


def drift(ref: Ref = LAN, field: str = "/domain", value: Any = "theirs", kind: DriftKind = DriftKind.CHANGED) -> Drift:
    return Drift(ref, kind, "enforce", (DriftedField(field, "ours", value),), digest="d1")


def note(
    ledger: Ledger,
    *found: Drift,
    still: Iterable[tuple[Ref, str]] = (),
    unknown: Iterable[Ref] = (),
    digest: str | None = "d1",
) -> None:
    ledger.drift.note(Noted(found, frozenset(still), frozenset(unknown).__contains__, lambda _: digest))


def changes(ledger: Ledger) -> int:
    """How many rows were written since the file was opened."""
    assert ledger.database.writer is not None
    return ledger.database.writer.total_changes


def test_a_record_says_what_was_found_since_when_and_how_it_ended(ledger: Ledger, clock: Clock) -> None:
    note(ledger, drift())
    clock.later(seconds=5)
    note(ledger, drift())
    clock.later(seconds=5)
    note(ledger)
    [record] = ledger.drift.records(healed=True)
    assert (record.ref, record.field, record.declared, record.found) == (LAN, "/domain", "ours", "theirs")
    assert (record.first_seen, record.last_seen) == ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:05.000Z")
    assert (record.healed_at, record.healed_by) == ("2026-01-31T12:00:10.000Z", "itself")
    assert ledger.drift.records() == []


def test_a_pass_without_news_writes_nothing(ledger: Ledger, clock: Clock) -> None:
    note(ledger, drift())
    before = changes(ledger)
    for _ in range(5):
        clock.later(seconds=10)
        note(ledger, drift())
    assert changes(ledger) == before
    clock.later(seconds=20)
    note(ledger, drift())
    assert changes(ledger) == before + 1
    assert ledger.drift.records()[0].last_seen == "2026-01-31T12:01:10.000Z"


def test_another_value_of_the_same_field_is_the_same_drift(ledger: Ledger) -> None:
    note(ledger, drift())
    note(ledger, drift(value="others"))
    assert [record.found for record in ledger.drift.records(healed=True)] == ["others"]


def test_a_step_that_succeeded_since_it_was_seen_has_healed_it(ledger: Ledger, clock: Clock) -> None:
    note(ledger, drift(), drift(WAN))
    clock.later(seconds=1)
    ledger.history.record(
        [StepOutcome(define(LAN), Result.CONFIGURED), StepOutcome(define(WAN), Result.FAILED, "no")], "r"
    )
    note(ledger)
    assert {record.ref: record.healed_by for record in ledger.drift.records(healed=True)} == {
        LAN: "onggi",
        WAN: "itself",
    }


def test_a_repair_that_was_undone_has_healed_nothing(ledger: Ledger, clock: Clock) -> None:
    note(ledger, drift())
    ledger.history.record([StepOutcome(define(LAN), Result.CONFIGURED)], "r")
    clock.later(seconds=1)
    note(ledger, drift())
    clock.later(seconds=1)
    note(ledger)
    assert ledger.drift.records(healed=True)[0].healed_by == "itself"


def test_a_restart_in_between_forgets_nothing(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    note(ledger, drift())
    clock.later(seconds=1)
    ledger.history.record([StepOutcome(define(LAN), Result.CONFIGURED)], "r")
    ledger.close()
    with Ledger.open(tmp_path, clock=clock) as again:
        note(again)
        assert again.drift.records(healed=True)[0].healed_by == "onggi"


@pytest.mark.parametrize("digest", ["d2", None], ids=["edited", "removed"])
def test_a_document_that_was_edited_or_removed_has_healed_it(digest: str | None, ledger: Ledger) -> None:
    note(ledger, drift())
    note(ledger, digest=digest)
    assert ledger.drift.records(healed=True)[0].healed_by == "document"


def test_what_a_step_is_still_to_change_and_what_nobody_judged_stays_open(ledger: Ledger) -> None:
    note(ledger, drift(), drift(WAN))
    note(ledger, still=[(LAN, "/domain")], unknown=[WAN])
    assert {record.ref for record in ledger.drift.records()} == {LAN, WAN}


def test_extras_are_no_records(ledger: Ledger) -> None:
    note(ledger, drift(kind=DriftKind.EXTRA))
    assert ledger.drift.records(healed=True) == []


def test_a_huge_value_is_cut_and_any_value_comes_back(ledger: Ledger) -> None:
    note(ledger, drift(field="/a", value="x" * 100_000), drift(field="/b", value={"list": [1, None, "ü"]}))
    cut, kept = ledger.drift.records()
    assert len(cut.found) < 3000
    assert cut.found.endswith("…")
    assert kept.found == {"list": [1, None, "ü"]}


def test_the_oldest_that_are_over_go_first(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "KEPT_RECORDS", 5)
    note(ledger, drift(field="/goes-on"))
    for number in range(8):
        note(ledger, drift(field="/goes-on"), drift(field=f"/{number}"))
    kept = [record.field for record in ledger.drift.records(healed=True)]
    assert kept == ["/goes-on", "/4", "/5", "/6", "/7"]


def test_records_that_ended_long_ago_can_be_left_out(ledger: Ledger, clock: Clock) -> None:
    note(ledger, drift(field="/old"), drift(field="/goes-on"))
    note(ledger, drift(field="/goes-on"))
    clock.later(hours=2)
    recent = ledger.drift.records(healed=True, since=NOON + timedelta(hours=1))
    assert [record.field for record in recent] == ["/goes-on"]
