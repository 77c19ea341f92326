"""Of drives: what of them goes with which bus, image and source."""

from __future__ import annotations

from typing import Any

_GEOMETRY = {"cylinders": 100, "heads": 16, "sectors": 63}
_RBD = {"protocol": "rbd", "name": "pool/a", "hosts": ["a.example", "b.example:6790"]}
_ISCSI = {"protocol": "iscsi", "name": "iqn.2024-01.org.example:a/1", "hosts": ["a.example"]}
_NFS = {"protocol": "nfs", "name": "/export/a", "hosts": ["a.example"], "user": "ops", "group": "ops"}
_USAGE: dict[str, Any] = {"usage": "ops"}
_UUID = {"uuid": "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c31"}
_FILE = {"file": "/srv/images/a.img"}

_BOTH = {"bytesPerSecond": 1024, "iops": 100}
_EACH = {"readBytesPerSecond": 1024, "writeBytesPerSecond": 1024, "readIops": 100, "writeIops": 100}

_DISKS: tuple[dict[str, Any], ...] = (
    *(
        {"volume": "default/a", "ioLimits": limits, "ioBurst": {name: value * 4 for name, value in limits.items()}}
        for limits in (_BOTH, _EACH)
    ),
    {"volume": "default/r"},
    {"volume": "default/a"},
    _FILE,
    {"block": "/dev/disk/by-id/a", "device": "lun", "bus": "scsi"},
    {"url": "https://example.org/a.img", "readOnly": True},
    {"network": {"protocol": "nbd", "name": "a", "hosts": ["a.example"]}},
    {"network": {"protocol": "nbd", "name": "pool/a", "hosts": ["a.example"]}},
    {"network": {"protocol": "nbd", "socket": "/run/nbd/a.sock"}},
    {"network": {**_RBD}, "auth": {"username": "ops", "secret": _USAGE}},
    {"network": {**_RBD}, "auth": {"username": "ops", "secret": _UUID}},
    {"network": {**_ISCSI}},
    {"network": {**_NFS}},
    {"nvme": {"device": "pci_0000_01_00_0", "namespace": 1}},
    {**_FILE, "encryption": {"format": "luks", "secret": _USAGE}},
    {**_FILE, "encryption": {"format": "luks", "secret": _UUID}},
    {"network": {**_RBD}, "encryption": {"format": "luks", "engine": "librbd", "secret": _UUID}},
)

_CONTROLLERS: tuple[dict[str, Any], ...] = (
    {"type": "scsi", "index": 0, "model": "virtio-scsi"},
    {"type": "usb", "index": 0, "model": "qemu-xhci"},
    {"type": "virtio-serial", "index": 0},
    {"type": "pci", "index": 0, "model": "pcie-root"},
    {"type": "pci", "index": 1, "model": "pcie-root-port"},
)

_CELLS = {
    "cpus": 4,
    "memory": "4GiB",
    "numa": {
        "cells": [{"id": 0, "cpus": "0-1", "memory": "2GiB"}, {"id": 1, "cpus": "2-3", "memory": "2GiB"}],
    },
}

DOCUMENTS: dict[str, tuple[dict[str, Any], ...]] = {
    "VirtualMachine": (
        *({"disks": [disk]} for disk in _DISKS),
        {"machine": "pc", "disks": [{"volume": "default/a", "bus": "ide", "geometry": _GEOMETRY}]},
        {"disks": [{"volume": "default/a", "bus": "usb"}], "cdroms": [{"bus": "scsi"}]},
        {"memoryBacking": {"source": "memfd", "access": "shared"}, "disks": [{"vhostUser": "/run/a.sock"}]},
        {"floppies": [{"volume": "default/r"}]},
        {"floppies": [{"path": "/srv/images/a.img"}]},
        {"floppies": [{"target": "fda"}, {"target": "fdb"}]},
        {"ioThreads": 4, "disks": [{"volume": "default/a"}]},
        *({"controllers": [each], "defaults": "libvirt", "machine": "q35"} for each in _CONTROLLERS),
        {
            "defaults": "libvirt",
            "machine": "q35",
            "controllers": [
                {"type": "usb", "index": 0, "model": "ich9-uhci1"},
                {"type": "usb", "index": 0, "model": "ich9-ehci1"},
            ],
        },
        {
            "defaults": "libvirt",
            "machine": "pc",
            "controllers": [{"type": "pci", "index": 1, "model": "pci-bridge"}],
        },
        {
            **_CELLS,
            "defaults": "libvirt",
            "machine": "q35",
            "controllers": [{"type": "pci", "index": 1, "model": "pcie-expander-bus", "target": {"busNr": 180}}],
        },
        {"controllers": [{"type": "pci", "index": 1, "model": "pci-root"}]},
        *({"ioThreads": 4, "controllers": [each]} for each in _CONTROLLERS[:1]),
        {"disks": [{"volume": "default/a", "bus": "virtio"}], "defaults": "libvirt", "machine": "q35"},
    )
}

