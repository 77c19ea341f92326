"""The virtual machine's side of libvirt's XML: its binds, and what the registry asks of a kind's `xml` module.

The binds' order is the order in which fields are written: processors before their topology, the machine before its
devices. Each device's own rules are in the neighbouring modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from specs.binding import Bind
from specs.declared_binds import complete
from specs.element_codes import make_known
from specs.virtualmachine.devices.element_codes import CODES
from specs.virtualmachine.devices.fields import FIELDS as DEVICES
from specs.virtualmachine.devices.graphics import GRAPHICS, MORE_GRAPHICS
from specs.virtualmachine.devices.hostdevices import HOST_DEVICES
from specs.virtualmachine.devices.plugging import PLUGGED
from specs.virtualmachine.fields import SPEC
from specs.virtualmachine.interfaces.interfaces import INTERFACES
from specs.virtualmachine.lowering import lower
from specs.virtualmachine.platform.machine import MACHINE
from specs.virtualmachine.skeleton import skeleton
from specs.virtualmachine.storage.cdroms import CDROMS
from specs.virtualmachine.storage.controllers import CONTROLLERS
from specs.virtualmachine.storage.disks import DISKS
from specs.virtualmachine.storage.floppies import FLOPPIES

if TYPE_CHECKING:
    from specs.virtualmachine.spec import SecretFrom, VirtualMachineSpec

make_known(CODES)
_BY_HAND = (
    *MACHINE,
    *GRAPHICS,
    *CONTROLLERS,
    DISKS,
    CDROMS,
    FLOPPIES,
    INTERFACES,
    HOST_DEVICES,
    MORE_GRAPHICS,
    *PLUGGED,
)
# Another machine type lays all devices out anew, and no console has no card: what is declared of both comes after that.
BINDS: tuple[Bind, ...] = tuple(
    sorted(complete(SPEC, _BY_HAND), key=lambda bind: bind not in _BY_HAND and bind.name.partition("/")[0] in DEVICES)
)


class Secret(NamedTuple):
    """Where a secret goes in the XML (`attribute` of the element at `path`), and where it is kept: `file` or `env`."""

    path: str
    attribute: str
    source: SecretFrom


def secret_slots(declared: VirtualMachineSpec) -> tuple[Secret, ...]:
    """The secrets that a spec refers to. They are put in at the last moment, and never by this package."""
    graphics = declared.get("graphics", {})
    source = graphics.get("passwordFrom")
    if source is None or graphics.get("type") == "none":
        return ()
    return (Secret("devices/graphics", "passwd", source),)


__all__ = ["BINDS", "Secret", "lower", "secret_slots", "skeleton"]
