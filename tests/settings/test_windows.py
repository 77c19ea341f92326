"""Sync windows: the law that they follow, and the days on which a clock is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import SettingsError
from reconciler.settings.windows import OutsideWindow, SyncWindow, WindowClock, parse_window, state_at

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Seoul", "America/St_Johns")
# Days around both changes of the clock, and an ordinary one.
DAYS = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2026-11-24")

schedules = st.tuples(
    st.sampled_from(["0", "30", "*/20", "5-50/15", "*"]),
    st.sampled_from(["*", "0", "2", "*/5", "22", "9-17"]),
    st.sampled_from(["*", "1", "29"]),
    st.just("*"),
    st.sampled_from(["*", "0", "1-5"]),
).map(" ".join)
windows = st.builds(
    SyncWindow,
    kind=st.sampled_from(["allow", "deny"]),
    schedule=schedules,
    duration_s=st.sampled_from([60.0, 600.0, 3600.0, 5400.0, 28_800.0, 172_800.0]),
    timezone=st.sampled_from(ZONES),
)
moments = st.builds(
    lambda day, seconds: datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(seconds=seconds),
    st.sampled_from(DAYS),
    st.integers(0, 2 * 86_400),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def open_by_counting(window: SyncWindow, at: datetime) -> bool:
    """Every opening since long before, one after the other."""
    for tick in CronSim(window.schedule, (at - window.duration - timedelta(days=1)).astimezone(window.zone)):
        opened = tick.astimezone(UTC)
        if opened > at:
            return False
        if opened + window.duration > at:
            return True
    return False


@settings(deadline=None, max_examples=60)
@given(st.lists(windows, max_size=3), moments)
def test_deny_wins_and_outside_of_all_allows_is_closed(found: list[SyncWindow], at: datetime) -> None:
    denied = any(open_by_counting(window, at) for window in found if window.kind == "deny")
    allows = [window for window in found if window.kind == "allow"]
    allowed = not allows or any(open_by_counting(window, at) for window in allows)
    assert state_at(found, at).open is (allowed and not denied)


@settings(deadline=None, max_examples=60)
@given(st.lists(windows, max_size=3), moments, st.data())
def test_a_state_holds_until_the_moment_that_it_names_and_changes_then(
    found: list[SyncWindow], at: datetime, data: st.DataObject
) -> None:
    state = state_at(found, at)
    if state.until is not None:
        assert state.until > at
        assert state_at(found, state.until).open is not state.open
    horizon = state.looked_until or at + timedelta(days=400)
    between = at + timedelta(seconds=data.draw(st.floats(0, 0.999))) * ((horizon - at).total_seconds())
    assert state_at(found, between).open is state.open


@settings(deadline=None, max_examples=60)
@given(st.lists(windows, max_size=3), moments)
def test_a_closed_state_tells_why_and_an_open_one_is_silent(found: list[SyncWindow], at: datetime) -> None:
    state = state_at(found, at)
    assert (state.reason == "") is state.open
    if state.open:
        state.refuse()
    else:
        with pytest.raises(OutsideWindow, match="--outside-window"):
            state.refuse()


def test_without_windows_changes_are_always_made() -> None:
    state = state_at([], utc("2026-11-24T12:00"))
    assert (state.open, state.until, state.looked_until) == (True, None, None)


def test_a_window_across_midnight_is_open_on_both_sides_of_it() -> None:
    night = [parse_window("allow 0 22 * * 1-5 4h Europe/Berlin")]
    assert not state_at(night, utc("2026-11-24T20:59:59")).open
    assert state_at(night, utc("2026-11-24T21:00")).open
    assert state_at(night, utc("2026-11-25T00:30")).until == utc("2026-11-25T01:00")
    assert not state_at(night, utc("2026-11-25T01:00")).open


def test_an_opening_that_the_clock_jumps_over_is_made_right_after_it() -> None:
    early = [parse_window("allow 30 2 * * * 1h Europe/Berlin")]
    assert not state_at(early, utc("2026-03-29T00:59:59")).open
    assert state_at(early, utc("2026-03-29T01:00")).until == utc("2026-03-29T02:00")


def test_an_hour_that_comes_twice_opens_a_daily_window_once() -> None:
    early = [parse_window("allow 30 2 * * * 30m Europe/Berlin")]
    opened = [state_at(early, utc("2026-10-25T00:00") + timedelta(minutes=minute)).open for minute in range(180)]
    assert opened.count(True) == 30
    assert opened.index(True) == 30


def test_a_duration_is_real_time_when_the_clock_is_put_back() -> None:
    night = [parse_window("allow 0 0 * * 0 4h Europe/Berlin")]
    assert state_at(night, utc("2026-10-24T23:00")).until == utc("2026-10-25T02:00")  # 03:00 on the wall


def test_a_month_long_freeze_is_known_until_its_last_second() -> None:
    freeze = [parse_window("deny 0 0 1 12 * 31d")]
    assert not state_at(freeze, utc("2026-12-31T23:59:59")).open
    assert state_at(freeze, utc("2027-01-01T00:00")).open


def test_the_next_opening_is_told_in_the_zone_of_its_window() -> None:
    state = state_at([parse_window("allow 0 22 * * * 1h Europe/Berlin")], utc("2026-11-24T12:00"))
    assert state.reason == (
        "no sync window that allows changes is open; changes are applied again from 2026-11-24T22:00+01:00"
    )
    denied = state_at([parse_window("deny 0 9 * * 1-5 8h Asia/Seoul")], utc("2026-11-24T02:00"))
    assert denied.reason == (
        "the sync window deny '0 9 * * 1-5' for 8h (Asia/Seoul) is open; changes are applied again from "
        "2026-11-24T17:00+09:00"
    )


def test_a_clock_asks_again_when_a_window_opens_and_when_time_was_put_back() -> None:
    now = utc("2026-11-24T11:59")
    clock = WindowClock([parse_window("allow 0 12 * * * 1h")], lambda: now)
    assert not clock.state().open
    assert clock.due_s() == 60.0
    now = utc("2026-11-24T12:00")
    assert clock.state().open
    assert clock.due_s() == 3600.0
    now = utc("2026-11-24T11:00")
    assert not clock.state().open


def test_a_table_and_a_text_say_the_same() -> None:
    table = {"kind": "deny", "schedule": "0 9 * * MON-FRI", "duration": "8h", "timezone": "Asia/Seoul"}
    assert parse_window(table) == parse_window("deny 0 9 * * MON-FRI 8h Asia/Seoul")
    assert parse_window("allow  0 22 * * *  90m").timezone == "UTC"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("allow 0 22 * * 4h", "five cron fields"),
        ("maybe 0 22 * * * 4h", "give allow or deny"),
        ("allow 61 22 * * * 4h", "isn't a cron schedule"),
        ("allow 0 0 30 2 * 4h", "isn't a cron schedule"),
        ("allow 0 22 * * * soon", "isn't a length of time"),
        ("allow 0 22 * * * 5s", "between 1m and 31d"),
        ("allow 0 22 * * * 4h Mars/Olympus", "isn't a time zone"),
        ("allow 0 22 * * * 4h ../../etc/hostname", "isn't a time zone"),
        ({"kind": "allow", "schedule": "0 0 0 22 * *", "duration": "1h"}, "it has five fields"),
        ({"kind": "allow", "schedule": "@daily", "duration": "1h"}, "it has five fields"),
        ({"kind": "allow", "duration": "1h"}, "lacks schedule"),
        ({"kind": "allow", "cron": "0 22 * * *", "duration": "1h"}, "unknown key 'cron'"),
        ({"kind": "allow", "schedule": "0 22 * * *", "duration": 3600}, "are texts"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_window_that_cannot_be_is_refused_with_a_sentence(wrong: dict[str, object] | str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        parse_window(wrong)
