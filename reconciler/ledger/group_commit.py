"""Group commit: what finished steps mean for the ledger, gathered so that many are written in one transaction.

Nothing is dropped: what couldn't be written (a full disk) stays gathered and is tried again with the next.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.ledger.ledger import Ledger
from reconciler.planning.ownership import Owned
from specs.reference import Ref

FULL = 64  # so many entries are written without waiting for more


@dataclass(slots=True)
class _Entries:
    own: list[Owned] = field(default_factory=list)
    disown: list[Ref] = field(default_factory=list)
    finish: list[Ref] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.own) + len(self.disown) + len(self.finish)


class GroupCommit:
    """Shared by all runs of an executor; any thread may use it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._entries = _Entries()
        self._gathering = threading.Lock()
        self._writing = threading.Lock()

    def note(self, *, own: Iterable[Owned] = (), disown: Iterable[Ref] = (), finish: Iterable[Ref] = ()) -> bool:
        """Gather entries; True when there are so many that they should be written now."""
        with self._gathering:
            self._entries.own += own
            self._entries.disown += disown
            self._entries.finish += finish
            return len(self._entries) >= FULL

    def write(self) -> None:
        """Write what is gathered. Once it returns, all that this thread noted is in the ledger. Raises StateError."""
        with self._writing:  # also waits for another thread that has just taken this one's entries along
            with self._gathering:
                entries, self._entries = self._entries, _Entries()
            try:
                self._ledger.change(own=entries.own, disown=entries.disown, finish=entries.finish)
            except BaseException:
                with self._gathering:
                    later = self._entries
                    self._entries = _Entries(
                        entries.own + later.own, entries.disown + later.disown, entries.finish + later.finish
                    )
                raise
