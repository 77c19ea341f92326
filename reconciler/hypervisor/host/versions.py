"""Which libvirt this is, and which one answers at a URI with which hypervisor. Nothing is kept open."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import libvirt

from reconciler.hypervisor.failure import message

# libvirt prints each error on stderr unless a handler takes it; here they are part of the answer.
libvirt.registerErrorHandler(lambda *_: None, None)

PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Answering:
    """What is at a URI. `problem`: why that isn't known; the rest is empty then."""

    libvirt: str = ""
    driver: str = ""
    hypervisor: str = ""
    problem: str = ""


def client_version() -> str:
    """Of the library in this process."""
    return _dotted(libvirt.getVersion())


def answering_at(uri: str, patience_s: float = PATIENCE_S) -> Answering:
    """Ask. A daemon that is away is told of; one that hangs is left alone after that time."""
    found: list[Answering] = []
    # A call to libvirt can't be ended: the thread is left behind with the process.
    thread = threading.Thread(target=lambda: found.append(_asked(uri)), name="onggi-versions", daemon=True)
    thread.start()
    thread.join(patience_s)
    return found[0] if found else Answering(problem=f"no answer within {patience_s:g} s")


def _asked(uri: str) -> Answering:
    try:
        connection = libvirt.openReadOnly(uri)
        try:
            library, driver = _dotted(connection.getLibVersion()), str(connection.getType())
            return Answering(library, driver, _dotted(connection.getVersion()))
        finally:
            connection.close()
    except libvirt.libvirtError as error:
        return Answering(problem=message(error))


def _dotted(number: int) -> str:
    """libvirt's 9000001 is 9.0.1."""
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
