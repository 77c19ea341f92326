"""What network filters are to libvirt, which tells of no change to one: the full pass sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import libvirt

from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.standing import Listed, reader_of
from specs.networkfilter.built_in import BUILT_IN
from specs.reference import NETWORK_FILTER, Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.handlers import Access, KindCommands


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    return connection.nwfilterLookupByName(ref.name)


def _commands(access: Access) -> KindCommands:
    from reconciler.hypervisor.networkfilter.commands import FilterCommands  # only who does something loads them

    return FilterCommands(access)


def _named(filters: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((name, each) for each in filters if (name := each.name()) not in BUILT_IN)


DRIVER: Final = Driver(
    kind=NETWORK_FILTER,
    look_up=_look_up,
    commands=_commands,
    look_up_uid=libvirt.virConnect.nwfilterLookupByUUIDString,
    reader=reader_of(Listed(NETWORK_FILTER, "network filters", libvirt.virConnect.listAllNWFilters, _named)),
)
