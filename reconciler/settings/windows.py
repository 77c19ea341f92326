"""Sync windows: when a host may be changed by itself, and when not. Pure: the time is handed in.

A window opens at each time that its cron schedule names and stays open for its duration. A deny window that is open
wins over every allow window; as soon as there is an allow window, whatever lies outside of all of them is closed.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from reconciler.duration import seconds
from reconciler.errors import SettingsError, Terminal

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ALLOW: Final = "allow"
DENY: Final = "deny"

_FIELDS: Final = 5
_LONGEST_S: Final = 31 * 86_400.0
_SHORTEST_S: Final = 60.0  # cron's own grain
# How far the next change is looked for; after that somebody has to ask again.
_MOST_TICKS: Final = 3_000
_FURTHEST: Final = timedelta(days=400)
_KEYS: Final = ("kind", "schedule", "duration", "timezone")
_TEXT = re.compile(r"(\S+)((?:\s+\S+){5})\s+(\S+)(?:\s+(\S+))?")


class OutsideWindow(Terminal):
    """Nothing may be changed now; the sentence says until when."""


@dataclass(frozen=True)
class SyncWindow:
    """`kind` is allow or deny, `schedule` cron's five fields in `timezone`. Raises SettingsError for what can't be."""

    kind: str
    schedule: str
    duration_s: float
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if self.kind not in (ALLOW, DENY):
            raise SettingsError(f"{self.kind!r} isn't a kind of sync window; give allow or deny.")
        if not _SHORTEST_S <= self.duration_s <= _LONGEST_S:
            raise SettingsError(f"A sync window lasts {self.duration_s:g} s; give between 1m and 31d.")
        try:
            _ = self.zone
        except (KeyError, ValueError, OSError):
            raise SettingsError(
                f"{self.timezone!r} isn't a time zone; give one such as Europe/Berlin or UTC."
            ) from None
        reason = "it has five fields" if len(self.schedule.split()) != _FIELDS else ""
        try:
            if not reason:
                next(_ticks(self.schedule, datetime(2024, 1, 1, tzinfo=UTC)))
        except ValueError as error:
            reason = str(error)
        except StopIteration:
            reason = "it names a day that never comes"
        if reason:
            raise SettingsError(
                f"{self.schedule!r} isn't a cron schedule ({reason}); give minute, hour, day of month, month and day "
                "of week, as in '0 22 * * 1-5'."
            )

    def __str__(self) -> str:
        return f"{self.kind} {self.schedule!r} for {_length(self.duration_s)} ({self.timezone})"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone in which the schedule is read."""
        from zoneinfo import ZoneInfo  # few have windows, and it brings along how Python was compiled

        return ZoneInfo(self.timezone)

    @property
    def duration(self) -> timedelta:
        """How long it stays open: real time, also where a clock is put forward or back meanwhile."""
        return timedelta(seconds=self.duration_s)

    def is_open(self, at: datetime) -> bool:
        """True while one of its openings lasts at `at` (aware)."""
        opened = self._opened(at)
        return opened is not None and opened + self.duration > at

    def changes(self, after: datetime) -> Iterator[tuple[datetime, bool | None]]:
        """When it opens (True) and closes (False) after `after`, in UTC; openings that touch are one.

        None marks how far was looked, when it doesn't end of its own.
        """
        opened = self._opened(after)
        end = opened + self.duration if opened is not None else after
        if opened is not None and end > after:
            ticks = _ticks(self.schedule, opened.astimezone(self.zone))
        else:
            end, ticks = after, _ticks(self.schedule, after.astimezone(self.zone))
            if (opened := next(ticks, None)) is None:
                return
            end = opened + self.duration
            yield opened, True
        for tick in islice(ticks, _MOST_TICKS):
            if tick > end:
                yield end, False
                if tick > after + _FURTHEST:
                    yield end, None
                    return
                yield tick, True
            end = tick + self.duration
        yield end, None

    def _opened(self, at: datetime) -> datetime | None:
        """The last opening not later than `at`, in UTC."""
        found, back = None, at
        while found is None:
            before = next(_ticks(self.schedule, back.astimezone(self.zone), reverse=True), None)
            if before is None:
                return None
            # In the hour that comes twice a local time may name a later moment; from further back it can't.
            found = before if before <= at else None
            back -= timedelta(hours=2)
        # Going back, a time that the clock jumps over isn't seen; going on from there it is.
        for tick in _ticks(self.schedule, found.astimezone(self.zone)):
            if tick > at:
                break
            found = tick
        return found


