"""Defines, marks and undefines machines, with what only theirs need: passwords, and volumes that onggi didn't make."""

from __future__ import annotations

import libvirt

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.defining import define as define_object
from reconciler.hypervisor.failure import is_unsupported
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.lookup import check_uid, find, get
from reconciler.hypervisor.storagevolume import images
from reconciler.hypervisor.virtualmachine.passwords import fill, keep_passwords, lacks_password
from reconciler.planning.operations import Define, WriteMark
from specs.binding import parse
from specs.mark import NAMESPACE
from specs.reach import Reach

_MANAGED = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
_SECURE_CONFIG = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE

# All that goes with a machine's definition; the fewer ones are for drivers that don't know the newer flags.
_UNDEFINE_FLAGS = (
    _MANAGED | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM,
    _MANAGED | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM,
    _MANAGED,
)


def define(connections: Connections, given: Given[Define], reach: Reach | None) -> None:
    """Define it as any object; a console that brings no password keeps the one that it has.

    Raises Terminal for a volume that would make QEMU open other files of the host.
    """
    operation, root = given.operation, given.root

    def complete(connection: libvirt.virConnect) -> None:
        if lacks_password(root):
            existing = find(connection, operation.ref)
            keep_passwords(root, parse(existing.XMLDesc(_SECURE_CONFIG)) if existing is not None else None)
        for volume in operation.opens:
            path = get(connection, volume).path()
            images.check_chain(connection, path, images.opened_as(root, volume, path))

    secrets = fill(root, operation.secrets, reach)
    define_object(connections, given, libvirt.virConnect.defineXML, complete=complete, secrets=secrets)


def write_mark(connections: Connections, operation: WriteMark) -> None:
    """Put the mark into a VM's metadata in place of an older one. Raises NotFound, and Conflict for another object."""
    ref = operation.ref
    with connections.lend(f"write the mark of {ref}") as connection:
        found = get(connection, ref)
        check_uid(ref, found, operation.uid)
        flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG if found.isPersistent() else 0
        if found.isActive():
            flags |= libvirt.VIR_DOMAIN_AFFECT_LIVE
        found.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, operation.xml, "onggi", NAMESPACE, flags)


def bury(domain: libvirt.virDomain) -> None:
    """End a crashed guest whose remains were kept for a look; nothing runs in it."""
    if domain.state()[0] == libvirt.VIR_DOMAIN_CRASHED and domain.isActive():
        domain.destroy()


def undefine(domain: libvirt.virDomain) -> None:
    """Remove the definition, and all that goes with it as far as the driver knows of it."""
    for flags in _UNDEFINE_FLAGS:
        try:
            domain.undefineFlags(flags)
        except libvirt.libvirtError as error:
            if not is_unsupported(error) or flags == _UNDEFINE_FLAGS[-1]:
                raise
        else:
            return
