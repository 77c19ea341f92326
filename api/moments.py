"""A moment as a client writes it: a length of time before now (10m), or RFC 3339 (2026-01-31T12:00:00Z)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api.http.refusal import bad
from reconciler.duration import seconds
from reconciler.errors import SettingsError


def moment(written: str) -> datetime:
    """In UTC. Raises Refusal 400."""
    try:
        return datetime.now(UTC) - timedelta(seconds=seconds(written))
    except (SettingsError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(written.replace(" ", "+"))  # a plus sign in a query is a blank
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise bad(
            "KCHAPI0001E", "`since` is a length of time such as 10m, or a moment such as 2026-01-31T12:00:00Z."
        ) from None
