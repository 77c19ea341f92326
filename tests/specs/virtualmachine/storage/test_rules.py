"""What libvirt would refuse to define, or QEMU to start, is refused offline, at its place and with the way out."""

from __future__ import annotations

from typing import Any

import pytest

from specs.host import Host, VolumeSource
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.virtualmachine.model import check
from specs.virtualmachine.xml import lower
from tests.specs.rendering import UID

NEW = {"size": "1GiB"}

BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({**NEW, "bus": "scsi", "driver": {"queues": 2}}, "/driver/queues", "`bus: virtio`"),
    ({**NEW, "bus": "sata", "driver": {"packed": True}}, "/driver/packed", "`bus: virtio`"),
    ({**NEW, "bus": "usb", "model": "virtio-transitional"}, "/model", "`bus: virtio`"),
    ({**NEW, "vendor": "ACME"}, "/vendor", "`bus: scsi`"),
    ({**NEW, "wwn": "5000c50015ea71ac"}, "/wwn", "`bus: ide or scsi`"),
    ({**NEW, "rotationRate": 1}, "/rotationRate", "`bus: ide or sata or scsi`"),
    ({**NEW, "removable": True}, "/removable", "`bus: usb`"),
    ({**NEW, "driver": {"io": "native"}}, "/driver/io", "`cache: none`"),
    ({**NEW, "driver": {"io": "native", "cache": "writeback"}}, "/driver/io", "`cache: none`"),
    ({**NEW, "driver": {"queueSize": 100}}, "/driver/queueSize", "such as 64"),
    ({**NEW, "readOnly": True, "driver": {"copyOnRead": True}}, "/driver/copyOnRead", "remove one"),
    ({**NEW, "shareable": True}, "/shareable", "`format: raw`"),
    ({**NEW, "format": "raw", "shareable": True, "transient": True}, "/transient", "`shareable`"),
    ({**NEW, "ioBurst": {"iops": 10}}, "/ioBurst/iops", "`ioLimits`"),
    ({**NEW, "ioLimits": {"iops": 20}, "ioBurst": {"iops": 10}}, "/ioBurst/iops", "as much"),
    (
        {**NEW, "ioLimits": {"iops": 2}, "ioBurst": {"iops": 10, "seconds": {"readIops": 1}}},
        "/ioBurst/seconds/readIops",
        "`readIops`",
    ),
    ({**NEW, "ioGroup": "a"}, "/ioGroup", "`ioLimits`"),
    ({**NEW, "blockSizes": {"logical": 1000}}, "/blockSizes/logical", "such as 512"),
    ({**NEW, "blockSizes": {"logical": 4096, "physical": 512}}, "/blockSizes/physical", "as much"),
]


@pytest.mark.parametrize(("disk", "pointer", "remedy"), BROKEN)
def test_what_goes_with_no_drive_like_this_is_refused(disk: dict[str, Any], pointer: str, remedy: str) -> None:
    ((where, sentence),) = check("web", {"disks": [disk]})
    assert where == f"/disks/0{pointer}"
    assert remedy in sentence


def test_a_cdrom_drive_has_nothing_of_virtio() -> None:
    assert [where for where, _ in check("web", {"cdroms": [{"vendor": "ACME"}]})] == ["/cdroms/0/vendor"]
    assert list(check("web", {"cdroms": [{"bus": "scsi", "vendor": "ACME"}]})) == []


GOOD: list[dict[str, Any]] = [
    {**NEW, "driver": {"io": "native", "cache": "none", "queues": 4, "queueSize": 512}},
    {**NEW, "format": "raw", "shareable": True, "blockSizes": {"logical": 512, "physical": 4096}},
    {**NEW, "bus": "scsi", "wwn": "5000c50015ea71ac", "vendor": "ACME", "product": "Disk", "rotationRate": 7200},
]


@pytest.mark.parametrize("disk", GOOD)
def test_what_goes_together_is_taken(disk: dict[str, Any]) -> None:
    assert list(check("web", {"disks": [disk]})) == []


@pytest.mark.parametrize(("kind", "is_taken"), [("raw", True), ("qcow2", False)])
def test_several_machines_write_to_raw_images_alone(kind: str, is_taken: bool) -> None:
    volumes = {Ref.volume("default", "a"): VolumeSource("/images/a", "file", kind)}
    spec: Any = {"disks": [{"volume": "default/a", "shareable": True}]}
    if is_taken:
        assert lower(spec, name="web", uid=UID, host=Host(volumes=volumes))["disks"][0]["shareable"]
    else:
        with pytest.raises(Unrenderable, match="qcow2"):
            lower(spec, name="web", uid=UID, host=Host(volumes=volumes))


