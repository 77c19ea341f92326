"""A machine's serial line, over a stream of libvirt's.

It has a connection of its own: one thread reads from it for as long as the line is open while another one writes, and
nothing else may wait on a connection on which that happens.
"""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Self

import libvirt

from reconciler.errors import NotFound, Refused
from reconciler.observed.hypervisor.connection import Connections, Lane
from reconciler.observed.hypervisor.failure import translate
from reconciler.observed.hypervisor.performing.lookup import find
from specs.reference import Ref

_CHUNK = 4096


class SerialLine:
    """Open until the `with` ends. `read` is for one thread, `write` for one other."""

    def __init__(self, uri: str, ref: Ref, *, force: bool) -> None:
        """`force` takes the line from whoever has it. Raises NotFound, Refused, and what libvirt says."""
        self._ref = ref
        # The same way in as everybody's: it takes care of libvirt's messages, and of how errors are told.
        self._connections = Connections(uri, quick=1, slow=1, changed=lambda _: None, devices=lambda: None)
        try:
            self._open(force=force)
        except BaseException:
            self._connections.close()
            raise

    def _open(self, *, force: bool) -> None:
        with self._connections.lend(f"open the console of {self._ref}", Lane.DATA) as connection:
            domain = find(connection, self._ref)
            if domain is None:
                raise NotFound(f"{self._ref} isn't on this host; `onggi get vm` lists those that are declared.")
            if not domain.isActive():
                raise Refused(
                    f"{self._ref} doesn't run, so nobody is at its console; start it: onggi start {self._ref.name}",
                    reason="MachineNotRunning",
                )
            self._stream = connection.newStream()
            flags = libvirt.VIR_DOMAIN_CONSOLE_FORCE if force else libvirt.VIR_DOMAIN_CONSOLE_SAFE
            domain.openConsole(None, self._stream, flags)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self) -> bytes:
        """What has come; empty when the line has ended."""
        try:
            return bytes(self._stream.recv(_CHUNK))
        except libvirt.libvirtError:
            return b""  # closed from here, or its machine is gone

    def write(self, data: bytes) -> None:
        """Send all of it. Raises OnggiError when the line has ended."""
        while data:
            try:
                sent = self._stream.send(data)
            except libvirt.libvirtError as error:
                raise translate(error, f"write to the console of {self._ref}", ()) from None
            data = data[sent:]

    def close(self) -> None:
        """Let go of the line; `read` ends."""
        with suppress(libvirt.libvirtError):
            self._stream.abort()
        self._connections.close()
