"""How each object is: the conditions of the last pass, for people and programs that don't want to ask the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.ledger import conditions, info
from reconciler.ledger.database import Database
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.ledger.records import ObjectStatus
    from reconciler.status.condition import Condition

_REVISION = "conditions.revision"  # the one revision that all stored conditions were found at


class StatusStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Of the writer, which nobody writes beside: what is stored, and what that was made of.
        self._conditions: dict[Ref, tuple[Condition, ...]] | None = None
        self._told: Mapping[Ref, tuple[Condition, ...]] = {}
        self._states: Mapping[Ref, str] | None = None

    def note(
        self, found: Mapping[Ref, tuple[Condition, ...]], revision: str, states: Mapping[Ref, str] | None = None
    ) -> None:
        """Make `found` the conditions of all objects; one that isn't in it has none any more.

        Only what differs is written. `states` are the objects' observed states, shown by `all`; None leaves them.
        """
        with self._database.lock:
            with self._database.reading() as connection:
                if self._conditions is None:
                    self._conditions = conditions.stored(connection)
                revision_differs = info.all_of(connection).get(_REVISION) != revision
                if self._states is None:
                    self._states = conditions.states(connection)
            known_states = self._states
            changed = conditions.changed(self._conditions, found, self._database.time(), self._told)
            wanted = known_states if states is None else states
            new_states = {ref: state for ref, state in wanted.items() if known_states.get(ref) != state}
            gone_states = known_states.keys() - wanted.keys()
            if not (changed or revision_differs or new_states or gone_states):
                self._told = found
                return
            with self._database.writing() as connection:
                conditions.write(connection, changed)
                conditions.write_states(connection, new_states, gone_states)
                info.put(connection, {_REVISION: revision})
            for ref, items in changed.items():
                if items:
                    self._conditions[ref] = items
                else:
                    self._conditions.pop(ref, None)
            self._told, self._states = found, wanted

    def all(self) -> list[ObjectStatus]:
        """Every object that has conditions, in the order of kinds and names."""
        with self._database.reading() as connection:
            return conditions.statuses(connection, info.all_of(connection).get(_REVISION, ""))

    def of(self, ref: Ref) -> ObjectStatus | None:
        """One object's status; None when nothing is known of it."""
        with self._database.reading() as connection:
            found = conditions.statuses(connection, info.all_of(connection).get(_REVISION, ""), ref)
            return found[0] if found else None