RBD = {"protocol": "rbd", "name": "pool/a"}
NBD = {"protocol": "nbd", "hosts": ["a.example"]}
NAMED = {"usage": "a"}

MISPLACED: list[tuple[dict[str, Any], str, str]] = [
    ({"file": "/srv/a", "auth": {"username": "a", "secret": NAMED}}, "/auth", "RBD and iSCSI"),
    ({"url": "https://example.org/a"}, "/url", "`readOnly: true`"),
    ({"network": NBD, "startupPolicy": "optional"}, "/startupPolicy", "remove this"),
    ({"file": "/srv/a", "device": "lun"}, "/device", "`device: disk`"),
    ({"block": "/dev/a", "device": "lun", "bus": "sata"}, "/bus", "virtio or scsi"),
    ({"block": "/dev/a", "device": "lun", "format": "qcow2"}, "/format", "`format: raw`"),
    ({"block": "/dev/a", "reservations": True}, "/reservations", "`device: lun`"),
    ({"vhostUser": "/run/a", "bus": "scsi"}, "/bus", "virtio"),
    ({"network": {**NBD, "snapshot": "a"}}, "/network/snapshot", "rbd has"),
    ({"network": {**RBD, "tls": True}}, "/network/tls", "nbd has"),
    ({"network": {"protocol": "rbd"}}, "/network", "`name`"),
    ({"network": {**RBD, "name": "a"}}, "/network/name", "`pool/image`"),
    ({"network": {"protocol": "nbd"}}, "/network", "`hosts`"),
    ({"network": {"protocol": "nbd", "hosts": ["a", "b"]}}, "/network/hosts/1", "one server"),
    ({"network": {"protocol": "nfs", "name": "/a", "hosts": ["a"]}}, "/network", "`user` and `group`"),
    ({"file": "/a", "encryption": {"format": "luks2", "secret": NAMED}}, "/encryption/format", "`engine: librbd`"),
    (
        {"file": "/a", "encryption": {"format": "luks", "engine": "librbd", "secret": NAMED}},
        "/encryption/engine",
        "`engine: qemu`",
    ),
]


@pytest.mark.parametrize(("disk", "pointer", "remedy"), MISPLACED)
def test_what_goes_with_no_source_like_this_is_refused(disk: dict[str, Any], pointer: str, remedy: str) -> None:
    ((where, sentence),) = check("web", {"disks": [disk]})
    assert where == f"/disks/0{pointer}"
    assert remedy in sentence


@pytest.mark.parametrize("one", [{"file": "/srv/a"}, {"block": "/dev/a"}, {"network": {**RBD, "hosts": ["a"]}}])
def test_one_machine_has_the_same_disk_once(one: dict[str, Any]) -> None:
    (name,) = one
    ((where, sentence),) = check("web", {"disks": [one, one]})
    assert where == f"/disks/1/{name}"
    assert "already" in sentence


CONTROLLERS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"type": "sata", "index": 0, "model": "ich9"}], "/0/model", "remove it"),
    ([{"type": "usb", "index": 0, "vectors": 2}], "/0/vectors", "virtio-serial"),
    ([{"type": "usb", "index": 0, "model": "qemu-xhci", "master": 0}], "/0/master", "ich9-uhci1"),
    ([{"type": "pci", "index": 0, "model": "pcie-root", "target": {"port": 1}}], "/0/target/port", "pcie-root-port"),
    ([{"type": "scsi", "index": 0}, {"type": "scsi", "index": 0}], "/1/index", "choose another"),
    ([{"type": "scsi", "index": 0, "driver": {"ioThread": 1}}], "/0/driver/ioThread", "`ioThreads: 1`"),
]


@pytest.mark.parametrize(("controllers", "pointer", "remedy"), CONTROLLERS)
def test_a_controller_has_what_its_type_and_model_have(
    controllers: list[dict[str, Any]], pointer: str, remedy: str
) -> None:
    ((where, sentence),) = check("web", {"controllers": controllers})  # type: ignore[typeddict-item]
    assert where == f"/controllers{pointer}"
    assert remedy in sentence


def test_an_io_thread_is_one_that_there_is() -> None:
    disk = {**NEW, "driver": {"ioThread": 2}}
    for told in ({}, {"ioThreads": 1}):
        ((where, sentence),) = check("web", {"disks": [disk], **told})  # type: ignore[typeddict-item]
        assert where == "/disks/0/driver/ioThread"
        assert "`ioThreads: 2`" in sentence
    for enough in ({"ioThreads": 2}, {"template": "small"}, {"ioThreads": 1, "ioThreadPools": [{"id": 2}]}):
        assert not list(check("web", {"disks": [disk], **enough}))  # type: ignore[typeddict-item]