@dataclass(frozen=True, slots=True)
class WindowState:
    """Whether the host may be changed, until when that holds (UTC; None: for as long as was looked ahead), and why."""

    open: bool
    until: datetime | None
    looked_until: datetime | None  # how far `until` was looked for; None: for good
    window: SyncWindow | None = None  # the deny window that closes, or the allow window that opens next

    @property
    def reason(self) -> str:
        """A sentence without a full stop for a closed state; it stays the same as long as the state does."""
        if self.open:
            return ""
        if self.window is not None and self.window.kind == DENY:
            cause = f"the sync window {self.window} is open"
        else:
            cause = "no sync window that allows changes is open"
        if self.until is None:
            return f"{cause}, and no end of that is in sight"
        zone = self.window.zone if self.window is not None else UTC
        return f"{cause}; changes are applied again from {self.until.astimezone(zone).isoformat(timespec='minutes')}"

    def refuse(self) -> None:
        """Raises OutsideWindow when it is closed."""
        if not self.open:
            raise OutsideWindow(
                f"Nothing is applied now: {self.reason}. Wait for that, or say --outside-window to do it nevertheless."
            )


def state_at(windows: Iterable[SyncWindow], now: datetime) -> WindowState:
    """Whether changes may be made at `now` (aware), and when that changes next."""
    windows, now = tuple(windows), now.astimezone(UTC)
    found = {window: window.is_open(now) for window in windows}
    state = _allows(found)
    before = dict(found)
    moments = heapq.merge(*(_of(window, now) for window in found), key=itemgetter(0))
    for moment, together in groupby(moments, key=itemgetter(0)):
        for _, window, opens in together:
            if opens is None:
                return WindowState(state, None, moment, _deciding(before, found, state))
            found[window] = opens
        if _allows(found) is not state:
            return WindowState(state, moment, moment, _deciding(before, found, state))
    return WindowState(state, None, None, _deciding(before, found, state))


class WindowClock:
    """The state of some windows now, asked again and again: it is computed anew only when it may have changed."""

    def __init__(self, windows: Iterable[SyncWindow], now: Callable[[], datetime]) -> None:
        self._windows = tuple(windows)
        self._now = now
        self._known: tuple[datetime, WindowState] | None = None

    def state(self) -> WindowState:
        """The state at this moment. A clock that was put back is noticed."""
        now = self._now()
        if self._known is not None:
            asked, state = self._known
            if asked <= now and (state.looked_until is None or now < state.looked_until):
                return state
        state = state_at(self._windows, now)
        self._known = (now, state)
        return state

    def due_s(self) -> float | None:
        """Seconds until it is worth asking again; None: nothing will change."""
        until = self.state().looked_until
        return max((until - self._now()).total_seconds(), 0.0) if until is not None else None


def parse_window(value: Mapping[str, Any] | str) -> SyncWindow:
    """A table of the settings file, or a text such as `allow 0 22 * * 1-5 4h Europe/Berlin`. Raises SettingsError."""
    if isinstance(value, str):
        match = _TEXT.fullmatch(value.strip())
        if match is None:
            raise SettingsError(
                f"{value!r} isn't a sync window; give kind, five cron fields, duration and perhaps a time zone, "
                "as in 'allow 0 22 * * 1-5 4h Europe/Berlin'."
            )
        return SyncWindow(match[1], " ".join(match[2].split()), seconds(match[3]), match[4] or "UTC")
    if unknown := sorted(value.keys() - set(_KEYS)):
        raise SettingsError(f"A sync window has an unknown key {unknown[0]!r}; it takes {', '.join(_KEYS)}.")
    if missing := [key for key in _KEYS[:3] if key not in value]:
        raise SettingsError(f"A sync window lacks {' and '.join(missing)}; add it.")
    if not all(isinstance(item, str) for item in value.values()):
        raise SettingsError('A sync window\'s values are texts, as in schedule = "0 22 * * 1-5" and duration = "4h".')
    return SyncWindow(value["kind"], value["schedule"], seconds(value["duration"]), value.get("timezone", "UTC"))


def _of(window: SyncWindow, after: datetime) -> Iterator[tuple[datetime, SyncWindow, bool | None]]:
    return ((moment, window, opens) for moment, opens in window.changes(after))


def _allows(found: Mapping[SyncWindow, bool]) -> bool:
    """What windows that are open (True) or not mean together."""
    allows = [is_open for window, is_open in found.items() if window.kind == ALLOW]
    denied = any(is_open for window, is_open in found.items() if window.kind == DENY)
    return not denied and (not allows or any(allows))


def _deciding(before: Mapping[SyncWindow, bool], after: Mapping[SyncWindow, bool], is_open: bool) -> SyncWindow | None:
    """The window that a closed state is explained with: a deny window that is open, else what opens next."""
    if is_open:
        return None
    denying = (window for window, open_now in before.items() if window.kind == DENY and open_now)
    allowing = (window for window, opens in after.items() if window.kind == ALLOW and opens)
    return next(denying, None) or next(allowing, None)


def _ticks(schedule: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    """The times in UTC that a schedule, in the zone of `start`, names after (or before) it. Raises ValueError."""
    from cronsim import CronSim, CronSimError

    try:
        found = CronSim(schedule, start, reverse=reverse)
    except CronSimError as error:
        raise ValueError(str(error)) from None
    return (tick.astimezone(UTC) for tick in found)


def _length(duration_s: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if duration_s % size == 0:
            return f"{duration_s / size:g}{unit}"
    return f"{duration_s:g}s"
