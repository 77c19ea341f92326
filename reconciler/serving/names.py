"""Names that are promised to something which is only being made, so that two requests at once never get the same.

A promise is whose it was given to: nobody else can give it back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from specs.reference import Ref


@dataclass(frozen=True, slots=True, eq=False)
class Promise:
    """That nobody else gets this name until it is released."""

    ref: Ref


class Names:
    """One per agent, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._promised: dict[Ref, Promise] = {}

    def take(self, ref: Ref) -> Promise | None:
        """Promise a name; None when it is somebody's already."""
        return self.first([ref])

    def first(self, candidates: Iterable[Ref]) -> Promise | None:
        """Promise the first of `candidates` that is free; None when none is."""
        with self._lock:
            for ref in candidates:
                if ref not in self._promised:
                    return self._promised.setdefault(ref, Promise(ref))
        return None

    def release(self, promise: Promise) -> None:
        """What has the name is there now, or won't ever be. One that was given back already changes nothing."""
        with self._lock:
            if self._promised.get(promise.ref) is promise:
                del self._promised[promise.ref]
