"""A machine's serial line, over a stream of libvirt's.

It has a connection of its own, on which only one thread at a time waits, and never for long: a thread that waited there
for what the guest says could lose it to one that writes (docs/adr/0020). So what came is looked for again and again.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import libvirt

from reconciler.errors import Conflict, NotFound, Refused
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.failure import message, translate
from reconciler.hypervisor.lookup import check_uid, find
from specs.reference import Ref

_CHUNK = 4096
_LOOK_EVERY_S = 0.03
_IN_USE = re.compile("active console session", re.IGNORECASE)
_NOTHING_YET = -2  # of a stream that doesn't block


class SerialLine:
    """Open until the `with` ends. `read` is for one thread, `write` for one other."""

    def __init__(self, uri: str, ref: Ref, *, force: bool, uid: str = "") -> None:
        """`force` takes the line from whoever has it. With `uid` it is that machine's or nobody's.

        Raises NotFound, Refused, Conflict, and what libvirt says.
        """
        self._ref = ref
        self._uid = uid
        self._turn = threading.Lock()
        self._closed = threading.Event()
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
            if self._uid:
                check_uid(self._ref, domain, self._uid)
            if not domain.isActive():
                raise Refused(
                    f"{self._ref} doesn't run, so nobody is at its console; start it: onggi start {self._ref.name}",
                    reason="MachineNotRunning",
                )
            self._connection = connection
            self._stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
            flags = libvirt.VIR_DOMAIN_CONSOLE_FORCE if force else libvirt.VIR_DOMAIN_CONSOLE_SAFE
            try:
                domain.openConsole(None, self._stream, flags)
            except libvirt.libvirtError as error:
                if not _IN_USE.search(message(error)):
                    raise
                raise Conflict(f"Somebody is at the console of {self._ref} already; take it over by force.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self) -> bytes:
        """What has come; empty when the line has ended."""
        while not self._closed.is_set():
            if (found := self.look()) is not None:
                return found
            self._closed.wait(_LOOK_EVERY_S)
        return b""

    def look(self) -> bytes | None:
        """What has come by now; None for nothing, empty when the line has ended."""
        try:
            with self._turn:
                self._connection.getLibVersion()  # any answer brings along what came for the stream before it
                found = self._stream.recv(_CHUNK)
        except libvirt.libvirtError:  # closed from here, or its machine is gone
            return b""
        return None if found == _NOTHING_YET else bytes(found)

    def write(self, data: bytes) -> None:
        """Send all of it. Raises OnggiError when the line has ended."""
        while data and not self._closed.is_set():
            if sent := self.push(data):
                data = data[sent:]
            else:
                self._closed.wait(_LOOK_EVERY_S)

    def push(self, data: bytes) -> int:
        """How much of it is sent; 0 while nothing is taken. Raises OnggiError when the line has ended."""
        try:
            with self._turn:
                sent = self._stream.send(data)
        except libvirt.libvirtError as error:
            raise translate(error, f"write to the console of {self._ref}", ()) from None
        return 0 if sent == _NOTHING_YET else int(sent)

    def close(self) -> None:
        """Let go of the line; `read` ends."""
        self._closed.set()
        with self._turn, suppress(libvirt.libvirtError):
            self._stream.abort()
        self._connections.close()
