"""Names that are reserved for something which is only being made, so that two requests at once never get the same."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from specs.reference import Ref


class Names:
    """One per agent, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reserved: set[Ref] = set()

    def take(self, ref: Ref) -> bool:
        """Promise a name; False when it is somebody's already."""
        return self.first([ref]) is not None

    def first(self, candidates: Iterable[Ref]) -> Ref | None:
        """Promise the first of `candidates` that is free; None when none is."""
        with self._lock:
            for ref in candidates:
                if ref not in self._reserved:
                    self._reserved.add(ref)
                    return ref
        return None

    def release(self, ref: Ref) -> None:
        """It is there now, or won't ever be."""
        with self._lock:
            self._reserved.discard(ref)
