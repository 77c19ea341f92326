"""Changes a network that runs, and plugs guests into it again after a restart.

Entries are changed in what runs and in the definition; everything else about the definition is the business of the
`Define` in the same step. Starting and stopping is in `activation`.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import libvirt
from lxml import etree

from reconciler.errors import Disconnected, OnggiError, Terminal
from reconciler.hypervisor.active_or_not import persistent_xml
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_unsupported, message
from reconciler.hypervisor.lookup import find, get
from reconciler.hypervisor.network.ports import Port, plugged_in
from reconciler.planning.operations import ReconnectInterfaces, UpdateNetwork
from specs.binding import Element, parse, serialise, set_text_at, text_at
from specs.reference import Ref

_LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE

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
    if done:
        return
    try:
        network.update(_COMMANDS[operation.command], number, -1, operation.xml, affect)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_XML_ERROR):
            raise
        entry = " ".join(f"{key!s}={value!s}" for key, value in wanted.items())
        raise Terminal(
            f"{operation.ref}: libvirt refuses to {operation.command} the {operation.section} {entry} while the "
            f"network runs: {message(error)}; it comes with the next start of the network, or correct the document."
        ) from error


def _is_meant(wanted: Element, entry: Element) -> bool:
    """libvirt deletes the entry that agrees with all that is given, which needn't be all that it has."""
    given = set(wanted.items()) <= set(entry.items())
    return given and {_canonical(each) for each in wanted} <= {_canonical(each) for each in entry}


def _canonical(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", with_tail=False)


def reconnect_interfaces(connections: Connections, operation: ReconnectInterfaces) -> None:
    """Plug every interface of these machines that lost the network into it again, with its link taken down and up so
    that the guest asks for an address.

    One that can't be reconnected keeps none of the others from it. Raises Terminal with all those that couldn't.
    """
    with connections.lend(f"look who is plugged into {operation.ref}") as connection:
        network = get(connection, operation.ref)
        if not network.isActive():
            return
        try:
            ports = frozenset(plugged_in(network, {}).values())
            bridge = network.bridgeName()
        except libvirt.libvirtError as error:
            if is_unsupported(error):
                return  # a driver without traffic
            raise Terminal(
                f"{operation.ref} has no bridge, so running guests can't be moved to it; restart them: "
                f"{', '.join(map(str, operation.machines))}."
            ) from error
    failures = []
    for machine in operation.machines:
        try:
            with connections.lend(f"reconnect {machine} to {operation.ref}") as connection:
                domain = find(connection, machine)
                if domain is not None and domain.isActive():
                    _reconnect(domain, operation.ref, bridge, ports)
        except Disconnected:
            raise
        except OnggiError as error:
            failures.append(str(error).rstrip("."))
    if failures:
        raise Terminal(f"{'; '.join(failures)}; restart these machines to connect them.")


def _reconnect(domain: libvirt.virDomain, network: Ref, bridge: str, ports: frozenset[Port]) -> None:
    """libvirt plugs an interface in anew only when it moves between two kinds of connection, so each is moved to the
    bare bridge and back.
    """
    uid = domain.UUIDString().lower()
    defined = {_mac(each): each for each in _interfaces(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)}
    for interface in _interfaces(domain):
        mac = _mac(interface)
        link, group = text_at(interface, "link/@state"), text_at(interface, "source/@portgroup")
        if text_at(interface, "source/@network") == network.name:
            if (uid, mac) in ports:
                continue
        elif text_at(interface, "source/@bridge") == bridge and mac in defined:  # a reconnection that was cut off?
            if text_at(defined[mac], "source/@network") != network.name:
                continue
            link, group = text_at(defined[mac], "link/@state"), text_at(defined[mac], "source/@portgroup")
        else:
            continue
        bare = _connection(interface, "down", "bridge", bridge)
        whole = _connection(interface, link, "network", network.name, group)
        domain.updateDeviceFlags(serialise(bare), _LIVE)
        try:
            domain.updateDeviceFlags(serialise(whole), _LIVE)
        except libvirt.libvirtError:
            with suppress(libvirt.libvirtError):  # on the bridge alone it works as well
                domain.updateDeviceFlags(serialise(_connection(interface, link, "bridge", bridge)), _LIVE)
            raise


def _interfaces(domain: libvirt.virDomain, flags: int = 0) -> list[Element]:
    return parse(domain.XMLDesc(flags)).findall("devices/interface")


def _mac(interface: Element) -> str:
    return (text_at(interface, "mac/@address") or "").lower()


def _connection(interface: Element, link: str | None, kind: str, name: str, group: str | None = None) -> Element:
    """The same interface with another connection; `link` is up, down, or None for libvirt's own choice."""
    changed = copy.deepcopy(interface)
    for old in (*changed.findall("source"), *changed.findall("link")):
        changed.remove(old)
    changed.set("type", kind)
    set_text_at(changed, f"source/@{kind}", name)
    if group is not None:
        set_text_at(changed, "source/@portgroup", group)
    if link is not None:
        set_text_at(changed, "link/@state", link)
    return changed
