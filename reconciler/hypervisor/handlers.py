"""Which code performs an operation on a kind's objects: a table that each kind fills, and what all of them work with.

A handler can't be added without saying which files it has libvirt open: see `traps`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.host.facts import HostFacts
from reconciler.hypervisor.opened import Opened
from reconciler.hypervisor.virtualmachine.refusals import Refusals
from reconciler.locality import is_here
from reconciler.network.addresses import Networks
from specs.reach import Reach
from specs.reference import Ref

_Operation = TypeVar("_Operation")


class Locks:
    """A lock for each object that takes several calls to change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Ref, threading.RLock] = {}

    def of(self, ref: Ref) -> threading.RLock:
        """This object's."""
        with self._lock:
            return self._locks.setdefault(ref, threading.RLock())


@dataclass(frozen=True)
class Access:
    """What whoever changes one host works with, and what is allowed there. Without a `reach` there are no bounds."""

    connections: Connections
    facts: HostFacts
    refusals: Refusals
    allowed_folders: tuple[str, ...]
    own_folders: tuple[str, ...]  # the agent's
    reach: Reach | None
    networks: Networks
    write_here: bool
    locks: Locks = field(default_factory=Locks)

    @cached_property
    def is_here(self) -> bool:
        """The files of another machine can't be looked at from here."""
        return is_here(self.connections.uri)


@dataclass(frozen=True, slots=True)
class Handler:
    """How one type of operation is performed, which files that opens, and what is looked at before."""

    perform: Callable[[Given[Any]], None]
    opens: Callable[[Given[Any]], Opened]
    check: Callable[[Given[Any]], None]


def nothing(_given: Given[Any]) -> Opened:
    """Of an operation that is about a name, a definition or what runs already: no file is opened."""
    return Opened()


def unchecked(_given: Given[Any]) -> None:
    """Of an operation that nothing speaks against."""


class KindCommands:
    """What can be done to the objects of one kind on one host."""

    def __init__(self) -> None:
        self._handlers: dict[type, Handler] = {}

    @property
    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the operation."""
        return MappingProxyType(self._handlers)

    def on(
        self,
        operation: type[_Operation],
        perform: Callable[[Given[_Operation]], None],
        *,
        opens: Callable[[Given[_Operation]], Opened],
        check: Callable[[Given[_Operation]], None] = unchecked,
    ) -> None:
        """Have `perform` do these. `check` raises for one that is refused, before anything is done."""
        self._handlers[operation] = Handler(perform, opens, check)

    def hidden(self) -> frozenset[Ref]:
        """What libvirt lists while it isn't yet, or doesn't yet look like, what it is made to be."""
        return frozenset()

    def settle(self) -> None:
        """Make what is new show as what it is. Raises OnggiError."""

    def present(self, _refs: Collection[Ref]) -> frozenset[Ref]:
        """Which of these are there now. Raises OnggiError."""
        raise NotImplementedError

    def discard_unfinished(self, _ref: Ref) -> bool:
        """Delete what a killed run may have left half-made. False when there is none, or when something uses it."""
        return False
