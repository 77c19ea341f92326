"""What mediated devices are to libvirt: devices of the host among others, with names of its own making."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import libvirt

from reconciler.hypervisor.carrying import carried
from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.events import Events
from reconciler.hypervisor.standing import Listed, reader_of
from reconciler.observed.snapshot import Observed
from specs.binding import parse
from specs.mediateddevice.xml import uid_of
from specs.reference import MEDIATED_DEVICE, Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.handlers import Access, KindCommands

_ALL: Final = (
    libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV
    | libvirt.VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE
    | libvirt.VIR_CONNECT_LIST_NODE_DEVICES_INACTIVE
)
_NAMED: Final = re.compile(r"mdev_([0-9a-f]{8}(?:_[0-9a-f]{4}){3}_[0-9a-f]{12})(?:_.*)?")


def _listed(connection: libvirt.virConnect) -> list[Any]:
    try:
        return list(connection.listAllDevices(_ALL))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_INVALID_ARG:  # a driver that knows of none that are only defined
            return []
        raise


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    found = next((each for name, each in _named(_listed(connection)) if name == ref.name), None)
    return found or connection.nodeDeviceLookupByName(f"mdev_{ref.name.replace('-', '_')}")


def _commands(access: Access) -> KindCommands:
    from reconciler.hypervisor.mediateddevice.commands import DeviceCommands  # only who does something loads them

    return DeviceCommands(access)


def _named(devices: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((uid, each) for each in devices if (uid := uid_of(parse(each.XMLDesc(0)))))


def _one(each: Any, ref: Ref, last: Observed | None) -> Observed:
    return carried(
        last,
        ref,
        uid=ref.name,
        xml=each.XMLDesc(0),
        state="active" if each.isActive() else "inactive",
        autostart=bool(each.autostart()),
        persistent=bool(each.isPersistent()),
    )


def _tell(device: Any) -> str:
    """The UUID of one that an event is about; of every other device its name, which is nobody's here."""
    found = _NAMED.fullmatch(device.name())
    return found[1].replace("_", "-") if found is not None else str(device.name())


DRIVER: Final = Driver(
    kind=MEDIATED_DEVICE,
    look_up=_look_up,
    commands=_commands,
    reader=reader_of(Listed(MEDIATED_DEVICE, "mediated devices", _listed, _named, _one)),
    events=(
        Events(
            libvirt.virConnect.nodeDeviceEventRegisterAny,
            libvirt.virConnect.nodeDeviceEventDeregisterAny,
            (libvirt.VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE, libvirt.VIR_NODE_DEVICE_EVENT_ID_UPDATE),
            name=_tell,
        ),
    ),
)
