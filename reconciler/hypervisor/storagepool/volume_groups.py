"""Extends the volume group of a logical pool. libvirt can't: LVM is told itself, on the machine that this is."""

from __future__ import annotations

import libvirt

from reconciler.errors import Terminal, Unsupported
from reconciler.host.volume_groups import VolumeGroups
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.lookup import find
from reconciler.locality import is_here
from reconciler.planning.operations import ExtendVolumeGroup
from specs.binding import parse


def extend(connections: Connections, groups: VolumeGroups, operation: ExtendVolumeGroup) -> None:
    """Add the devices that the group lacks; none lacking is fine.

    Raises Unsupported for a group of another machine, or of libvirt's test driver, that lacks some.
    """
    ref, group = operation.ref, operation.group
    if not _is_real_and_here(connections, operation):
        return
    lacking = groups.lacking(group, operation.devices)
    if lacking is None:
        if operation.made_later:
            return
        raise Terminal(f"There is no volume group {group} for {ref}; make it, or declare `build: true` for a new pool.")
    if not lacking:
        return
    groups.extend(group, lacking)
    with connections.lend(f"look at {ref} again", Lane.SLOW) as connection:
        pool = find(connection, ref)
        if pool is not None and pool.isActive():
            pool.refresh()  # its capacity has grown


def _is_real_and_here(connections: Connections, operation: ExtendVolumeGroup) -> bool:
    """False for a group elsewhere that somebody has extended already. Raises Unsupported for one that nobody has."""
    ref, group = operation.ref, operation.group
    with connections.lend(f"look for the volume group {group} of {ref}", Lane.SLOW) as connection:
        if connection.getType() == "TEST":
            raise Unsupported(f"libvirt's test driver has no volume groups, so {ref} can't get further devices.")
        if is_here(connections.uri):
            return True
        present = _devices_elsewhere(connection, group)
    if operation.devices and present >= frozenset(operation.devices):
        return False
    raise Unsupported(
        f"The volume group {group} is on another machine and can't be extended from here; "
        f"run there: vgextend {group} {' '.join(operation.devices)}"
    )


def _devices_elsewhere(connection: libvirt.virConnect, group: str) -> frozenset[str]:
    sources = parse(connection.findStoragePoolSources("logical", None, 0))
    return frozenset(
        device.get("path") or ""
        for source in sources.iterfind("source")
        if source.findtext("name") == group
        for device in source.iterfind("device")
    )
