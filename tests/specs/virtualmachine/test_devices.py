"""Disks, interfaces and host devices: known by what they are, never by their place; what isn't declared stays."""

from __future__ import annotations

from typing import Any

import pytest

from specs.binding import parse, patched, serialise
from specs.comparing import differences
from specs.effect import Effect
from specs.host import Host
from specs.virtualmachine import xml
from tests.specs.virtualmachine.world import IMAGES, QEMU, changed, diff, lowered, managed, observed, rendered

ROOT = {"name": "root", "volume": "default/root.qcow2"}
DATA = {"name": "data", "volume": "default/data.img"}


def targets(text: str) -> dict[str, str]:
    """Each disk's device name by its file."""
    disks = parse(text).findall("devices/disk[@device='disk']")
    return {disk.find("source").get("file").rpartition("/")[2]: disk.find("target").get("dev") for disk in disks}


def effects(spec: dict[str, Any], before: dict[str, Any]) -> dict[str, Effect]:
    return {change.pointer: change.effect for change in diff(spec, rendered(before, QEMU), QEMU, before)}


def test_a_disk_keeps_its_device_name_whatever_comes_before_it() -> None:
    text = changed(rendered({"disks": [ROOT]}, QEMU), {"disks": [DATA, ROOT]}, QEMU)
    assert targets(text) == {"root.qcow2": "vda", "data.img": "vdb"}


def test_a_new_disk_avoids_a_name_that_another_one_declares() -> None:
    text = rendered({"disks": [ROOT, {**DATA, "target": "vda"}]}, QEMU)
    assert targets(text) == {"root.qcow2": "vdb", "data.img": "vda"}


def test_a_disk_that_is_no_longer_declared_goes_and_a_foreign_one_stays() -> None:
    before: dict[str, Any] = {"disks": [ROOT, DATA]}
    text = rendered({"disks": [ROOT, DATA, {"name": "other", "volume": "iso/foreign.img"}]}, QEMU)
    changes, extras = differences(xml.BINDS, lowered({"disks": [ROOT]}, QEMU), observed(text), managed(before, QEMU))
    assert [(change.pointer, change.new) for change in changes] == [("/disks/default/data.img", None)]
    assert extras == ["/disks//srv/iso/foreign.img"]
    assert set(targets(changed(text, {"disks": [ROOT]}, QEMU, before))) == {"root.qcow2", "foreign.img"}


def test_without_a_list_of_disks_nothing_is_compared() -> None:
    assert diff({}, rendered({"disks": [ROOT]}, QEMU), QEMU) == []


def test_a_pool_that_comes_to_light_later_changes_nothing() -> None:
    spec = {"disks": [{"name": "lun", "volume": "late/lun0"}]}
    text = rendered(spec, QEMU)
    assert '<source pool="late" volume="lun0"/>' in text
    later = Host(domain_types=("qemu",), machines=("q35",), pool_paths={"late": "/mnt/late"})
    assert diff(spec, text, later) == []
    assert managed(spec, later) == managed(spec, QEMU)


def test_a_path_is_recognised_while_its_pool_is_away() -> None:
    spec = {"disks": [{"name": "lun", "volume": "late/lun0"}]}
    here = Host(domain_types=("qemu",), machines=("q35",), pool_paths={"late": "/mnt/late"})
    assert diff(spec, rendered(spec, here), QEMU) == []


def test_an_overlay_above_a_declared_disk_is_still_that_disk() -> None:
    below = f"""<source file="{IMAGES}/root.snap1"/><backingStore type="file"><format type="qcow2"/>
      <source file="{IMAGES}/root.qcow2"/><backingStore/></backingStore>"""
    text = rendered({"disks": [ROOT]}, QEMU).replace(f'<source file="{IMAGES}/root.qcow2"/>', below)
    assert diff({"disks": [ROOT]}, text, QEMU) == []


def test_the_format_of_an_overlay_is_not_that_of_the_declared_disk_below() -> None:
    declared = {"disks": [{**DATA, "format": "raw"}]}
    text = rendered(declared, QEMU)
    below = f"""<source file="{IMAGES}/data.snap1"/><backingStore type="file"><format type="raw"/>
      <source file="{IMAGES}/data.img"/><backingStore/></backingStore>"""
    above = text.replace(f'<source file="{IMAGES}/data.img"/>', below).replace('type="raw"', 'type="qcow2"', 1)
    assert above != text
    assert diff(declared, above, QEMU) == []
    assert parse(changed(above, {**declared, "memory": 96}, QEMU)).find("devices/disk/driver").get("type") == "qcow2"


def test_the_format_of_an_undeclared_one_comes_from_the_host() -> None:
    disks = parse(rendered({"disks": [{"name": "old", "volume": "default/old"}, DATA, ROOT]}, QEMU)).findall(
        "devices/disk"
    )
    assert [disk.find("driver").get("type") for disk in disks] == ["qcow2", "raw", "qcow2"]


@pytest.mark.parametrize(
    ("bus", "expected"),
    [
        (None, Effect.LIVE),
        ("scsi", Effect.LIVE),
        ("usb", Effect.LIVE),
        ("sata", Effect.NEXT_BOOT),
        ("ide", Effect.NEXT_BOOT),
    ],
)
def test_the_bus_decides_whether_a_disk_comes_and_goes_live(bus: str | None, expected: Effect) -> None:
    disk = ROOT if bus is None else {**ROOT, "bus": bus}
    machine = {"machine": "pc" if bus == "ide" else "q35"}  # each has its own buses
    assert effects({**machine, "disks": [disk]}, machine) == {"/disks/default/root.qcow2": expected}
    assert effects({**machine, "disks": []}, {**machine, "disks": [disk]}) == {"/disks/default/root.qcow2": expected}


