"""What onggi asks of a kind's objects on a host: how they are read, found, heard of and changed.

Each kind that libvirt has objects of is a folder beside this file, with a `driver.py` that offers one `DRIVER`; the
folders are found by scanning. A kind without one, such as a template or a plugin's, has nothing on the host.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Protocol

import libvirt

from reconciler.hypervisor.events import Events
from reconciler.hypervisor.places import Teller
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.connection import Connections
    from reconciler.hypervisor.handlers import Access, KindCommands
    from reconciler.hypervisor.reading import Reading


@dataclass(frozen=True, slots=True)
class ReadingTools:
    """What a kind's reader reads with. What changes without an event is read anew after about `reread_s` seconds."""

    connections: Connections
    workers: Executor
    reread_s: float


class KindReader(Protocol):
    """Reads one kind's objects, for as long as the host is observed."""

    def read(self, reading: Reading) -> None:
        """Put what there is of this kind into the reading. Raises Disconnected."""

    def outdated(self, name: str) -> None:
        """Something happened to this one that libvirt doesn't know of yet: have it look before the next reading."""


@dataclass(frozen=True, slots=True)
class Driver:
    """One kind's. `look_up` and `look_up_uid` give libvirt's object or raise its error; a kind whose objects have no
    UUID has no `look_up_uid`. `reads_after` are kinds that are read before this one, because what was found of them
    decides what of this one is read too. `tell` adds where an object is.
    """

    kind: str
    look_up: Callable[[libvirt.virConnect, Ref], Any]
    reader: Callable[[ReadingTools], KindReader]
    commands: Callable[[Access], KindCommands]
    look_up_uid: Callable[[libvirt.virConnect, str], Any] | None = None
    reads_after: tuple[str, ...] = ()
    events: tuple[Events, ...] = ()
    tell: Teller | None = None


@cache
def drivers() -> Mapping[str, Driver]:
    """Every kind's, in the order in which they are read."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    found: dict[str, Driver] = {}
    for folder in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if folder.ispkg and importlib.util.find_spec(f"{folder.name}.driver") is not None:
            driver: Driver = importlib.import_module(f"{folder.name}.driver").DRIVER
            found[driver.kind] = driver
    order = TopologicalSorter({kind: found[kind].reads_after for kind in sorted(found)})
    return {kind: found[kind] for kind in order.static_order()}