VALUES: dict[str, tuple[Any, ...]] = {
    "VirtualMachine.floppies.target": ("fda", "fdb"),
    "VirtualMachine.floppies.volume": ("default/r", "default/a"),
    "VirtualMachine.floppies.path": ("/srv/images/a.img", "/srv/images/b.img"),
    "VirtualMachine.floppies.driver.io": ("threads", "io_uring"),
    "VirtualMachine.floppies.address": ("drive 0:0:0:0", "drive 0:0:0:1"),
    "VirtualMachine.controllers.type": ("sata", "ccid"),
    "VirtualMachine.controllers.alias": ("ua-a", "ua-b"),
    "VirtualMachine.controllers.address": ("pci 0000:00:07.0", "pci 0000:00:08.0"),
    "VirtualMachine.cdroms.address": ("drive 0:0:0:0", "drive 0:0:0:3"),
    "VirtualMachine.disks.alias": ("ua-a", "ua-b"),
    "VirtualMachine.disks.address": ("drive 0:0:0:3", "drive 0:0:0:4"),
    "VirtualMachine.controllers.model": ("lsilogic", "virtio-scsi"),
    "VirtualMachine.controllers.driver.ioThread": (1, 2),
    "VirtualMachine.controllers.implementation": ("ioh3420", "pcie-root-port"),
    "VirtualMachine.controllers.pcihole64": ("32GiB", "64GiB"),
    "VirtualMachine.controllers.master": (0, 2),
    "VirtualMachine.controllers.target.node": (0, 1),
    **{
        f"VirtualMachine.{kind}.{field}": values
        for kind in ("disks", "cdroms")
        for field, values in {
            "serial": ("A-1", "A-2"),
            "wwn": ("5000c50015ea71ac", "5000c50015ea71ad"),
            "vendor": ("SEAGATE", "WDC"),
            "product": ("ST-1", "ST-2"),
            "driver.io": ("threads", "io_uring"),
        }.items()
    },
    **{
        f"VirtualMachine.disks.{field}": values
        for field, values in {
            "driver.queueSize": (128, 256),
            "driver.metadataCache": ("8MiB", "16MiB"),
            "blockSizes.logical": (512, 4096),
            "blockSizes.physical": (512, 4096),
            "file": ("/srv/images/a.qcow2", "/srv/images/b.qcow2"),
            "block": ("/dev/disk/by-id/a", "/dev/disk/by-id/b"),
            "url": ("https://example.org/a.img", "https://example.org/b.img"),
            "vhostUser": ("/run/a.sock", "/run/b.sock"),
            "network.protocol": ("nbd", "gluster"),
            "network.name": ("pool/a", "pool/b"),
            "network.hosts": (["a.example:7000"], ["b.example"]),
            "network.socket": ("/run/nbd/a.sock", "/run/nbd/b.sock"),
            "network.snapshot": ("one", "two"),
            "network.config": ("/srv/ceph/a.conf", "/srv/ceph/b.conf"),
            "network.initiator": ("iqn.2024-01.org.example:a", "iqn.2024-01.org.example:b"),
            "auth.secret.uuid": (_UUID["uuid"], "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c32"),
            "encryption.secret.uuid": (_UUID["uuid"], "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c32"),
            "driver.ioThread": (1, 2),
            "ioSize": ("4KiB", "8KiB"),
            **{f"ioBurst.{name}": (value * 2, value * 4) for name, value in (_BOTH | _EACH).items()},
            "nvme.device": ("pci_0000_01_00_0", "pci_0000_02_00_0"),
        }.items()
    },
}

KNOWN_TO_QEMU: dict[str, list[str]] = {"VirtualMachine.controllers.target.index": []}  # pSeries has several roots
