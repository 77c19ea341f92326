"""Lengths of time, and moments, as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from reconciler.errors import SettingsError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNITS_S = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """The seconds of `30`, `30s`, `5m`, `1h` or `500ms`. Raises SettingsError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} isn't a length of time; give one such as 30s, 5m, 1h or 7d.")
    return float(match[1]) * _UNITS_S[match[2] or ""]


def moment(text: str) -> datetime:
    """In UTC, a length of time before now (10m), or RFC 3339 (2026-01-31T12:00:00Z). Raises SettingsError."""
    try:
        return datetime.now(UTC) - timedelta(seconds=seconds(text))
    except (SettingsError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (
        ValueError,
        OverflowError,
    ):  # the latter for a moment that in UTC is before the first year, or past the last
        raise SettingsError(
            f"{text!r} is neither a length of time such as 10m nor a moment such as 2026-01-31T12:00:00Z."
        ) from None


def in_words(length_s: float) -> str:
    """The shortest way to write what `seconds` reads as this: 90 is 90s, 300 is 5m."""
    unit = next((unit for unit in ("d", "h", "m") if length_s and length_s % _UNITS_S[unit] == 0), "s")
    return f"{length_s / _UNITS_S[unit]:g}{unit}"
