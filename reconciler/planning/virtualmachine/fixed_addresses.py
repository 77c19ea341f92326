"""A fixed address finds its interface by the MAC address, so that one has to be the interface's real one.

A machine that onggi makes has the addresses that it derives. One that others made keeps those it has, and only a person
can say in its document which they are: the seed is made from documents alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.plan import Blocked
from reconciler.planning.virtualmachine.retained_interfaces import FOUND_MAC
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.interfaces.interfaces import INTERFACES
from specs.virtualmachine.interfaces.names import interface_name

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Interface, LoweredVirtualMachine


def unknown_mac(resource: Resource, lowered: LoweredVirtualMachine, observed: Observed) -> Blocked | None:
    """What blocks a machine whose guest would be told an address for a card that it doesn't have; None: nothing."""
    declared, wanted = MACHINES.declared(resource.spec).get("interfaces", ()), lowered.get("interfaces")
    if wanted is None or not any(map(_is_derived, declared)):
        return None  # nearly always; or the cards are left to others
    found = MACHINES.lowered(observed.config).get("interfaces") or []
    for interface, item, index in zip(declared, wanted, INTERFACES.matches(wanted, found), strict=True):
        mac = found[index].get("mac") if index is not None else None
        if _is_derived(interface) and mac not in (None, item.get("derivedMac")):
            name = interface_name(interface)
            message = (
                f"the interface {name} has the MAC address {mac} on this host, and cloud-init finds it only by that; "
                f"write `mac: {mac}` beside its `addresses`"
            )
            return Blocked(resource.ref, "MacNotDeclared", message, resource.path, resource.line)
    return None


def _is_derived(interface: Interface) -> bool:
    """Whether a guest is told an address for it by a MAC address that its document doesn't say."""
    return bool(interface.get("addresses")) and ("mac" not in interface or FOUND_MAC in interface)
