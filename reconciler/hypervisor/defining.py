"""Defines and undefines virtual machines, pools and networks, and says which of them start with the host."""

from __future__ import annotations

import threading
from typing import Any

import libvirt

from reconciler.errors import Conflict, Terminal
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_not_found, is_unsupported
from reconciler.hypervisor.lookup import check_uid, find, get
from reconciler.hypervisor.prerequisites import forget_secret
from reconciler.hypervisor.storagevolume import images
from reconciler.hypervisor.virtualmachine.passwords import fill, keep_passwords, lacks_password
from reconciler.planning.operations import Define, SetAutostart, Undefine, WriteMark
from specs.binding import Element, parse, serialise, set_text_at
from specs.mark import NAMESPACE
from specs.reach import Reach
from specs.reference import NETWORK, STORAGE_POOL, VIRTUAL_MACHINE

_MANAGED = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
_SECURE_CONFIG = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE

# All that goes with a machine's definition; the fewer ones are for drivers that don't know the newer flags.
_UNDEFINE_FLAGS = (
    _MANAGED | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM,
    _MANAGED | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM,
    _MANAGED,
)


# libvirt gives a new network the first free bridge name, and two that are defined at once the same one; the second
# could neither be started nor changed.
_CHOOSING_A_BRIDGE = threading.Lock()


def define(connections: Connections, operation: Define, root: Element, reach: Reach | None = None) -> None:
    """Define it, or change the definition of the object with the same UUID.

    `root` is its XML, which is completed here. Raises Conflict when the name or the UUID belongs to another object,
    which stays as it is, and Terminal for a volume that would make QEMU open other files of the host.
    """
    ref = operation.ref
    if root.findtext("name") != ref.name:
        raise Terminal(f"the XML for {ref} names {root.findtext('name')!r}; please report it.")
    set_text_at(root, "uuid", operation.uid)
    secrets = fill(root, operation.secrets, reach)
    with connections.lend(f"define {ref}", secrets=secrets) as connection:
        if ref.kind == VIRTUAL_MACHINE and lacks_password(root):
            existing = find(connection, ref)
            keep_passwords(root, parse(existing.XMLDesc(_SECURE_CONFIG)) if existing is not None else None)
        for volume in operation.opens:
            path = get(connection, volume).path()
            images.check_chain(connection, path, images.opened_as(root, volume, path))
        xml = serialise(root)
        try:
            if ref.kind == VIRTUAL_MACHINE:
                connection.defineXML(xml)
            elif ref.kind == STORAGE_POOL:
                connection.storagePoolDefineXML(xml)
            else:
                with _CHOOSING_A_BRIDGE:
                    connection.networkDefineXML(xml)
        except libvirt.libvirtError:
            _refuse_foreign(connection, operation)
            raise


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


def _refuse_foreign(connection: libvirt.virConnect, operation: Define) -> None:
    """libvirt itself refuses to mix up two objects; this tells that refusal from all others."""
    existing = find(connection, operation.ref)
    if existing is not None:
        check_uid(operation.ref, existing, operation.uid)
    other = _by_uid(connection, operation)
    if other is not None and other.name() != operation.ref.name:
        raise Conflict(
            f"{operation.ref} can't be defined: its UUID {operation.uid} belongs to {other.name()} on this host; "
            "give one of them another uid."
        )


def _by_uid(connection: libvirt.virConnect, operation: Define) -> Any | None:
    lookup = {
        VIRTUAL_MACHINE: connection.lookupByUUIDString,
        STORAGE_POOL: connection.storagePoolLookupByUUIDString,
        NETWORK: connection.networkLookupByUUIDString,
    }[operation.ref.kind]
    try:
        return lookup(operation.uid)
    except libvirt.libvirtError as error:
        if is_not_found(error):
            return None
        raise


def undefine(connections: Connections, operation: Undefine) -> None:
    """Remove an inactive object's definition; gone already is fine. Raises Conflict for another object of this name,
    and for one that was started meanwhile.
    """
    ref = operation.ref
    with connections.lend(f"undefine {ref}") as connection:
        found = find(connection, ref)
        if found is None:
            return
        check_uid(ref, found, operation.uid)
        if ref.kind == VIRTUAL_MACHINE and found.state()[0] == libvirt.VIR_DOMAIN_CRASHED and found.isActive():
            found.destroy()  # a crashed guest whose remains were kept for a look; nothing runs in it
        if found.isActive():
            raise Conflict(f"{ref} was started meanwhile, so it isn't removed; the next pass stops it first.")
        if ref.kind != VIRTUAL_MACHINE:
            found.undefine()
            if ref.kind == STORAGE_POOL:
                forget_secret(connection, ref)
            return
        for flags in _UNDEFINE_FLAGS:
            try:
                found.undefineFlags(flags)
            except libvirt.libvirtError as error:
                if not is_unsupported(error) or flags == _UNDEFINE_FLAGS[-1]:
                    raise
            else:
                return


def set_autostart(connections: Connections, operation: SetAutostart) -> None:
    """Whether the host starts it at boot. Raises NotFound."""
    word = "on" if operation.on else "off"
    with connections.lend(f"set the autostart of {operation.ref} {word}") as connection:
        found = get(connection, operation.ref)
        if bool(found.autostart()) != operation.on:
            found.setAutostart(int(operation.on))
