"""What the agent has to look at next: filled by watchers and events from any thread, emptied by the loop."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Due:
    """Why the loop woke up. `objects` is None when everything has to be read again. `ticket` is the last mark's."""

    source: bool
    objects: frozenset[Ref] | None
    ticket: int = 0


class Wakeup:
    """A mailbox with one reader. Marks add up while the loop is busy; none is lost and none is counted twice.

    Each mark has a ticket, a growing number: the pass that took a ticket of that number or a later one has seen to it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._source = False
        self._objects: set[Ref] = set()
        self._everything = False
        self._nudged = False
        self._ticket = 0

    def source(self) -> int:
        """The repository may have a new commit. Gives the mark's ticket."""
        with self._changed:
            self._source = True
            return self._marked()

    def object(self, ref: Ref | None) -> int:
        """An object may have changed; None: any may have. Gives the mark's ticket."""
        with self._changed:
            if ref is None:
                self._everything = True
            else:
                self._objects.add(ref)
            return self._marked()

    def _marked(self) -> int:
        self._ticket += 1
        self._changed.notify_all()
        return self._ticket

    @property
    def ticket(self) -> int:
        """The last mark's: a pass that took this one has seen to everything that was marked until now."""
        with self._changed:
            return self._ticket

    def nudge(self) -> None:
        """Look again although nothing is known to have changed (a back-off is over, the agent is to stop)."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Sleep until something is due, at most `timeout_s`."""
        with self._changed:
            self._changed.wait_for(self._pending, timeout=max(timeout_s, 0))

    def take(self) -> Due:
        """Everything that is due, and forget it."""
        with self._changed:
            due = Due(self._source, None if self._everything else frozenset(self._objects), self._ticket)
            self._source = self._everything = self._nudged = False
            self._objects.clear()
            return due

    def _pending(self) -> bool:
        return self._source or self._everything or self._nudged or bool(self._objects)
