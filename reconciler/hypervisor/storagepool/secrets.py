"""The secret that a pool needs before it can be started, kept by libvirt."""

from __future__ import annotations

from contextlib import suppress

import libvirt

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.secret_reading import read_secret
from reconciler.planning.operations import DefineSecret
from specs.reach import Reach
from specs.reference import Ref
from specs.storagepool.secret import secret_usage


def define_secret(connections: Connections, operation: DefineSecret, reach: Reach | None = None) -> None:
    """Define the secret and set its value, read at this moment. Raises Terminal when it can't be read."""
    value = read_secret(operation.source, reach)
    with connections.lend(f"keep the secret of {operation.ref}") as connection:
        connection.secretDefineXML(operation.xml).setValue(value.encode())


def forget_secret(connection: libvirt.virConnect, pool: Ref) -> None:
    """Remove the secret of a pool that is gone; most pools have none."""
    with suppress(libvirt.libvirtError):  # no such secret, or a driver without any
        connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, secret_usage(pool.name)).undefine()
