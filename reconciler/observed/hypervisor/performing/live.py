"""Changes what runs: a machine's devices, memory, CPUs and words, and a network's entries.

Only the running thing is changed here; its persistent definition is the business of the `Define` in the same step.
An edit of something that was stopped meanwhile has nothing left to do.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import libvirt
from lxml import etree

from reconciler.errors import Cancelled, Terminal, Transient
from reconciler.observed.hypervisor.connection import Connections
from reconciler.observed.hypervisor.failure import is_unplug_pending
from reconciler.observed.hypervisor.performing import devices
from reconciler.observed.hypervisor.performing.lookup import get
from reconciler.observed.hypervisor.performing.passwords import fill, keep_passwords, lacks_password
from reconciler.observed.hypervisor.reading.activatables import persistent_xml
from reconciler.planning.operations import EditLive, UpdateNetwork
from specs.binding import Element, parse, serialise

_LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
_UNPLUG_TIMEOUT_S = 10.0
_LOOK_S = 0.1

_COMMANDS = {
    "add": libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
    "modify": libvirt.VIR_NETWORK_UPDATE_COMMAND_MODIFY,
    "delete": libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE,
}
# libvirt's name of a section, its number, and where its entries are.
_SECTIONS = {
    "ip-dhcp-host": (libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, "ip/dhcp/host"),
    "ip-dhcp-range": (libvirt.VIR_NETWORK_SECTION_IP_DHCP_RANGE, "ip/dhcp/range"),
    "dns-host": (libvirt.VIR_NETWORK_SECTION_DNS_HOST, "dns/host"),
    "dns-txt": (libvirt.VIR_NETWORK_SECTION_DNS_TXT, "dns/txt"),
    "dns-srv": (libvirt.VIR_NETWORK_SECTION_DNS_SRV, "dns/srv"),
    "forward-interface": (libvirt.VIR_NETWORK_SECTION_FORWARD_INTERFACE, "forward/interface"),
    "portgroup": (libvirt.VIR_NETWORK_SECTION_PORTGROUP, "portgroup"),
}


def edit(connections: Connections, operation: EditLive, cancelled: threading.Event) -> None:
    """Change a running machine; a machine that isn't running any more gets the change with its next boot.

    Raises Transient when a guest doesn't let go of a device, Cancelled while waiting for it.
    """
    ref = operation.ref
    device = parse(operation.value) if operation.verb in ("attach", "detach", "update") else None
    secrets = fill(device, operation.secrets) if device is not None else ()
    what = f"{operation.verb} {device.tag} of" if device is not None else f"change the {operation.verb} of"
    with connections.lend(f"{what} {ref} while it runs", secrets=secrets) as connection:
        domain = get(connection, ref)
        if not domain.isActive():
            return
        if device is None:
            _set(domain, operation)
        elif operation.verb == "attach":
            if not _has(domain, device):
                domain.attachDeviceFlags(serialise(device), _LIVE)
        elif operation.verb == "detach":
            if _find(domain, device) is None:
                return
            _ask_to_unplug(domain, device)
        else:
            if device.tag == "graphics" and lacks_password(device):
                keep_passwords(device, parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)))
            domain.updateDeviceFlags(serialise(device), _LIVE)
    if operation.verb == "detach" and device is not None:
        _wait_until_gone(connections, operation, device, cancelled)


def _set(domain: libvirt.virDomain, operation: EditLive) -> None:
    value = operation.value
    if operation.verb == "memory":
        domain.setMemoryFlags(int(value), _LIVE)
    elif operation.verb == "vcpus":
        domain.setVcpusFlags(int(value), _LIVE)
    elif operation.verb == "resize":
        target, _, size = value.rpartition("|")
        resize_disk(domain, operation.ref.name, target, int(size))
    else:
        kinds = {
            "title": libvirt.VIR_DOMAIN_METADATA_TITLE,
            "description": libvirt.VIR_DOMAIN_METADATA_DESCRIPTION,
        }
        domain.setMetadata(kinds[operation.verb], value or None, None, None, _LIVE)


def resize_disk(domain: libvirt.virDomain, machine: str, target: str, capacity: int) -> None:
    """Make a running machine's disk larger, `capacity` bytes in all. Raises Terminal rather than make it smaller."""
    now = domain.blockInfo(target)[0]
    if capacity < now:
        raise Terminal(
            f"{target} of {machine} has {now} bytes; it isn't shrunk to {capacity}, that would cut off data."
        )
    if capacity > now:
        domain.blockResize(target, capacity, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)


