"""What can be done to mediated devices. libvirt has mdevctl do it, and says so where a host lacks that."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import libvirt

from reconciler.errors import Conflict, Terminal
from reconciler.hypervisor import activation, defining
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access, KindCommands, nothing
from reconciler.hypervisor.lookup import find, get
from reconciler.planning.operations import Define, SetAutostart, Start, Stop, Undefine
from specs.binding import serialise

_SETTLES_S: Final = 10  # libvirt hears of it from the file system within a fraction of a second
_LOOKS_AGAIN_S: Final = 0.02


class DeviceCommands(KindCommands):
    """Of one host's mediated devices. None opens a file."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._connections = connections = access.connections
        self.on(Define, self._define, opens=nothing)
        self.on(
            Start,
            lambda given: activation.start(connections, given.operation, lambda found: found.create(0)),
            opens=nothing,
        )
        self.on(Stop, lambda given: activation.stop(connections, given.operation), opens=nothing)
        self.on(SetAutostart, self._set_autostart, opens=nothing)
        self.on(Undefine, self._undefine, opens=nothing)

    def _define(self, given: Given[Define]) -> None:
        """One that is defined already is as it should be: libvirt can't change it, and no plan asks for that."""
        with self._connections.lend(f"define {given.operation.ref}") as connection:
            found = find(connection, given.operation.ref)
            if found is None or not found.isPersistent():
                connection.nodeDeviceDefineXML(serialise(given.root), 0)

    def _set_autostart(self, given: Given[SetAutostart]) -> None:
        operation, ref = given.operation, given.operation.ref
        defining.set_autostart(self._connections, operation)
        with self._connections.lend(f"look at the autostart of {ref}") as connection:
            _wait_until(
                lambda: bool(get(connection, ref).autostart()) == operation.on,
                f"The autostart of {ref} is {'on' if operation.on else 'off'}",
            )

    def _undefine(self, given: Given[Undefine]) -> None:
        ref = given.operation.ref
        with self._connections.lend(f"undefine {ref}") as connection:
            found = find(connection, ref)
            if found is None or not found.isPersistent():
                return
            if found.isActive():
                raise Conflict(f"{ref} was started meanwhile, so it isn't removed; the next pass stops it first.")
            try:
                found.undefine(0)
            except libvirt.libvirtError as error:
                if "No devices match" not in str(error):  # mdevctl's word for one that is removed already
                    raise
            _wait_until(lambda: find(connection, ref) is None, f"{ref} is removed")


def _wait_until(seen: Callable[[], bool], done: str) -> None:
    """mdevctl does it, and libvirt tells what was before until it has seen that. Raises Terminal when it doesn't."""
    end = time.monotonic() + _SETTLES_S
    while not seen():
        if time.monotonic() > end:
            raise Terminal(
                f"{done}, but libvirt still tells what was before. A libvirtd that was started before mdevctl was "
                "installed doesn't see what that changes: restart libvirtd."
            )
        time.sleep(_LOOKS_AGAIN_S)
