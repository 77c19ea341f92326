"""Which network card an interface is whose entry was renamed, or renamed and moved: the same as before.

A card without a declared MAC has one that was made of its entry's name. A guest knows its card by the address, and
plugging in another one cuts it off; so the card stays, with its address, and moves to the network that is declared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.interfaces.interfaces import INTERFACES
from specs.virtualmachine.lowering import lower, mac_addresses

if TYPE_CHECKING:
    from reconciler.planning.context import Context

# Of an interface, beside its `mac`: that the address is its card's, and not one that its document says.
FOUND_MAC = "foundMac"


def with_retained_interfaces(resource: Resource, observed: Observed, context: Context) -> Resource:
    """The machine with the addresses written down that its cards have; the very same where the names tell them."""
    interfaces = MACHINES.declared(resource.spec).get("interfaces")
    if not interfaces or "/interfaces" in resource.policy.ignore_fields:
        return resource
    found = MACHINES.lowered(observed.config).get("interfaces") or []
    there = {item.get("mac") for item in found}
    if all(mac in there for mac in mac_addresses(interfaces, observed.uid)):
        return resource
    lowered = lower({"interfaces": interfaces}, name=resource.ref.name, uid=observed.uid, host=context.host)
    wanted = lowered["interfaces"]
    places = list(INTERFACES.matches(wanted, found))
    managed = observed.mark.managed if observed.mark is not None else frozenset()
    free = [
        place
        for place, item in enumerate(found)
        if place not in places and INTERFACES.removal(item, managed, listed=True) is not None
    ]
    kept = []
    for item, declared, place in zip(interfaces, wanted, places, strict=True):
        if place is None and free and "derivedMac" in declared:
            place = free.pop(0)
        mac = found[place].get("mac") if place is not None and "derivedMac" in declared else None
        kept.append({**item, "mac": mac, FOUND_MAC: mac} if mac not in (None, declared.get("derivedMac")) else item)
    return resource if kept == list(interfaces) else replace(resource, spec={**resource.spec, "interfaces": kept})
