"""Lists a machine's snapshots: one call for all, and one for each one's description."""

from __future__ import annotations

import logging

import libvirt

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_lost, message
from reconciler.hypervisor.lookup import get
from reconciler.hypervisor.virtualmachine.snapshot_definitions import is_copy
from reconciler.observed.answers import SnapshotOf
from specs.binding import parse
from specs.reference import Ref

log = logging.getLogger("onggi.hypervisor")


def snapshots(connections: Connections, ref: Ref) -> tuple[SnapshotOf, ...]:
    """All of them, the oldest first. One that can't be read is left out, and logged. Raises OnggiError."""
    with connections.lend(f"list the snapshots of {ref}") as connection:
        found = []
        for snapshot in get(connection, ref).listAllSnapshots(0):
            try:
                if (one := _one(snapshot)) is not None:
                    found.append(one)
            except libvirt.libvirtError as error:
                if connection.isAlive() != 1 or is_lost(error):
                    raise
                if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT:  # deleted since it was listed
                    log.warning("a snapshot of %s can't be read: %s", ref, message(error))
    return tuple(sorted(found, key=lambda each: (each.created, each.name)))


def _one(snapshot: libvirt.virDomainSnapshot) -> SnapshotOf | None:
    """None for what is only there while snapshots are renamed."""
    root = parse(xml := str(snapshot.getXMLDesc(0)))
    if is_copy(root):
        return None
    return SnapshotOf(
        name=snapshot.getName(),
        created=int(root.findtext("creationTime") or 0),
        parent=root.findtext("parent/name") or "",
        state=root.findtext("state") or "shutoff",
        current=bool(snapshot.isCurrent()),
        xml=xml,
    )
