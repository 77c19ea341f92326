"""What is said to a running machine: on a real one, and by the text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from specs.binding import parse
from specs.comparing import differences
from specs.effect import Change, Effect
from specs.host import Host
from specs.virtualmachine import xml
from specs.virtualmachine.live import LiveEdit, live_edits
from tests.lab.libvirtd import HostObjects
from tests.specs.virtualmachine.world import (
    QEMU,
    changed,
    diff,
    inactive,
    lowered,
    managed,
    observed,
    rendered,
    uid_of,
)

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE


def edits(spec: dict[str, Any], live: str, host: Host, before: dict[str, Any], name: str = "web") -> list[LiveEdit]:
    """What planning would have said: the edits of all live differences."""
    earlier, wanted = managed(before, host, name), lowered(spec, host, name)
    changes, _ = differences(xml.BINDS, wanted, observed(live), earlier)
    return live_edits(wanted, parse(live), changes, earlier)


def perform(domain: libvirt.virDomain, found: list[LiveEdit]) -> None:
    for verb, value, _ in found:
        match verb:
            case "attach":
                domain.attachDeviceFlags(value, LIVE)
            case "detach":
                domain.detachDeviceFlags(value, LIVE)
            case "update":
                domain.updateDeviceFlags(value, LIVE)
            case "title":
                domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, value, None, None, LIVE)
            case "description":
                domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, value, None, None, LIVE)
            case "memory":
                domain.setMemoryFlags(int(value), LIVE)
            case "vcpus":
                domain.setVcpusFlags(int(value), LIVE)


@pytest.fixture
def networks(qemu_connection: libvirt.virConnect, host_objects: HostObjects) -> Iterator[list[str]]:
    """Two networks that lead nowhere."""
    names = [host_objects.name(word) for word in ("one", "two")]
    for name in names:
        qemu_connection.networkDefineXML(f"<network><name>{name}</name></network>").create()
    return names


@pytest.fixture
def host(dir_pool_folder: Path) -> Host:
    """The host, whose pool `default` is a folder with a few images."""
    for name in ("root.img", "data.img", "stick.img", "a.iso", "b.iso"):
        with (dir_pool_folder / name).open("wb") as image:
            image.truncate(1 << 20)
    return Host(domain_types=("qemu",), machines=("q35",), pool_paths={"default": str(dir_pool_folder)})


def test_a_running_machine_becomes_what_is_declared(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, networks: list[str], host: Host
) -> None:
    name, (one, two) = host_objects.name("live"), networks
    root = {"name": "root", "volume": "default/root.img"}
    stick = {"name": "stick", "volume": "default/stick.img", "bus": "usb"}
    before: dict[str, Any] = {
        "memory": 64,
        "cpus": 1,
        "cpuMode": "maximum",
        "machine": "q35",
        "firmware": "bios",
        "domainType": "emulated",
        "serialConsole": True,
        "graphics": {"type": "vnc", "listen": "127.0.0.1"},
        "disks": [root, stick],
        "cdroms": [{"volume": "default/a.iso"}, {"name": "seed"}],
        "interfaces": [{"name": "lan", "network": one}],
    }
    domain = qemu_connection.defineXML(rendered(before, host, name))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    assert diff(before, domain.XMLDesc(), host, before, name) == []

    after = before | {
        "title": "A title",
        "description": "Several\nlines",
        "disks": [
            root,
            {"name": "data", "volume": "default/data.img"},
            {"name": "s", "volume": "iso/x", "bus": "sata"},
        ],
        "cdroms": [{"volume": "default/b.iso"}, {"name": "seed", "volume": "default/a.iso"}],
        "interfaces": [{"name": "lan", "network": two, "link": "down"}, {"name": "new", "network": one}],
    }
    address = parse(domain.XMLDesc()).find("devices/interface/address")
    perform(domain, edits(after, domain.XMLDesc(), host, before, name))
    left = diff(after, domain.XMLDesc(), host, before, name)
    assert [(change.pointer, change.effect) for change in left] == [("/disks/iso/x", Effect.NEXT_BOOT)]
    assert parse(domain.XMLDesc()).find("devices/interface/address").attrib == address.attrib

    qemu_connection.defineXML(changed(inactive(domain), after, host, before, name))
    assert diff(after, inactive(domain), host, before, name) == []
    assert edits(after, domain.XMLDesc(), host, before, name) == []


def test_a_running_machine_with_another_firmware_and_chipset_reads_as_declared(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    for word, spec in {
        "uefi": {"memory": 64, "firmware": "uefi", "cpuMode": "default", "graphics": {"type": "spice"}},
        "plain": {"memory": 64, "machine": "pc", "cpuMode": "host-model", "graphics": {"type": "none"}, "cpus": 2},
    }.items():
        name = host_objects.name(word)
        domain = qemu_connection.defineXML(rendered(spec, QEMU, name))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        assert diff(spec, domain.XMLDesc(), QEMU, name=name) == []
        domain.destroy()


def live_xml(spec: dict[str, Any]) -> str:
    return rendered(spec, QEMU).replace("<domain ", '<domain id="3" ', 1)


def test_numbers_are_said_in_the_units_of_libvirt() -> None:
    changes = [Change("/memory", 1024, 2048, Effect.LIVE), Change("/cpus", 1, 2, Effect.LIVE)]
    assert live_edits({}, parse(live_xml({})), changes) == [LiveEdit("memory", "2097152"), LiveEdit("vcpus", "2")]


def test_what_waits_for_a_boot_is_not_said() -> None:
    spec = {"disks": [{"name": "root", "volume": "default/root.qcow2", "bus": "sata"}], "cpus": 4}
    assert edits(spec, live_xml({}), QEMU, {}) == []


def test_two_changes_of_one_interface_do_not_undo_each_other() -> None:
    before = {"interfaces": [{"name": "lan", "network": "one", "link": "up", "model": "virtio"}]}
    spec = {"interfaces": [{"name": "lan", "network": "two", "link": "down", "model": "e1000"}]}
    found = edits(spec, live_xml(before), QEMU, before)
    assert [edit.verb for edit in found] == ["update"]
    update = parse(found[0].value)
    assert (update.find("source").get("network"), update.find("link").get("state")) == ("two", "down")
    assert update.find("model").get("type") == "virtio", "the model waits for the next boot"


def test_each_change_can_be_asked_for_alone() -> None:
    before = {"interfaces": [{"name": "lan", "network": "one"}]}
    spec = {"interfaces": [{"name": "lan", "network": "two", "link": "down"}], "title": "x"}
    root, wanted = parse(live_xml(before)), lowered(spec, QEMU)
    changes, _ = differences(xml.BINDS, wanted, observed(live_xml(before)))
    single = [edit for change in changes for edit in live_edits(wanted, root, [change])]
    assert [edit.verb for edit in single] == ["title", "update", "update"]
    assert single[1] == single[2]


def test_a_medium_is_changed_in_the_running_drive_and_nothing_else_of_it() -> None:
    before, spec = {"cdroms": [{"path": "/srv/iso/a.iso"}]}, {"cdroms": [{"path": "/srv/iso/b.iso", "bootOrder": 1}]}
    (edit,) = edits(spec, live_xml(before), QEMU, before)
    drive = parse(edit.value)
    assert drive.find("source").get("file") == "/srv/iso/b.iso"
    assert drive.find("boot") is None and drive.find("target").get("dev") == "sda"


def test_a_first_scsi_disk_brings_its_controller() -> None:
    spec = {"disks": [{"name": "root", "volume": "default/root.qcow2", "bus": "scsi", "bootOrder": 1}]}
    controller, disk = edits(spec, live_xml({}), QEMU, {})
    assert parse(controller.value).get("model") == "virtio-scsi"
    assert parse(disk.value).find("boot") is None


def test_a_device_that_is_no_longer_declared_is_unplugged() -> None:
    before = {"interfaces": [{"name": "lan", "network": "one"}, {"name": "wan", "network": "two"}]}
    spec = {"interfaces": before["interfaces"][1:]}
    (edit,) = edits(spec, live_xml(before), QEMU, before)
    assert edit.verb == "detach"
    assert parse(edit.value).find("source").get("network") == "one"
    assert uid_of("web") not in edit.value
