"""The host's devices, as its libvirt has them: kept while nothing happens, read again when something does."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import libvirt
import pytest

from reconciler.errors import Disconnected
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.host import devices
from reconciler.hypervisor.host.device_xml import host_device
from reconciler.hypervisor.host.devices import DeviceList
from tests.lab.waiting import until

VIRTUAL_ADAPTER = """<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'>
  <wwnn>2000000099999999</wwnn><wwpn>1000000099999999</wwpn></capability></capability></device>"""


class Watched:
    """A host's list of devices that hears of the host's events."""

    def __init__(self, uri: str) -> None:
        self.now_s = 0.0
        self.connections = Connections(uri, changed=lambda _: None, devices=lambda: self.list.forget())
        self.list = DeviceList(self.connections, reread_s=60, now=lambda: self.now_s)


@pytest.fixture
def test_host() -> Iterator[Watched]:
    host = Watched("test:///default")
    yield host
    host.connections.close()


def names(host: Watched) -> list[str]:
    return [each.name for each in host.list.read().devices]


def test_the_test_drivers_devices(test_host: Watched) -> None:
    found = test_host.list.read()
    assert {"computer", "scsi_host1", "scsi_host2", "scsi_host11"} <= set(names(test_host))
    assert found.skipped == ()
    assert {each.name for each in found.of_kind("fc_host")} >= {"scsi_host1", "scsi_host2"}


def test_nothing_new_is_the_same_list(test_host: Watched) -> None:
    before = test_host.list.read()
    assert test_host.list.read() is before
    test_host.list.forget()
    assert test_host.list.read() is before


def test_a_device_that_comes_and_goes_is_seen(test_host: Watched) -> None:
    before = names(test_host)
    with test_host.connections.lend("make a device") as connection:
        made = connection.nodeDeviceCreateXML(VIRTUAL_ADAPTER)
    name = made.name()
    until(lambda: name in names(test_host), 60, "the new adapter in the list")
    made.destroy()
    until(lambda: names(test_host) == before, 60, "a list without it")


def test_an_old_list_is_read_again_without_an_event(test_host: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(devices, "host_device", lambda xml: read.append(xml) or host_device(xml))
    first = test_host.list.read()
    asked = len(read)
    test_host.now_s = 59
    test_host.list.read()
    test_host.now_s = 61
    assert test_host.list.read() is first
    assert len(read) == asked, "a description that is the same isn't parsed again"


def test_an_odd_device_hides_no_other_and_is_logged_once(
    test_host: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def picky(xml: str):
        if "scsi_host2" in xml:
            raise ValueError("its <host> is missing")
        return host_device(xml)

    monkeypatch.setattr(devices, "host_device", picky)
    with caplog.at_level(logging.WARNING):
        found = test_host.list.read()
        test_host.list.forget()
        assert test_host.list.read() is found
    assert found.get("scsi_host2") is None
    assert found.get("scsi_host1") is not None
    assert found.skipped == (
        "The device scsi_host2 is left out, because its description is odd: its <host> is missing.",
    )
    assert [record.message for record in caplog.records].count(found.skipped[0]) == 1


def test_a_host_that_cant_be_reached_says_so() -> None:
    host = Watched("qemu+unix:///system?socket=/nonexistent")
    with pytest.raises(Disconnected):
        host.list.read()


@pytest.mark.qemu
def test_the_real_hosts_devices(qemu_system: str, qemu_connection: libvirt.virConnect) -> None:
    host = Watched(qemu_system)
    found = host.list.read()
    listed = {each.name() for each in qemu_connection.listAllDevices(0)}
    # Other tests make networks and taps meanwhile; hardware stays.
    assert {each for each in listed if not each.startswith("net_")} <= {each.name for each in found.devices}
    assert found.skipped == ()
    for device in found.of_kind("pci"):
        told = device.told()
        assert told["path"].startswith("/sys/")
        assert {"domain", "bus", "slot", "function", "vendor", "product", "iommuGroup"} <= set(told)
    computer = found.get("computer")
    assert computer is not None
    assert computer.told()["parent"] is None
    host.connections.close()
