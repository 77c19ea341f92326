"""What this connection's machines can have, asked of libvirt once for each connection: consoles, streamed images, VFIO.

Only what a definition would be accepted with is asked; nothing is defined. Which of QEMU's own parts and of the
system's programs are there is for others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import libvirt

from reconciler.errors import Disconnected
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_unsupported
from reconciler.observed.answers import Abilities
from specs.binding import Element, element, parse, serialise

PROTOCOLS = ("http", "https", "ftp", "ftps", "tftp")  # in the order in which they are told

_PICTURES = ("QEMU", "TEST")  # drivers that are known to take pictures of screens


class AbilitiesAsked:
    """Answers for one host. Every method may be called from any thread."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._lock = threading.Lock()
        self._known: Abilities | None = None

    @property
    def latest(self) -> Abilities | None:
        """What was learned last, also when the host is away now; None when it was never asked."""
        return self._known

    def read(self) -> Abilities:
        """The answer of the connection that there is now. Raises Disconnected."""
        self._connections.ensure()
        with self._lock:
            known = self._known
            if known is None or known.generation != self._connections.generation:
                known = self._known = self._ask()
            return known

    def _ask(self) -> Abilities:
        generation = self._connections.generation
        with self._connections.lend("read what the host's machines can have") as connection:
            capabilities = _answer(connection.getCapabilities)
            domain = _answer(connection.getDomainCapabilities)
            offered = parse(domain) if domain else None
            return Abilities(
                generation=generation,
                driver=str(connection.getType()),
                capabilities=capabilities,
                emulator=(offered.findtext("path") or "") if offered is not None else "",
                spice=offered is not None and "spice" in _values(offered, "graphics", "type"),
                vfio=offered is not None and "vfio" in _values(offered, "hostdev", "pciBackend"),
                stream_protocols=_protocols(connection, offered),
                memory_hotplug=offered is not None and _takes_memory(connection, offered),
                screenshots=True if connection.getType() in _PICTURES else None,
            )


def _answer(call: Callable[[], str]) -> str:
    """What libvirt says; empty when its driver can't."""
    try:
        return call()
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return ""
        raise


def _values(offered: Element, device: str, enum: str) -> list[str]:
    found = offered.iterfind(f"devices/{device}[@supported='yes']/enum[@name='{enum}']/value")
    return [each.text or "" for each in found]


def _machine(offered: Element) -> Element:
    """The least that can be asked about: what libvirt says of itself, and nothing of ours."""
    kind, arch = offered.findtext("domain") or "qemu", offered.findtext("arch") or "x86_64"
    return element(
        "domain",
        element("name", "onggi-question"),
        element("memory", "64", unit="MiB"),
        element("os", element("type", "hvm", arch=arch, machine=offered.findtext("machine") or "")),
        type=kind,
    )


def _protocols(connection: libvirt.virConnect, offered: Element | None) -> tuple[str, ...]:
    return tuple(each for each in PROTOCOLS if offered is not None and _takes(connection, offered, each))


def _takes(connection: libvirt.virConnect, offered: Element, protocol: str) -> bool:
    drive = element(
        "disk",
        element("source", element("host", name="localhost", port="80"), protocol=protocol, name="/image.iso"),
        element("target", dev="sda", bus="scsi"),
        type="network",
        device="cdrom",
    )
    asked = _machine(offered)
    asked.append(element("devices", drive))
    return _is_taken(connection, asked)


def _takes_memory(connection: libvirt.virConnect, offered: Element) -> bool:
    asked = _machine(offered)
    asked.insert(1, element("maxMemory", "128", unit="MiB", slots="1"))
    asked.append(element("cpu", element("numa", element("cell", id="0", cpus="0", memory="64", unit="MiB"))))
    return _is_taken(connection, asked)


def _is_taken(connection: libvirt.virConnect, asked: Element) -> bool:
    """Whether libvirt could make a command line of it, which defines and starts nothing."""
    try:
        connection.domainXMLToNative("qemu-argv", serialise(asked), 0)
    except libvirt.libvirtError as error:
        if connection.isAlive() != 1:
            raise Disconnected("The connection was lost while the host was asked what it can do.") from error
        return False
    return True
