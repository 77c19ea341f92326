"""Gives a machine another name, which libvirt does itself. A rename that was cut off is finished by the next try."""

from __future__ import annotations

from reconciler.errors import Conflict
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.lookup import check_uid, find, get
from reconciler.planning.operations import Rename


def rename_machine(connections: Connections, operation: Rename) -> None:
    """Rename an inactive VM; renamed already is fine. Raises Conflict when the name is another one's."""
    old, new = operation.ref, operation.to
    with connections.lend(f"rename {old} to {new.name}") as connection:
        there = find(connection, new)
        if there is not None:
            check_uid(new, there, operation.uid)
            return
        found = get(connection, old)
        check_uid(old, found, operation.uid)
        if found.isActive():
            raise Conflict(f"{old} was started meanwhile, so it isn't renamed; that is done once it is off.")
        found.rename(new.name)
