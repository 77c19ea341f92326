"""Takes a picture of a running machine's first screen. How it becomes a PNG is in `pictures`; nothing is kept here."""

from __future__ import annotations

from contextlib import suppress

import libvirt

from reconciler.errors import Refused, Terminal
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.lookup import get
from reconciler.observed.pictures import MOST_BYTES, black, png
from specs.binding import parse
from specs.reference import Ref

_CHUNK = 256 * 1024


def screenshot(connections: Connections, ref: Ref) -> bytes:
    """A PNG; a black one of a machine that has no screen. Raises Refused when it doesn't run, Unsupported."""
    with connections.lend(f"take a picture of the screen of {ref}", Lane.DATA) as connection:
        domain = get(connection, ref)
        if not domain.isActive():
            raise Refused(f"{ref} doesn't run, so it has no screen; start it first.", reason="MachineNotRunning")
        if domain.connect().getType() != "TEST" and not _has_screen(domain):
            return black()
        picture = _taken(connection, domain)
    return png(picture) if picture else black()


def _has_screen(domain: libvirt.virDomain) -> bool:
    models = [each.get("type") for each in parse(domain.XMLDesc()).iterfind("devices/video/model")]
    return any(model != "none" for model in models)


def _taken(connection: libvirt.virConnect, domain: libvirt.virDomain) -> bytes:
    stream = connection.newStream()
    domain.screenshot(stream, 0)
    parts: list[bytes] = []
    got = 0
    try:
        while got <= MOST_BYTES and (part := stream.recv(_CHUNK)):
            got += len(part)
            parts.append(part)
    finally:  # at its end, too: all of it is here
        with suppress(libvirt.libvirtError):
            stream.abort()
    if got > MOST_BYTES:
        raise Terminal("The picture of the screen has no end; look at what the machine's video device does.")
    return b"".join(parts)
