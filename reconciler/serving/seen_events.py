"""Events as one client may read them.

Who sees the whole host reads of all that happened there, and administrators also from where it was asked for. A user
reads of the machines that are theirs now: nothing of what had such a machine's name before it, nothing of one that is
gone, and no sentence that names another's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconciler.identity.role import Role
from reconciler.ledger.history import KEPT_EVENTS
from reconciler.ledger.history_store import HistoryStore
from reconciler.ledger.records import Event
from reconciler.serving.sight import Sight
from specs.reference import VIRTUAL_MACHINE, Ref

Numbered = tuple[int, Event]


@dataclass(frozen=True, slots=True)
class SeenEvents:
    """One client's."""

    sight: Sight
    history: HistoryStore

    def all(self) -> list[Event]:
        """All that are kept, oldest first."""
        return [event for _, event in self.of(self.history.news(0, limit=KEPT_EVENTS))]

    def of(self, events: Iterable[Numbered]) -> list[Numbered]:
        """Those that the client may read, as they may. Raises StateError, and Transient before the first pass."""
        seen = events if self.sight.is_whole else self._theirs(events)
        return [(number, self._told(event)) for number, event in seen]

    def sees(self, event: Event) -> bool:
        """Whether what an event is about is still the client's to know of."""
        return self.sight.is_whole or self._sees(event.ref)

    def _theirs(self, events: Iterable[Numbered]) -> list[Numbered]:
        events = list(events)
        refs = {ref for ref in {event.ref for _, event in events} if self._sees(ref)}
        if not refs:
            return []
        begun = self.history.begun_anew(VIRTUAL_MACHINE)
        theirs = [each for each in events if each[1].ref in refs and each[0] >= begun.get(each[1].ref, 0)]
        told = self.sight.told_all({event.message for _, event in theirs}, gone=self.history.told_of(VIRTUAL_MACHINE))
        return [(number, replace(event, message=told[event.message])) for number, event in theirs]

    def _sees(self, ref: Ref) -> bool:
        """A machine that is there and theirs: what was told of one that isn't made yet is about another."""
        return ref.kind == VIRTUAL_MACHINE and ref in self.sight.find().owned and self.sight.sees(ref)

    def _told(self, event: Event) -> Event:
        """Where others sit is for administrators to know."""
        client = self.sight.client
        if not (event.peer or event.request) or client.role >= Role.ADMIN or event.who == client.source:
            return event
        return replace(event, peer="", request="")
