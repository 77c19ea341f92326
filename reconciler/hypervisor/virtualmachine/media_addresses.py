"""Refuses a new CD-ROM that QEMU would read from where onggi may not go.

QEMU asks for the name again each time that it opens the address, and follows what the server says: what a name means is
only known of now. A medium that a machine has already stays, whatever its address.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import libvirt

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.lookup import find
from reconciler.network.addresses import Networks
from specs.binding import Element, parse
from specs.reference import Ref

log = logging.getLogger("onggi.network")

_PROTOCOLS = ("http", "https", "ftp", "ftps", "tftp")
_LOOK_S = 10.0


def check_addresses(connections: Connections, ref: Ref, devices: Element, networks: Networks) -> None:
    """Raises Terminal for a machine, or a drive, with a new medium at an address that isn't allowed."""
    wanted = set(_named(devices))
    if wanted and (new := wanted - _present(connections, ref)):
        for host in sorted(new):
            check_host(host, networks)


def check_host(host: str, networks: Networks) -> None:
    """Raises NotAllowed (Terminal) for a host that is known to be where onggi may not go. Blocks for its name."""
    from reconciler.network.connecting import allowed_places  # few machines read a medium over the network

    try:
        allowed_places(host, 0, networks, _LOOK_S)
    except OSError as error:  # QEMU will find it as little
        log.info("where %s is isn't known: %s", host, error)


def _named(root: Element) -> Iterator[str]:
    """The servers of the network media in a machine, or a drive."""
    for drive in root.iter("disk"):
        source = drive.find("source")
        if drive.get("device") == "cdrom" and source is not None and source.get("protocol") in _PROTOCOLS:
            for host in source.iterfind("host"):
                yield host.get("name") or ""


def _present(connections: Connections, ref: Ref) -> set[str]:
    with connections.lend(f"look at {ref}") as connection:
        machine = find(connection, ref)
        if machine is None:
            return set()
        xmls = {machine.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), machine.XMLDesc()}
        return {host for xml in xmls for host in _named(parse(xml))}
