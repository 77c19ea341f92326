"""The wall clock as a value that is handed in, and how its times are written. Everything stored or shown is UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present time, aware of its zone."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`: always UTC and always of one width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
