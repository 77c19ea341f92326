"""The interface of the host that a network needs before it can be defined."""

from __future__ import annotations

import libvirt

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_not_found
from reconciler.planning.operations import DefineInterface


def define_interface(connections: Connections, operation: DefineInterface) -> None:
    """Define and start an interface of the host. One of this name that is there already is used as it is."""
    with connections.lend(f"make the interface {operation.name} for {operation.ref}") as connection:
        try:
            found = connection.interfaceLookupByName(operation.name)
        except libvirt.libvirtError as error:
            if not is_not_found(error):
                raise
            found = connection.interfaceDefineXML(operation.xml)
        if not found.isActive():
            found.create()
