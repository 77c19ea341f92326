"""Mediated devices, for want of a host that has any: what is asked of libvirt, by a libvirt that only remembers it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from reconciler.errors import Conflict
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.mediateddevice.commands import DeviceCommands
from reconciler.hypervisor.mediateddevice.driver import DRIVER
from reconciler.planning.operations import Define, SetAutostart, Start, Stop, Undefine
from specs.binding import parse
from specs.host import Host
from specs.mediateddevice import KIND
from specs.mediateddevice.model import check
from specs.reference import MEDIATED_DEVICE, Ref
from tests.specs.rendering import UID, assert_at_rest, lowered, new_xml

REF = Ref(MEDIATED_DEVICE, UID)
SPEC = {"parent": "pci_0000_06_00_0", "type": "nvidia-11", "attributes": [{"name": "b", "value": "2"},
        {"name": "a", "value": "1"}]}  # fmt: skip


class Device:
    """One that is defined, as libvirt 9 tells of it."""

    def __init__(self, xml: str) -> None:
        uid = parse(xml).findtext("capability/uuid") or ""
        self._name = f"mdev_{uid.replace('-', '_')}_0000_06_00_0"
        self.active = self.started_at_boot = False
        self.defined = True
        self._xml = xml.replace("<device>", f"<device><name>{self._name}</name>")

    def name(self) -> str:
        return self._name

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802  (libvirt's name)
        return self._xml

    def isActive(self) -> bool:  # noqa: N802  (libvirt's name)
        return self.active

    def isPersistent(self) -> bool:  # noqa: N802  (libvirt's name)
        return self.defined

    def autostart(self) -> bool:
        return self.started_at_boot

    def setAutostart(self, on: int) -> None:  # noqa: N802  (libvirt's name)
        self.started_at_boot = bool(on)

    def create(self, _flags: int) -> None:
        self.active = True

    def destroy(self) -> None:
        self.active = False

    def undefine(self, _flags: int) -> None:
        self.defined = False


class Libvirt:
    """It has what was defined; and a connection is lent as it is."""

    def __init__(self) -> None:
        self.devices: list[Device] = []

    def lend(self, *_: Any, **__: Any) -> Any:
        return self

    def __enter__(self) -> Libvirt:
        return self

    def __exit__(self, *_: object) -> None: ...

    def listAllDevices(self, _flags: int) -> list[Device]:  # noqa: N802  (libvirt's name)
        return [each for each in self.devices if each.defined or each.active]

    def nodeDeviceDefineXML(self, xml: str, _flags: int) -> Device:  # noqa: N802  (libvirt's name)
        self.devices.append(Device(xml))
        return self.devices[-1]

    def nodeDeviceLookupByName(self, _name: str) -> Device:  # noqa: N802  (libvirt's name)
        error = libvirt.libvirtError("there is none")
        error.err = (libvirt.VIR_ERR_NO_NODE_DEVICE, 0, "there is none", 0, "", None, None, 0, 0)
        raise error


def test_the_life_of_one() -> None:
    host = Libvirt()
    handlers = DeviceCommands(SimpleNamespace(connections=host)).handlers  # type: ignore[arg-type]

    def perform(operation: Any) -> None:
        for _ in range(2):  # each is safe to perform twice
            handlers[type(operation)].perform(Given(operation))

    concrete = lowered(KIND, SPEC, name=UID, host=Host())
    perform(Define(REF, UID, new_xml(KIND, concrete, name=UID, host=Host())))
    (made,) = host.devices
    assert_at_rest(KIND, concrete, made.XMLDesc(0))
    perform(Start(REF))
    perform(SetAutostart(REF, on=True))
    assert (made.active, made.started_at_boot) == (True, True)
    with pytest.raises(Conflict, match="started meanwhile"):
        perform(Undefine(REF, UID))
    perform(Stop(REF))
    perform(Undefine(REF, UID))
    assert host.listAllDevices(0) == []


def test_an_event_is_about_the_one_with_its_uuid() -> None:
    (events,) = DRIVER.events
    xml = new_xml(KIND, lowered(KIND, SPEC, name=UID, host=Host()), name=UID, host=Host())
    assert events.name(Device(xml)) == UID
    assert events.name(SimpleNamespace(name=lambda: "net_eth0")) == "net_eth0"


def test_a_driver_without_any_has_none(private_test_uri: str) -> None:
    host = Hypervisor.open(private_test_uri)
    try:
        assert not [ref for ref in host.observe().objects if ref.kind == MEDIATED_DEVICE]
    finally:
        host.close()


def test_its_name_is_its_uuid() -> None:
    assert list(check(UID, {"parent": "a", "type": "b"})) == []
    assert [pointer for pointer, _ in check("gpu", {"parent": "a", "type": "b"})] == [""]
