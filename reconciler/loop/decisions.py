"""Notices what people decide beside the agent: `onggi suspend`, `resume` and `approve` write from another process, so
that a file that changes is all there is to notice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from reconciler.errors import OnggiError
from reconciler.ledger.ledger import Ledger
from reconciler.status.suspension import Suspensions

log = logging.getLogger("onggi.agent")

_LOOK_S: Final = 0.5


class Decisions:
    """`watch` in a thread of its own, `go_by` from the loop."""

    def __init__(self, ledger: Ledger, nudge: Callable[[], None]) -> None:
        self._ledger = ledger
        self._nudge = nudge
        self._seen: tuple[Suspensions, frozenset[str]] = ({}, frozenset())

    def go_by(self) -> None:
        """A pass is about to go by what is decided now. Raises StateError."""
        self._seen = self._read()

    def watch(self, stop: threading.Event) -> None:
        """Ask for a pass whenever the last one went by something else, until `stop` is set."""
        while not stop.wait(_LOOK_S):
            try:
                now = self._read()
            except OnggiError as error:  # the loop meets it too, and tells of it
                log.debug("%s", error)
                continue
            if now != self._seen:
                self._nudge()

    def _read(self) -> tuple[Suspensions, frozenset[str]]:
        return self._ledger.decisions.suspensions(), self._ledger.decisions.approved()
