"""A fixed address finds its interface by the MAC address, so that one has to be the interface's real one.

A machine that onggi makes has the addresses that it derives. One that others made keeps those it has, and only a person
can say in its document which they are: the seed is made from documents alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.plan import Blocked
from specs.virtualmachine.interfaces import INTERFACES


def unknown_mac(resource: Resource, lowered: Mapping[str, Any], observed: Observed) -> Blocked | None:
    """What blocks a machine whose guest would be told an address for a card that it doesn't have; None: nothing."""
    declared = resource.spec.get("interfaces", ())
    if not any(interface.get("addresses") and "mac" not in interface for interface in declared):
        return None
    wanted, found = lowered["interfaces"], observed.config.get("interfaces") or []
    for interface, item, index in zip(declared, wanted, INTERFACES.matches(wanted, found), strict=True):
        if not interface.get("addresses") or "derivedMac" not in item or index is None:
            continue
        mac = found[index].get("mac")
        if mac != item["derivedMac"]:
            name = interface.get("name") or interface.get("network") or interface.get("bridge")
            message = (
                f"the interface {name} has the MAC address {mac} on this host, and cloud-init finds it only by that; "
                f"write `mac: {mac}` beside its `addresses`"
            )
            return Blocked(resource.ref, "MacNotDeclared", message, resource.path, resource.line)
    return None
