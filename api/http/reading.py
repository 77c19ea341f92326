"""Whether a client reads what it has asked for. One that takes a byte now and then is never still, and holds its answer
all the same: while something waits for it, it has to take a least of it in each stretch of time.
"""

from __future__ import annotations

from typing import Final

LEAST_BYTES_PER_S: Final = 1024.0  # slower than any line that people have


class Reading:
    """Of one connection, as it is looked at now and then."""

    def __init__(self) -> None:
        self._since: float | None = None  # from when on something has waited for it at each look
        self._had = 0

    def is_too_slow(self, now: float, sent: int, unsent: int, still_since: float, patience_s: float) -> bool:
        """`sent` are the bytes that it has taken in all, `unsent` those that wait for it."""
        if not unsent:
            self._since = None
            return False
        if now - still_since >= patience_s:
            return True
        if self._since is None:
            self._since, self._had = now, sent
        if now - self._since < patience_s:
            return False
        least = LEAST_BYTES_PER_S * (now - self._since)
        too_slow = sent - self._had < least
        self._since, self._had = now, sent
        return too_slow
