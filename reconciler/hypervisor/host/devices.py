"""The host's devices, from libvirt. A list is kept until an event tells of a change, or until it is old: not every
change of a device makes an event.

What a device's XML means is for `device_xml`; what to do with the list for `host_devices`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import libvirt
from lxml import etree

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_not_found, is_unsupported, message
from reconciler.hypervisor.host.device_xml import host_device
from reconciler.observed.host_devices import HostDevice, HostDevices, listing

log = logging.getLogger("onggi.hypervisor")

REREAD_S = 60.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A list, and what it was true for: a connection, a time, and the last change that was heard of before."""

    list: HostDevices
    generation: int
    at_s: float
    change: object


class DeviceList:
    """Answers for one host. Every method may be called from any thread."""

    def __init__(
        self, connections: Connections, *, reread_s: float = REREAD_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._connections = connections
        self._reread_s = reread_s
        self._now = now
        self._reading = threading.Lock()
        self._known: _Known | None = None
        self._change = object()
        self._parsed: dict[str, tuple[str, HostDevice]] = {}  # name → (XML, what it means)
        self._told: set[str] = set()

    def forget(self) -> None:
        """A device came, went or changed: the list is read again when it is asked for. Returns at once."""
        self._change = object()

    def read(self) -> HostDevices:
        """All devices: the very same value while nothing changed. An odd one is a sentence in it and hides no other;
        a driver without devices gives an empty list with the reason. Raises Disconnected.
        """
        self._connections.ensure()
        if (fresh := self._fresh()) is not None:
            return fresh
        with self._reading:
            if (fresh := self._fresh()) is not None:  # somebody else has just read it
                return fresh
            change, at_s = self._change, self._now()
            found = self._list()
            known = self._known
            if known is not None and (known.list.devices, known.list.skipped) == (found.devices, found.skipped):
                found = known.list
            self._known = _Known(found, self._connections.generation, at_s, change)
            return found

    def _fresh(self) -> HostDevices | None:
        known = self._known
        if known is None or known.change is not self._change or known.generation != self._connections.generation:
            return None
        return known.list if self._now() - known.at_s < self._reread_s else None

    def _list(self) -> HostDevices:
        found: dict[str, tuple[str, HostDevice]] = {}
        skipped: list[str] = []
        with self._connections.lend("list the host's devices") as connection:
            try:
                listed = connection.listAllDevices(0)
            except libvirt.libvirtError as error:
                if not is_unsupported(error):
                    raise
                return HostDevices(skipped=(f"This host doesn't tell of its devices: {message(error)}.",))
            for device in listed:
                try:
                    name, xml = device.name(), device.XMLDesc(0)
                except libvirt.libvirtError as error:
                    if connection.isAlive() != 1:
                        raise
                    if not is_not_found(error):  # else it was unplugged since it was listed
                        skipped.append(f"A device can't be read: {message(error)}.")
                    continue
                try:
                    before = self._parsed.get(name)
                    found[name] = before if before is not None and before[0] == xml else (xml, host_device(xml))
                except (ValueError, etree.XMLSyntaxError) as error:
                    skipped.append(f"The device {name} is left out, because its description is odd: {error}.")
        self._parsed = found
        self._tell(skipped)
        return listing((device for _, device in found.values()), skipped)

    def _tell(self, skipped: list[str]) -> None:
        for sentence in skipped:
            if sentence not in self._told:
                log.warning("%s", sentence)
        self._told = set(skipped)
