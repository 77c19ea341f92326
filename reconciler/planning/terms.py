"""The terms of one pass that come neither from the documents nor from the host: the time, and what people decided."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_TRASH_RETENTION_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Terms:
    """`now` is in seconds since 1970; it only decides about retention and limits of time."""

    now: float = 0.0
    approved: frozenset[str] = frozenset()  # digests that `onggi approve` was given
    trash_retention_s: float = DEFAULT_TRASH_RETENTION_S
