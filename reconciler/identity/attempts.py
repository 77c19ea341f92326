"""How long somebody has to wait after wrong passwords: the longer, the more there were, of a user and of a peer alike.

A user is the same however their name is written, as many directories have it. A user's wait holds for others than those
peers from which that user has come in before: whoever guesses a password doesn't lock its owner out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from reconciler.identity.names import looks

_FREE: Final = 5  # wrong ones that cost nothing but the time of asking
_LONGEST_S: Final = 60.0
_FORGOTTEN_S: Final = 15 * 60.0
_MOST: Final = 10_000  # users and peers that are remembered


class Attempts:
    """For any thread. `now` gives seconds of a clock that never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failed: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()  # (user, peer)

    def wait_s(self, user: str, peer: str) -> float:
        """How long the next attempt has to wait; 0 for not at all."""
        with self._lock:
            user, waits = _same(user), [self._left(("peer", peer))]
            if (user, peer) not in self._known:
                waits.append(self._left(("user", user)))
            return max(waits)

    def failed(self, user: str, peer: str) -> None:
        """A wrong password."""
        with self._lock:
            for key in (("peer", peer), ("user", _same(user))):
                count, _ = self._current(key)
                self._failed[key] = (count + 1, self._now())
                self._failed.move_to_end(key)
            while len(self._failed) > _MOST:
                self._failed.popitem(last=False)

    def succeeded(self, user: str, peer: str) -> None:
        """The right one: from there this user comes."""
        with self._lock:
            user = _same(user)
            self._failed.pop(("peer", peer), None)
            self._failed.pop(("user", user), None)
            self._known[(user, peer)] = None
            self._known.move_to_end((user, peer))
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def _current(self, key: tuple[str, str]) -> tuple[int, float]:
        count, last = self._failed.get(key, (0, 0.0))
        return (count, last) if self._now() - last <= _FORGOTTEN_S else (0, 0.0)

    def _left(self, key: tuple[str, str]) -> float:
        count, last = self._current(key)
        if count < _FREE:
            return 0.0
        return max(0.0, last + min(_LONGEST_S, 2.0 ** (count - _FREE)) - self._now())


def _same(user: str) -> str:
    return " ".join(looks(user).split())
