"""A moment as a client writes it: a length of time before now (10m), or RFC 3339 (2026-01-31T12:00:00Z)."""

from __future__ import annotations

from datetime import datetime

from api.http.refusal import bad
from reconciler import duration
from reconciler.errors import SettingsError


def moment(written: str) -> datetime:
    """In UTC. Raises Refusal 400."""
    try:
        return duration.moment(written.replace(" ", "+"))  # a plus sign in a query is a blank
    except SettingsError:
        raise bad(
            "KCHAPI0001E", "`since` is a length of time such as 10m, or a moment such as 2026-01-31T12:00:00Z."
        ) from None
