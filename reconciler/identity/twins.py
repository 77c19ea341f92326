"""Tells of users whose names people take for the same: who reads commits and logs should know that there are two."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import Final

from reconciler.identity.names import looks

log = logging.getLogger("onggi.identity")

_MOST: Final = 10_000


class Twins:
    """For any thread. A user costs nothing after the first time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, None] = {}
        self._by_looks: OrderedDict[str, str] = OrderedDict()

    def note(self, name: str) -> str:
        """Somebody of this name is here. The name of another who looks the same, when this is news; else empty."""
        if name in self._known:
            return ""
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
                self._by_looks.clear()
            self._known[name] = None
            other = self._by_looks.setdefault(looks(name), name)
        if other == name:
            return ""
        log.warning(
            "the users %r and %r have names that look the same; commits and logs tell them apart by that", other, name
        )
        return other
