"""The two hosts that every noun is tried on: libvirt's test driver, and QEMU with real files and networks.

Both begin alike, as the test driver's does: a running machine `test` with a raw disk on the network `default`, which is
active, and an active pool `default-pool`. Then comes what the original's clients expect to find.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import libvirt

from tests.api.kimchi.differences import Difference
from tests.api.kimchi.guest import bootable_disk, bootable_iso
from tests.lab.libvirtd import UNDEFINE_ALL
from tests.lab.secluded_libvirtd import SecludedLibvirtd
from tests.stories.hosts import SHARED

TEST_DRIVER, QEMU = "test", "qemu"
LUNS = (
    "<pool type='iscsi'><name>luns</name>"
    "<source><host name='127.0.0.1' port='3261'/><device path='iqn.2030-01.lab:disks'/></source>"
    "<target><path>/dev/disk/by-path</path></target></pool>"
)
_POOL = "<pool type='dir'><name>{name}</name><target><path>{path}</path></target></pool>"
_VOLUME = (
    "<volume><name>{name}</name><capacity unit='GiB'>{size}</capacity>"
    "<target><format type='{format}'/></target></volume>"
)
_VOLUMES = (("base.qcow2", 3, "qcow2"), ("data.qcow2", 1, "qcow2"), ("installer.iso", 1, "iso"))
_NETWORK = """
<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/><ip address='192.168.122.1' prefix='24'>
  <dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip></network>
"""
_MACHINE = """
<domain type='kvm'><name>test</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda'/></disk>
    <interface type='network'><mac address='52:54:00:dd:ee:ff'/><source network='default'/></interface>
  </devices></domain>
"""


@dataclass(frozen=True)
class Host:
    """`hand` is somebody at virsh. Both libvirt and the agent find what lies in `folder`. `machines` is the type that
    libvirt's definitions of machines name.
    """

    driver: str
    machines: str
    uri: str
    hand: libvirt.virConnect
    folder: Path

    def expects(self, difference: Difference) -> Any:
        """What is right on this one."""
        return getattr(difference, self.driver)


@contextmanager
def on_the_test_driver(hand: libvirt.virConnect, folder: Path) -> Iterator[Host]:
    """`hand` is one whose host is as new afterwards."""
    _isos(folder)
    pool = hand.storagePoolDefineXML(_POOL.format(name="default", path=folder / "pool"))
    pool.create()
    for name, size, form in _VOLUMES:
        pool.createXML(_VOLUME.format(name=name, size=size, format=form), 0)
    yield Host(TEST_DRIVER, "test", SHARED, hand, folder)


@contextmanager
def on_qemu(daemon: SecludedLibvirtd) -> Iterator[Host]:
    """The machine `test` goes on from one test to the next: QEMU takes its time to start."""
    hand = libvirt.open(daemon.uri)
    folder = daemon.folder / secrets.token_hex(4)
    folder.mkdir()
    try:
        _begin(hand, daemon.folder)
        _isos(folder)
        (folder / "pool").mkdir()
        images = _images(daemon.folder)
        for name, _, _ in _VOLUMES:
            shutil.copyfile(images / name, folder / "pool" / name)
        hand.storagePoolDefineXML(_POOL.format(name="default", path=folder / "pool")).create()
        yield Host(QEMU, "kvm", daemon.uri, hand, folder)
    finally:
        _clear(hand)
        hand.close()
        shutil.rmtree(folder)


def _isos(folder: Path) -> None:
    (isos := folder / "isos").mkdir()
    (isos / "some.iso").write_bytes(bytes(2048 * 20))


@cache
def _images(folder: Path) -> Path:
    """The volumes' files."""
    (images := folder / "images").mkdir()
    bootable_iso(images / "installer.iso")
    for name, size, form in _VOLUMES[:2]:
        bootable_disk(images / name, size, form)
    bootable_disk(images / "test.img", 1, "raw")
    return images


def _begin(hand: libvirt.virConnect, folder: Path) -> None:
    """Only what isn't there yet, or was stopped."""
    (pool := folder / "default-pool").mkdir(exist_ok=True)
    machine = _MACHINE.format(disk=_images(folder) / "test.img")
    for there, define, xml in (
        (hand.listAllStoragePools(), hand.storagePoolDefineXML, _POOL.format(name="default-pool", path=pool)),
        (hand.listAllNetworks(), hand.networkDefineXML, _NETWORK),
        (hand.listAllDomains(), hand.defineXML, machine),
    ):
        found = there[0] if there else define(xml)
        if not found.isActive():
            found.create()


def _clear(hand: libvirt.virConnect) -> None:
    """All but that."""
    for domain in hand.listAllDomains():
        if domain.name() != "test":
            if domain.isActive():
                domain.destroy()
            domain.undefineFlags(UNDEFINE_ALL)
    for volume in hand.storagePoolLookupByName("default-pool").listAllVolumes():
        volume.delete()
    for listing, kept in ((hand.listAllNetworks(), "default"), (hand.listAllStoragePools(), "default-pool")):
        for each in listing:
            if each.name() != kept:
                if each.isActive():
                    each.destroy()
                each.undefine()
