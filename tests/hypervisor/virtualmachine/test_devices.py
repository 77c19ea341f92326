"""A piece of XML means the device that has what the piece says, whatever else libvirt has added to it."""

from __future__ import annotations

import pytest
from lxml import etree

from reconciler.hypervisor.virtualmachine.devices import has_same_source, identity, is_meant

PCI = "<hostdev><source><address domain='0x0000' bus='0x00' slot='{slot}' function='0x0'/></source></hostdev>"
USB = "<hostdev><source><vendor id='{vendor}'/><product id='0xbeef'/>{address}</source></hostdev>"
SCSI = "<hostdev><source><adapter name='{adapter}'/><address bus='0' target='0' unit='0'/></source></hostdev>"


@pytest.mark.parametrize(
    ("device", "running", "meant"),
    [
        ("<disk><target dev='vda'/></disk>", "<disk><target dev='vda' bus='virtio'/><alias name='x'/></disk>", True),
        ("<disk><target dev='vda'/></disk>", "<disk><target dev='vdb'/></disk>", False),
        (
            "<interface><mac address='52:54:00:AA:00:01'/></interface>",
            "<interface><mac address='52:54:00:aa:00:01'/><target dev='vnet0'/></interface>",
            True,
        ),
        (PCI.format(slot="2"), PCI.format(slot="0x02"), True),
        (PCI.format(slot="2"), PCI.format(slot="0x03"), False),
        (
            USB.format(vendor="0x1234", address=""),
            USB.format(vendor="0x1234", address="<address bus='1' device='4'/>"),
            True,
        ),
        (USB.format(vendor="0x1234", address=""), USB.format(vendor="0x4321", address=""), False),
        (SCSI.format(adapter="scsi_host2"), SCSI.format(adapter="scsi_host2"), True),
        (SCSI.format(adapter="scsi_host2"), SCSI.format(adapter="scsi_host3"), False),
        ("<rng/>", "<rng/>", False),
    ],
)
def test_which_device_is_meant(device: str, running: str, meant: bool) -> None:
    assert is_meant(etree.fromstring(device), etree.fromstring(running)) is meant


def test_a_device_without_a_name_of_its_own_has_no_identity() -> None:
    assert identity(etree.fromstring("<rng model='virtio'/>")) == {}
    assert identity(etree.fromstring("<interface><model type='virtio'/></interface>")) == {}


def test_two_disks_at_one_place_are_told_apart_by_their_contents() -> None:
    one = etree.fromstring("<disk><source file='/a'/><target dev='vda'/></disk>")
    other = etree.fromstring("<disk><source file='/b'/><target dev='vda'/></disk>")
    assert has_same_source(one, one)
    assert not has_same_source(one, other)
    assert has_same_source(etree.fromstring("<hostdev/>"), etree.fromstring("<hostdev/>"))
