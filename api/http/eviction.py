"""Who has to leave when there are too many connections: of whoever holds most, the one that has been still for longest.
What waits for us stays.

So a client that opens connections and doesn't use them costs itself its own, and nobody else theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from api.http.quota import most_of_one

MOST_AT_ONCE: Final = 512  # services often have no more than 1024 files open
MOST_OF_ONE: Final = most_of_one(MOST_AT_ONCE)
MOST_UNSENT: Final = 64 << 20  # bytes that wait for clients to read them, of all connections together


class Evictable(Protocol):
    """A connection."""

    peer: str

    @property
    def unsent(self) -> int:
        """Bytes that its client hasn't taken yet."""

    @property
    def still_since(self) -> float:
        """When something came or was taken last."""

    @property
    def waits_for_us(self) -> bool:
        """Its client has done what it can."""

    def drop(self) -> None:
        """Without another word."""


def evict_for(others: Sequence[Evictable], peer: str) -> bool:
    """For one more of `peer`; one of `others` may have to leave. False when there is none."""
    if len(others) < MOST_OF_ONE:
        return True
    counts = Counter(each.peer for each in others)
    if len(others) < MOST_AT_ONCE and counts[peer] < MOST_OF_ONE:
        return True
    largest = max(counts, key=lambda each: (counts[each], each == peer))
    crowd = peer if counts[peer] >= MOST_OF_ONE else largest
    return _drop_stillest(each for each in others if each.peer == crowd and not each.waits_for_us)


def evict_unread(connections: Iterable[Evictable]) -> None:
    """Let those go that have taken nothing for longest, until little enough is kept for them."""
    unread = [each for each in connections if each.unsent]
    while sum(each.unsent for each in unread) > MOST_UNSENT and len(unread) > 1:
        stillest = min(unread, key=lambda each: each.still_since)
        unread.remove(stillest)
        stillest.drop()


def _drop_stillest(candidates: Iterable[Evictable]) -> bool:
    stillest = min(candidates, key=lambda each: each.still_since, default=None)
    if stillest is None:
        return False
    stillest.drop()
    return True