def test_what_a_disk_is_changes_at_the_next_boot() -> None:
    spec = {"disks": [{**ROOT, "bus": "scsi", "target": "sdf", "format": "raw", "readOnly": True, "bootOrder": 1}]}
    assert effects(spec, {"disks": [ROOT]}) == {
        f"/disks/default/root.qcow2/{field}": Effect.NEXT_BOOT
        for field in ("bus", "target", "format", "readOnly", "bootOrder")
    }


def test_a_place_in_the_boot_order_is_taken_from_whoever_has_it() -> None:
    before = {"disks": [{**ROOT, "bootOrder": 1}, {**DATA, "bootOrder": 2}]}
    spec = {"disks": [{**ROOT, "bootOrder": 2}, {**DATA, "bootOrder": 1}]}
    assert diff(spec, changed(rendered(before, QEMU), spec, QEMU, before), QEMU) == []
    plain = changed(rendered({"disks": [ROOT]}, QEMU), {"disks": [{**ROOT, "bootOrder": 1}]}, QEMU)
    assert parse(plain).find("os/boot") is None


def test_an_interface_is_moved_and_unplugged_live() -> None:
    before = {"interfaces": [{"network": "default"}]}
    spec = {"interfaces": [{"name": "default", "network": "lan", "link": "down", "model": "e1000"}]}
    pointers = effects(spec, before)
    assert sorted((pointer.rpartition("/")[2], effect) for pointer, effect in pointers.items()) == [
        ("link", Effect.LIVE),
        ("model", Effect.NEXT_BOOT),
        ("network", Effect.LIVE),
    ]


def test_a_running_interfaces_real_connection_is_no_difference() -> None:
    spec = {"interfaces": [{"network": "default"}]}
    source = '<source network="default" portid="5e3c" bridge="virbr0"/><target dev="vnet7"/><alias name="net0"/>'
    text = rendered(spec, QEMU).replace('<source network="default"/>', source)
    assert diff(spec, text, QEMU) == []
    assert diff(spec, text.replace('interface type="network"', 'interface type="bridge"'), QEMU) == []


def test_an_adopted_machines_interface_is_used_instead_of_a_second_one() -> None:
    text = rendered({"interfaces": [{"network": "default", "mac": "52:54:00:00:00:01"}]}, QEMU)
    assert diff({"interfaces": [{"network": "default"}]}, text, QEMU) == []


def test_a_host_device_is_known_by_its_address() -> None:
    spec = {"hostDevices": [{"device": "pci_0000_03_00_1"}, {"device": "usb_1_2"}, {"device": "scsi_3_0_0_1"}]}
    text = rendered(spec, QEMU)
    assert diff(spec, text, QEMU) == []
    (change,) = diff({"hostDevices": spec["hostDevices"][:2]}, text, QEMU, spec)
    assert (change.pointer, change.effect) == ("/hostDevices/scsi_3_0_0_1", Effect.LIVE)


def test_what_onggi_does_not_know_passes_through() -> None:
    foreign = """<domain type="qemu" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">
      <name>web</name>
      <metadata><app:data xmlns:app="http://app.example/1" of="somebody"><app:x>1</app:x></app:data></metadata>
      <memory unit="KiB">1048576</memory><vcpu placement="static" cpuset="0-1">1</vcpu><iothreads>2</iothreads>
      <cputune><shares>512</shares></cputune>
      <os><type arch="x86_64" machine="pc-q35-7.2">hvm</type><boot dev="hd"/></os>
      <devices>
        <disk type="file" device="disk"><driver name="qemu" type="qcow2" cache="none" io="native"/>
          <source file="/var/lib/libvirt/images/root.qcow2"><seclabel model="dac" relabel="no"/></source>
          <target dev="vda" bus="virtio"/><iotune><read_iops_sec>100</read_iops_sec></iotune><serial>A1</serial></disk>
        <watchdog model="itco" action="reset"/><tpm model="tpm-crb"><backend type="emulator" version="2.0"/></tpm>
        <filesystem type="mount"><source dir="/srv"/><target dir="srv"/></filesystem>
      </devices>
      <qemu:commandline><qemu:arg value="-nodefaults"/></qemu:commandline>
    </domain>"""
    spec: dict[str, Any] = {
        "title": "T", "memory": 2048, "cpus": 2, "disks": [{**ROOT, "bus": "scsi"}],
        "interfaces": [{"network": "default"}],
    }  # fmt: skip
    before, after = parse(foreign), patched(xml.BINDS, parse(foreign), lowered(spec, QEMU))
    assert diff(spec, serialise(after), QEMU) == []
    for path in ("metadata", "iothreads", "cputune", "devices/watchdog", "devices/tpm", "devices/filesystem",
                 "devices/disk/source", "devices/disk/driver", "devices/disk/iotune", "devices/disk/serial",
                 "{http://libvirt.org/schemas/domain/qemu/1.0}commandline"):  # fmt: skip
        kept, was = after.find(path), before.find(path)
        assert kept is not None and was is not None
        assert serialise(kept) == serialise(was), path
    assert after.find("vcpu").get("cpuset") == "0-1"
