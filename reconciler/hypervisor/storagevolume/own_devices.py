"""Refuses to write over or remove a volume that the host itself lives on; only where the host is this machine."""

from __future__ import annotations

from reconciler.errors import Terminal
from reconciler.host.own_devices import own_use
from reconciler.hypervisor.handlers import Access
from reconciler.hypervisor.lookup import find
from specs.reference import Ref


def check_volume(access: Access, ref: Ref) -> None:
    """Raises Terminal for such a volume."""
    if access.is_here:
        with access.connections.lend(f"look at {ref}") as connection:
            found = find(connection, ref)
            path = found.path() if found is not None else ""
        check_volume_device(path)


def check_volume_device(path: str) -> None:
    """Raises Terminal for a volume that is such a device, before it is written over or removed."""
    if path.startswith("/dev/") and (use := own_use(path)):
        raise Terminal(f"the volume {path} stays as it is: {use}.")
