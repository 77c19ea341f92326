"""What a guest's system stands for when its machine is made, and that osinfo says the same of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from specs.document import parse as parse_documents
from specs.explain import explain
from specs.validate import validate
from specs.virtualmachine.platform.guest_os import PRESETS, expanded
from tests.lab.libvirtd import HostObjects
from tests.specs.virtualmachine.world import KVM, QEMU, defined, diff, inactive, rendered

DISK, CARD = {"volume": "default/old"}, {"network": "default"}
OSINFO = Path("/usr/share/osinfo/os")
SAID: list[dict[str, Any]] = [
    {},
    {"disks": [DISK], "interfaces": [CARD]},
    {"disks": [{**DISK, "bus": "virtio"}, {"volume": "vg/data", "readOnly": True}]},
    {"firmware": "bios"},
    {"machine": "pc"},
    {"secureBoot": False},
    {"features": {"smm": False, "hyperv": {"mode": "passthrough"}}},
    {"features": {"hyperv": {"vapic": True}, "acpi": True}},
    {"clock": {"offset": "variable", "adjustment": 5}},
    {"clock": {"timers": [{"name": "rtc"}]}},
    {"kernelBoot": {"kernel": "/srv/boot/vmlinuz"}},
    {"arch": "aarch64"},
]


def problems(spec: dict[str, Any]) -> list[str]:
    import json

    body = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": "web"}, "spec": spec}
    parsed = parse_documents("web.yaml", json.dumps(body).encode())
    return [str(each) for document in parsed.documents for each in (*parsed.problems, *validate(document))]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("spec", SAID, ids=str)
def test_what_it_stands_for_goes_with_whatever_is_said(name: str, spec: dict[str, Any]) -> None:
    whole = expanded({"guestOs": name, **spec})
    assert problems(dict(whole)) == []
    for field, value in spec.items():
        if not isinstance(value, (dict, list)):
            assert whole[field] == value, "what the document says doesn't win"
    assert diff(dict(whole), rendered(dict(whole), KVM), KVM) == []


def test_nothing_is_made_of_a_spec_without_one() -> None:
    spec: Any = {"disks": [DISK]}
    assert expanded(spec) is spec


def test_devices_that_say_more_of_themselves_stay_as_they_are() -> None:
    disks = [DISK, {**DISK, "bus": "scsi"}, {**DISK, "readOnly": True}]
    found: Any = expanded({"guestOs": "windows", "disks": disks, "interfaces": [CARD]})
    assert [each.get("bus") for each in found["disks"]] == ["sata", "scsi", None]
    assert found["interfaces"] == [{**CARD, "model": "e1000e"}]


def test_explain_tells_what_each_stands_for() -> None:
    about = explain("vm.guestOs").description
    for name in PRESETS:
        assert f"{name} stands for `" in about
    assert "`disks: [{bus: sata, …}]`" in about
    assert "`secureBoot: true`" in about


def devices_of(place: str, name: str) -> frozenset[str]:
    """The ids of the devices that osinfo says a system has drivers for, with what it derives from."""
    root = etree.parse(OSINFO / place / f"{name}.xml").getroot()
    found = {str(each.get("id")) for each in root.iterfind("os/devices/device") if each.get("supported") != "false"}
    for base in root.iterfind("os/derives-from"):
        maker, _, rest = str(base.get("id")).removeprefix("http://").partition("/")
        for path in OSINFO.glob(f"{maker}/*.xml"):
            if path.stem.replace("-", "/", 1).replace("-", "/") == rest.replace("-", "/"):
                found |= devices_of(maker, path.stem)
    return frozenset(found)


E1000E, AHCI, Q35 = (
    "http://pcisig.com/pci/8086/10d3",
    "http://pcisig.com/pci/8086/293e",
    "http://qemu.org/chipset/x86/q35",
)
VIRTIO_NET, VIRTIO_BLOCK = "http://pcisig.com/pci/1af4/1041", "http://pcisig.com/pci/1af4/1042"


def test_osinfo_knows_drivers_for_what_windows_gets() -> None:
    for name in ("win-11", "win-10"):
        assert {E1000E, AHCI, Q35} <= devices_of("microsoft.com", name)


def test_osinfo_says_that_windows_11_has_uefi_and_nothing_else() -> None:
    system = etree.parse(OSINFO / "microsoft.com/win-11.xml").getroot()
    firmware = {each.get("type"): each.get("supported", "true") for each in system.iterfind("os/firmware")}
    assert firmware == {"efi": "true", "bios": "false"}
    assert PRESETS["windows11"]["firmware"] == "uefi"


def test_osinfo_knows_drivers_for_what_linux_gets() -> None:
    assert {VIRTIO_NET, VIRTIO_BLOCK, Q35} <= devices_of("libosinfo.org", "linux-2020")


@pytest.mark.parametrize("name", ["windows", "windows11"])
def test_qemu_starts_with_it(qemu_connection: libvirt.virConnect, host_objects: HostObjects, name: str) -> None:
    spec = {"memory": 64, "graphics": {"type": "none"}, "domainType": "emulated"}
    whole: Any = expanded({"guestOs": name, **spec})
    called = host_objects.name("preset")
    with defined(qemu_connection, rendered(whole, QEMU, called)) as domain:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        assert diff(whole, inactive(domain), QEMU, name=called) == []