def _find(domain: libvirt.virDomain, device: Element) -> Element | None:
    """The running machine's device that is meant. The device itself where that can't be told: libvirt then decides."""
    if not devices.identity(device):
        return device
    running = parse(domain.XMLDesc()).iterfind(f"devices/{device.tag}")
    return next((each for each in running if devices.is_meant(device, each)), None)


def _has(domain: libvirt.virDomain, device: Element) -> bool:
    """True when the machine already has this very device. Another disk at the same target is libvirt's to refuse."""
    if not devices.identity(device):
        return False
    found = _find(domain, device)
    return found is not None and devices.has_same_source(device, found)


def _ask_to_unplug(domain: libvirt.virDomain, device: Element) -> None:
    try:
        domain.detachDeviceFlags(serialise(device), _LIVE)
    except libvirt.libvirtError as error:
        if _find(domain, device) is not None and not is_unplug_pending(error):
            raise


def _wait_until_gone(
    connections: Connections, operation: EditLive, device: Element, cancelled: threading.Event
) -> None:
    """libvirt answers when the guest was asked; the device is gone when the guest has let go of it."""
    if not devices.identity(device):
        return
    end = time.monotonic() + _UNPLUG_TIMEOUT_S
    while True:
        with connections.lend(f"detach {device.tag} of {operation.ref} while it runs") as connection:
            domain = get(connection, operation.ref)
            if not domain.isActive() or _find(domain, device) is None:
                return
        if time.monotonic() >= end:
            raise Transient(
                f"the guest in {operation.ref} hasn't let go of the {device.tag} that is to be detached; it is asked "
                "again later, and without it at its next boot.",
                retry_after_s=30.0,
            )
        if cancelled.wait(_LOOK_S):
            raise Cancelled(f"the agent is stopping; {operation.ref} was asked to let go of a {device.tag}.")


def update_network(connections: Connections, operation: UpdateNetwork) -> None:
    """Add, change or remove one entry of an active network, in its definition too where that doesn't have it yet.

    Raises NotFound, Terminal.
    """
    if operation.section not in _SECTIONS or operation.command not in _COMMANDS:
        raise Terminal(f"{operation.ref}: libvirt can't {operation.command} {operation.section} while a network runs.")
    with connections.lend(f"{operation.command} {operation.section} of {operation.ref}") as connection:
        network = get(connection, operation.ref)
        if network.isActive():
            _update(network, operation, libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE, network.XMLDesc(0))
        if network.isPersistent():
            definition = persistent_xml(network, libvirt.VIR_NETWORK_XML_INACTIVE)
            _update(network, operation, libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG, definition)


def _update(network: Any, operation: UpdateNetwork, affect: int, xml: str) -> None:
    number, path = _SECTIONS[operation.section]
    entries = parse(xml).findall(path)
    wanted = parse(operation.xml)
    if operation.command == "delete":
        done = not any(_is_meant(wanted, each) for each in entries)
    else:
        done = _canonical(wanted) in map(_canonical, entries)
    if not done:
        network.update(_COMMANDS[operation.command], number, -1, operation.xml, affect)


def _is_meant(wanted: Element, entry: Element) -> bool:
    """libvirt deletes the entry that agrees with all that is given, which needn't be all that it has."""
    given = set(wanted.items()) <= set(entry.items())
    return given and {_canonical(each) for each in wanted} <= {_canonical(each) for each in entry}


def _canonical(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", with_tail=False)
