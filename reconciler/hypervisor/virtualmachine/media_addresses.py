"""Refuses a new drive whose data QEMU would ask for where onggi may not go.

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

_LOOK_S = 10.0


def check_addresses(connections: Connections, ref: Ref, devices: Element, networks: Networks) -> None:
    """Raises Terminal for a machine, or a drive, with new data at an address that isn't allowed."""
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
    """The servers that the drives of a machine, or one drive, have their data from."""
    for drive in root.iter("disk"):
        source = drive.find("source")
        if source is not None and source.get("protocol") is not None:
            yield from filter(None, (host.get("name") for host in source.iterfind("host")))


def _present(connections: Connections, ref: Ref) -> set[str]:
    with connections.lend(f"look at {ref}") as connection:
        machine = find(connection, ref)
        if machine is None:
            return set()
        xmls = {machine.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), machine.XMLDesc()}
        return {host for xml in xmls for host in _named(parse(xml))}
