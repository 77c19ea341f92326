"""Where a machine's console can be reached while it runs. Documents say nothing of the port: libvirt chooses it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.observed.snapshot import Observed
from specs.binding import parse
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.devices.fields import NOWHERE
from specs.virtualmachine.devices.graphics import find_console


@dataclass(frozen=True, slots=True)
class Console:
    """`type` is vnc or spice; `port` None while it has none; `valid_to` until when its password is, in UTC with a Z."""

    type: str
    listen: str | None = None
    port: int | None = None
    valid_to: str | None = None


def console_of(observed: Observed) -> Console | None:
    """The console that a machine has now, or will have at its next start; None for a machine without."""
    found = find_console(parse(observed.live_xml or observed.xml))
    if found is None:
        return None
    spec = MACHINES.lowered(observed.live or observed.config).get("graphics") or {}
    given = found.get("port") or found.get("tlsPort") or ""
    port = int(given) if observed.active and given.isascii() and given.isdecimal() and int(given) > 0 else None
    listen = spec.get("listen")
    return Console(str(found.get("type")), None if listen == NOWHERE else listen, port, spec.get("passwordValidTo"))


def has_serial_line(observed: Observed) -> bool:
    """Whether a machine has a serial line that libvirt hands out."""
    devices = parse(observed.live_xml or observed.xml).find("devices")
    return devices is not None and any(
        each.get("type") == "pty" for name in ("console", "serial") for each in devices.iterfind(name)
    )
