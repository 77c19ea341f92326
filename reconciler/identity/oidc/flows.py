"""Logins that were begun and aren't through yet, each for one browser, once, and for a while.

What the provider gives back is worth nothing without the random numbers that are kept here: the state says which login
it is, the browser's cookie that it is the same browser, the verifier that nobody else uses the code.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

KEPT_S: Final = 600.0
_MOST: Final = 10_000
_MOST_OF_ONE: Final = 100


@dataclass(frozen=True, slots=True)
class Flow:
    """One login. `back` is the address that the provider sends the browser to, `then` where it goes afterwards."""

    back: str
    then: str
    peer: str
    begun: float
    browser: bytes = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (PKCE, S256)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Flows:
    """For any thread. `now` gives seconds of a clock that never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._flows: OrderedDict[bytes, Flow] = OrderedDict()

    def begin(self, back: str, then: str, peer: str) -> tuple[Flow, str, str]:
        """A new one, its state, and what the browser has to show. Of too many of a peer's the oldest is forgotten, of
        too many in all of whoever has most.
        """
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        made = Flow(back, then, peer, self._now(), _key(browser), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        with self._lock:
            self._forget_old()
            self._make_room(peer)
            self._flows[_key(state)] = made
        return made, state, browser

    def take(self, state: str, browser: str) -> Flow | None:
        """The one of this state, which is over by that; None unless it is this browser's."""
        with self._lock:
            self._forget_old()
            found = self._flows.get(_key(state))
            if found is None or not secrets.compare_digest(found.browser, _key(browser)):
                return None
            del self._flows[_key(state)]
            return found

    def __len__(self) -> int:
        return len(self._flows)

    def _forget_old(self) -> None:
        while self._flows:
            key, oldest = next(iter(self._flows.items()))
            if self._now() - oldest.begun <= KEPT_S:
                return
            del self._flows[key]

    def _make_room(self, peer: str) -> None:
        counts: dict[str, int] = {}
        for each in self._flows.values():
            counts[each.peer] = counts.get(each.peer, 0) + 1
        crowd = peer if counts.get(peer, 0) >= _MOST_OF_ONE else ""
        if not crowd and len(self._flows) >= _MOST:
            crowd = max(counts, key=lambda each: counts[each])
        if crowd:
            del self._flows[next(key for key, each in self._flows.items() if each.peer == crowd)]


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
