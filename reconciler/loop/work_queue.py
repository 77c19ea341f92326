"""What the agent has to look at next: filled by watchers and events from any thread, emptied by the loop."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Due:
    """Why the loop woke up. `objects` is None when everything has to be read again. `sequence` is the last change's."""

    source: bool
    objects: frozenset[Ref] | None
    sequence: int = 0


class WorkQueue:
    """Has one reader, who takes all that is due at once. Changes add up while the loop is busy: none is lost, and
    none is seen to twice.

    Each change has a sequence number, which grows: the pass that took that number or a later one has seen to it.
    """

    def __init__(self) -> None:
        self._due = threading.Condition()
        self._source = False
        self._objects: set[Ref] = set()
        self._everything = False
        self._woken = False
        self._sequence = 0

    def source_changed(self) -> int:
        """The repository may have a new commit. Gives the change's number."""
        with self._due:
            self._source = True
            return self._added()

    def changed(self, ref: Ref | None) -> int:
        """An object may have changed; None: any may have. Gives the change's number."""
        with self._due:
            if ref is None:
                self._everything = True
            else:
                self._objects.add(ref)
            return self._added()

    def _added(self) -> int:
        self._sequence += 1
        self._due.notify_all()
        return self._sequence

    @property
    def sequence(self) -> int:
        """The last change's number: a pass that took this one has seen to all that was added until now."""
        with self._due:
            return self._sequence

    def wake(self) -> None:
        """Look again although nothing is known to have changed (a back-off is over, the agent is to stop)."""
        with self._due:
            self._woken = True
            self._due.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Sleep until something is due, at most `timeout_s`."""
        with self._due:
            self._due.wait_for(self._is_due, timeout=max(timeout_s, 0))

    def take(self) -> Due:
        """Everything that is due, and forget it."""
        with self._due:
            due = Due(self._source, None if self._everything else frozenset(self._objects), self._sequence)
            self._source = self._everything = self._woken = False
            self._objects.clear()
            return due

    def _is_due(self) -> bool:
        return self._source or self._everything or self._woken or bool(self._objects)
