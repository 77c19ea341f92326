"""Lengths of time as people write them."""

from __future__ import annotations

import re

from reconciler.errors import SettingsError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNITS_S = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """The seconds of `30`, `30s`, `5m`, `1h` or `500ms`. Raises SettingsError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} isn't a length of time; give one such as 30s, 5m, 1h or 7d.")
    return float(match[1]) * _UNITS_S[match[2] or ""]
