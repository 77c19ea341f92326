"""Whatever does something to a host: one entry for every operation of a plan, which the object's kind performs.

Only who does something loads this: a plan never does.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any, TypeVar

from reconciler.errors import Unsupported
from reconciler.hypervisor.driver import drivers
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access, Handler, KindCommands
from reconciler.hypervisor.opened import Opened
from reconciler.hypervisor.transfer.intake import Progress
from reconciler.hypervisor.traps import check_traps
from reconciler.planning.operations import Operation
from specs.reference import Ref

_Kind = TypeVar("_Kind", bound=KindCommands)


class Commands:
    """Changes one host; several threads may do so at once."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._kinds = {kind: driver.commands(access) for kind, driver in drivers().items()}

    def of(self, commands: type[_Kind]) -> _Kind:
        """One kind's, for what only that kind has."""
        return next(each for each in self._kinds.values() if isinstance(each, commands))

    def perform(self, operation: Operation, stop: threading.Event, progress: Progress) -> None:
        """Do one thing, or find it done. Raises OnggiError."""
        handler, given = self._handler(operation), Given(operation, stop, progress)
        handler.check(given)
        check_traps(self._access.connections, operation.ref, handler.opens(given))
        handler.perform(given)

    def opened_by(self, given: Given[Any]) -> Opened:
        """Which files an operation has libvirt open."""
        return self._handler(given.operation).opens(given)

    def _handler(self, operation: Operation) -> Handler:
        kind = self._kinds.get(operation.ref.kind)
        handler = kind.handlers.get(type(operation)) if kind is not None else None
        if handler is None:
            raise Unsupported(f"{operation.ref} has no {type(operation).__name__}; please report it.")
        return handler

    def hidden(self) -> frozenset[Ref]:
        """What libvirt lists while it isn't yet, or doesn't yet look like, what it is made to be."""
        return frozenset().union(*(each.hidden() for each in self._kinds.values()))

    def settle(self) -> None:
        """Make what is new show as what it is. Raises OnggiError."""
        for each in self._kinds.values():
            each.settle()

    def present(self, refs: Collection[Ref]) -> frozenset[Ref]:
        """Which of these are there now, whatever an earlier snapshot says. Raises OnggiError."""
        kinds = {ref.kind for ref in refs}
        found = (self._kinds[kind].present([ref for ref in refs if ref.kind == kind]) for kind in kinds)
        return frozenset().union(*found)

    def discard_unfinished(self, ref: Ref) -> bool:
        """Delete what a killed run may have left half-made. False when there is none, or when something uses it."""
        return self._kinds[ref.kind].discard_unfinished(ref)
