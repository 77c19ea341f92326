"""A place in the boot order never takes the other devices out of it."""

from __future__ import annotations

from typing import Any

import pytest

from specs.binding import parse, text_at
from specs.virtualmachine.model import check
from specs.virtualmachine.platform.boot import boot_kinds
from tests.specs.virtualmachine.tool_machines import changed, left, observed
from tests.specs.virtualmachine.world import QEMU, diff, rendered

DISK = """<disk type='file' device='disk'><source file='/a.img'/><target dev='vda' bus='virtio'/>{}</disk>"""
SECOND = """<disk type='file'><source file='/b.img'/><target dev='vdb' bus='virtio'/>{}</disk>"""
DRIVE = """<disk type='file' device='cdrom'><target dev='sda' bus='sata'/>{}</disk>"""
CARD = """<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/>{}</interface>"""
DEVICE = """<hostdev mode='subsystem' type='usb'><source><address bus='1' device='2'/></source>{}</hostdev>"""
NAMES = {"vda": "disk", "vdb": "second", "sda": "drive"}

FIRST_DISK = {"disks": [{"source": {"file": "/a.img"}, "bootOrder": 1}]}
FIRST_DRIVE = {"cdroms": [{"name": "cdrom0", "source": {}, "target": "sda", "bootOrder": 1}]}
FIRST_CARD = {"interfaces": [{"mac": "52:54:00:00:00:01", "bootOrder": 1}]}
CARD_AND_DRIVE = {**FIRST_CARD, "cdroms": [{"name": "cdrom0", "source": {}, "target": "sda", "bootOrder": 2}]}
DISK_SECOND = {"disks": [{"source": {"file": "/a.img"}, "bootOrder": 2}]}


def domain(*classes: str, **orders: int) -> str:
    """A machine with two disks, a CD-ROM drive, a card and a host device."""
    places = {name: f"<boot order='{order}'/>" for name, order in orders.items()}
    boots = "".join(f"<boot dev='{name}'/>" for name in classes)
    devices = {"disk": DISK, "second": SECOND, "drive": DRIVE, "card": CARD, "device": DEVICE}
    inside = "".join(text.format(places.get(name, "")) for name, text in devices.items())
    return f"<domain type='qemu'><name>web</name><os><type>hvm</type>{boots}</os><devices>{inside}</devices></domain>"


def boots_from(text: str) -> list[str]:
    """The devices that a machine boots from, in order, or the kinds of devices where it says only those."""
    root = parse(text)
    kinds = [each.get("dev") for each in root.iterfind("os/boot")]
    placed = sorted(
        (int(order), NAMES.get(text_at(device, "target/@dev") or "", {"interface": "card"}.get(device.tag, "device")))
        for device in root.iterfind("devices/*")
        if (order := text_at(device, "boot/@order"))
    )
    assert not (kinds and placed), "libvirt refuses a machine that says both"
    assert len({order for order, _ in placed}) == len(placed), "libvirt refuses a place that two devices have"
    return kinds or [name for _, name in placed]


@pytest.mark.parametrize(
    ("before", "declared", "after"),
    [
        # A list for the whole machine is kept, of each kind the first device as libvirt takes it.
        (domain("hd"), FIRST_CARD, ["card", "disk"]),
        (domain("hd", "cdrom"), FIRST_CARD, ["card", "disk", "drive"]),
        (domain("cdrom", "hd", "network"), FIRST_DISK, ["disk", "drive", "card"]),
        (domain("network", "hd"), FIRST_DRIVE, ["drive", "card", "disk"]),
        (domain("hd", "cdrom"), CARD_AND_DRIVE, ["card", "drive", "disk"]),
        # Places of their own keep their sequence, also those of devices that no document can place.
        (domain(disk=1, drive=2), FIRST_CARD, ["card", "disk", "drive"]),
        (domain(device=1, second=2, disk=3), FIRST_CARD, ["card", "device", "second", "disk"]),
        (domain(drive=1, disk=2, card=5), FIRST_DISK, ["disk", "drive", "card"]),
        (domain(card=1, drive=2), DISK_SECOND, ["disk", "card", "drive"]),
        # Without either, libvirt's own order.
        (domain(), FIRST_DRIVE, ["drive", "disk", "second", "card"]),
        # Whatever is as declared already is left as it is, also where others would come first.
        (domain(card=1, drive=7), FIRST_CARD, ["card", "drive"]),
        (domain(card=1, disk=2), DISK_SECOND, ["card", "disk"]),
        (domain("hd"), {"memory": 2048}, ["hd"]),
        (domain("cdrom", "hd"), {"disks": [{"source": {"file": "/a.img"}}]}, ["cdrom", "hd"]),
    ],
)
def test_the_declared_places_come_first_and_the_rest_after_them(
    before: str, declared: dict[str, Any], after: list[str]
) -> None:
    text = changed(before, declared)
    assert boots_from(text) == after
    assert left(text, declared) == []
    assert changed(text, declared) == changed(text, {})


def test_a_new_machine_boots_from_all_of_its_devices() -> None:
    spec = {
        "disks": [{"name": "a", "volume": "default/a.img"}, {"name": "b", "volume": "default/b.img"}],
        "cdroms": [{"name": "installer"}],
        "interfaces": [{"network": "lan", "bootOrder": 1}],
    }
    text = rendered(spec, QEMU)
    orders = {name: [item.get("bootOrder") for item in observed(text)[name]] for name in spec}
    assert orders == {"interfaces": [1], "disks": [2, 3], "cdroms": [4]}
    assert diff(spec, text, QEMU) == []


def test_a_place_that_moves_from_one_device_to_another_leaves_the_first_one_in() -> None:
    text = changed(domain(disk=1, drive=2), FIRST_CARD)
    assert boots_from(changed(text, FIRST_DRIVE)) == ["drive", "card", "disk"]


@pytest.mark.parametrize(
    ("before", "declared"),
    [
        (domain("hd"), ["network", "hd"]),
        (domain(), ["cdrom"]),
        (domain(disk=1, card=2, device=3), ["hd", "cdrom"]),
        (domain("network", "hd"), ["fd"]),
    ],
)
def test_kinds_are_all_that_the_machine_boots_from(before: str, declared: list[str]) -> None:
    text = changed(before, {"bootDevices": declared})
    assert boots_from(text) == declared == boot_kinds(parse(text))
    assert left(text, {"bootDevices": declared}) == []


def test_a_single_devices_place_takes_the_kinds_place_again() -> None:
    text = changed(changed(domain("hd"), {"bootDevices": ["cdrom", "hd"]}), FIRST_CARD)
    assert boots_from(text) == ["card", "drive", "disk"]
    assert boot_kinds(parse(text)) == ["network", "cdrom", "hd"]


def test_a_new_machine_boots_from_the_kinds_that_it_declares() -> None:
    text = rendered({"bootDevices": ["network"], "bootMenu": True, "interfaces": [{"network": "lan"}]}, QEMU)
    assert boots_from(text) == ["network"]
    assert text_at(parse(text), "os/bootmenu/@enable") == "yes"


def test_kinds_and_places_exclude_each_other() -> None:
    spec = {
        "bootDevices": ["hd"],
        "disks": [{"name": "a", "size": "1GiB"}, {"name": "b", "volume": "b", "bootOrder": 1}],
    }
    assert [pointer for pointer, _ in check("web", spec)] == ["/disks/1/bootOrder"]
