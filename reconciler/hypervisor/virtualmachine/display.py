"""A running machine's screen as a socket that speaks VNC.

Where libvirt is on this machine QEMU itself is handed one end of a pair, and asks for no password: whoever may do that
is root to it already. So the screen need not listen anywhere. Elsewhere, and with drivers that can't do that, the
socket is a connection to where it listens.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

import libvirt
from lxml import etree

from reconciler.errors import Refused, Transient
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.lookup import check_uid, get
from reconciler.locality import hands_over
from specs.binding import parse
from specs.reference import Ref

_CONNECT_S: Final = 5.0


def open_display(connections: Connections, ref: Ref, uid: str) -> socket.socket:
    """Raises Refused when there is no such screen now, NotFound, Conflict for another machine, Transient."""
    with connections.lend(f"open the screen of {ref}", Lane.SLOW) as connection:
        domain = get(connection, ref)
        check_uid(ref, domain, uid)
        if not domain.isActive():
            raise Refused(f"{ref} doesn't run, so it has no screen; start it first.", reason="MachineNotRunning")
        found = list(parse(domain.XMLDesc()).iterfind("devices/graphics"))
        place = next((number for number, each in enumerate(found) if each.get("type") == "vnc"), None)
        if place is None:
            raise Refused(f"{ref} has no VNC screen; set `graphics.type` to vnc.", reason="NoScreen")
        if hands_over(connections.uri):
            flags = libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH
            return socket.socket(fileno=domain.openGraphicsFD(place, flags))
    return _connected(ref, found[place], urlsplit(connections.uri).hostname)


def _connected(ref: Ref, screen: etree._Element, host: str | None) -> socket.socket:
    nested = screen.find("listen[@type='address']")
    listens = screen.get("listen") or (nested.get("address") if nested is not None else None) or ""
    port = screen.get("port") or ""
    if not port.isdecimal():
        raise Refused(f"{ref}'s screen listens nowhere; set `graphics.listen` to an address.", reason="NoScreen")
    target = _reached_at(listens, host)
    if target is None:
        raise Refused(
            f"{ref}'s screen listens on {listens}, which is only reached on {host}; run onggi there, or set "
            "`graphics.listen` to an address that is reached from here.",
            reason="NoScreen",
        )
    try:
        return socket.create_connection((target, int(port)), timeout=_CONNECT_S)
    except OSError as error:
        raise Transient(f"{ref}'s screen can't be reached at {target}:{port}: {error.strerror or error}.") from None


def _reached_at(listens: str, host: str | None) -> str | None:
    try:
        address = ipaddress.ip_address(listens)
    except ValueError:
        return listens or host or "127.0.0.1"
    if address.is_unspecified:
        return host or "127.0.0.1"
    return None if address.is_loopback and host is not None else listens
